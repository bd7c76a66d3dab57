/**
 * An encrypted room as a few lists: what a test holds the deciding half to. It knows who is a member, which devices are in which list,
 * and every entry; all else it works out anew from these whenever it is asked.
 */

/** A device, by the number of its account and its own. */
export interface Seat {
  readonly account: number
  readonly device: string
}

export const isSame = (one: Seat, other: Seat): boolean => one.account === other.account && one.device === other.device

/** Of a device in the group: by which entry of its list it was let in. */
interface Inside extends Seat {
  readonly n: number
  readonly out?: number
}

export type Made =
  | { readonly what: "seal" }
  | { readonly what: "reset"; readonly by: Seat; readonly n: number }
  | {
      readonly what: "commit"
      readonly adds: ReadonlyArray<Seat & { readonly n: number }>
      readonly removes: ReadonlyArray<Seat>
    }
  | { readonly what: "kick"; readonly account: number }

export interface Wish {
  readonly what: Made["what"]
  readonly by: Seat
  readonly incarnation: number
  readonly keyEpoch: number
  readonly adds: ReadonlyArray<Seat>
  readonly removes: ReadonlyArray<Seat>
  /** Whom a kick is about. */
  readonly whom: number
}

export class SealedModel {
  readonly members = new Set([1, 2, 3])
  /** By which entry each device is in its account's list. */
  readonly lists = new Map<string, number>()
  readonly log: Array<Made> = []

  entryOf({ account, device }: Seat): number | undefined {
    return this.lists.get(`${account} ${device}`)
  }

  /** The group, made of the whole log. */
  group(): { incarnation: number; keyEpoch: number; since: number; inside: ReadonlyArray<Inside> } {
    let group = { incarnation: 0, keyEpoch: 0, since: 0, inside: new Array<Inside>() }
    for (const [index, made] of this.log.entries()) {
      const seq = index + 1
      if (made.what === "reset") {
        group = { incarnation: group.incarnation + 1, keyEpoch: 0, since: seq, inside: [{ ...made.by, n: made.n }] }
      } else if (made.what === "commit") {
        const left = group.inside.filter((one) => !made.removes.some((other) => isSame(one, other)))
        group = { ...group, keyEpoch: group.keyEpoch + 1, since: seq, inside: [...left, ...made.adds] }
      } else if (made.what === "kick") {
        const inside = group.inside.map((one) =>
          one.account === made.account && one.out === undefined ? { ...one, out: seq } : one
        )
        group = { ...group, inside }
      }
    }
    return group
  }

  /** Those that are to be removed before anybody says anything. */
  pending(): ReadonlyArray<Inside> {
    return this.group().inside.filter(
      (one) => one.out !== undefined || !this.members.has(one.account) || this.entryOf(one) !== one.n
    )
  }

  /** The places a device may read, made of the whole log. */
  readable(seat: Seat): ReadonlyArray<number> {
    const places: Array<number> = []
    let isIn = false
    for (const [index, made] of this.log.entries()) {
      const begins = made.what === "reset" && isSame(made.by, seat)
      if (isIn || begins) places.push(index + 1)
      if (made.what === "reset") isIn = begins
      if (made.what === "commit" && made.removes.some((one) => isSame(one, seat))) isIn = false
      if (made.what === "commit" && made.adds.some((one) => isSame(one, seat))) isIn = true
      if (made.what === "kick" && made.account === seat.account) isIn = false
    }
    return places
  }

  /** What is wrong with a wish, as its refusal is called; nothing, and it is made, if nothing is. */
  ask({ adds, by, incarnation, keyEpoch, removes, what, whom }: Wish): string | undefined {
    const { inside, since, ...now } = this.group()
    const n = this.entryOf(by)
    if (what === "kick") {
      if (by.account !== 1) return "NotAllowed"
      if (whom === 1) return "NotAllowed"
      if (!this.members.has(whom)) return "UserNotFound"
      this.log.push({ what, account: whom })
      this.members.delete(whom)
      return undefined
    }
    if (n === undefined) return "DeviceRequired"
    const own = inside.find((one) => isSame(one, by))
    const isIn = own !== undefined && own.out === undefined && own.n === n
    const pending = this.pending()
    const stale = `StaleKeyEpoch ${now.keyEpoch} ${since}`
    if (what === "reset") {
      if (!isIn && pending.length < inside.length) return "NotAllowed"
      if (incarnation !== now.incarnation) return stale
      this.log.push({ what, by, n })
      return undefined
    }
    if (!isIn) return "NotAllowed"
    if (keyEpoch !== now.keyEpoch || incarnation < now.incarnation) return stale
    if (incarnation !== now.incarnation) return "InvalidMessage"
    if (what === "seal") {
      if (pending.length > 0)
        return `StaleKeyEpoch ${now.keyEpoch} ${Math.max(since, ...pending.map(({ out = 0 }) => out))}`
      this.log.push({ what })
      return undefined
    }
    for (const [index, remove] of removes.entries()) {
      const found = inside.find((one) => isSame(one, remove))
      if (found === undefined || isSame(remove, by)) return "InvalidMessage"
      if (removes.findIndex((one) => isSame(one, remove)) < index) return "InvalidMessage"
      if (!pending.some((one) => isSame(one, found)) && remove.account !== by.account) return "NotAllowed"
    }
    const rest = inside.filter((one) => !removes.some((other) => isSame(one, other)))
    for (const [index, add] of adds.entries()) {
      if (!this.members.has(add.account)) return "UserNotFound"
      if (this.entryOf(add) === undefined) return "DeviceNotFound"
      if (rest.some((one) => isSame(one, add)) || adds.findIndex((one) => isSame(one, add)) < index)
        return "InvalidMessage"
    }
    this.log.push({ what, adds: adds.map((one) => ({ ...one, n: this.entryOf(one) ?? 0 })), removes })
    return undefined
  }
}
