/**
 * What survives the server of its accounts: their devices and tokens, the rooms they are in and what they have read, beside the
 * logs on the disk; and the stores of each life of a server, which are slow, fail and lie as the disk's do.
 *
 * What is committed is kept by the layers in memory, over the logs as they are on the disk. An act is carried out at one
 * instant: a crash before it, and nothing was done; a crash behind it, and it was, although nobody is told.
 */
import { Context, Effect, Layer, Redacted, Result, type Scope } from "effect"
import { conversationKey, type Inbox } from "../../src/common/log/Conversation.ts"
import { nameKey } from "../../src/common/name/Name.ts"
import type { RoomName } from "../../src/common/name/RoomName.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import type { SecretHash } from "../../src/server/accounts/Account.ts"
import { Accounts } from "../../src/server/accounts/Accounts.ts"
import { type Member, Memberships, type ReadPlace } from "../../src/server/accounts/Memberships.ts"
import { hashOf } from "../../src/server/accounts/Secrets.ts"
import { Governances } from "../../src/server/history/Governances.ts"
import { History, StorageUnavailable } from "../../src/server/history/History.ts"
import { type Partner, partnerOf } from "../../src/server/history/Partner.ts"
import * as MemoryAccounts from "../../src/server/store/MemoryAccounts.ts"
import * as MemoryGovernances from "../../src/server/store/MemoryGovernances.ts"
import * as MemoryMemberships from "../../src/server/store/MemoryMemberships.ts"
import type { Chance } from "./Chance.ts"
import type { Disk } from "./Disk.ts"
import type { Journal } from "./Journal.ts"

/** An account, and how many devices it has at first. */
export interface Owner {
  readonly user: UserName
  readonly devices: number
}

export interface MountedSafe {
  readonly accounts: Accounts["Service"]
  readonly governances: Governances["Service"]
  readonly memberships: Memberships["Service"]
  /** The server is no more. */
  readonly crash: () => void
}

/** What a device has at first. */
export const firstToken = (label: string): Redacted.Redacted => Redacted.make(`the first token of ${label}`)
export const labelOf = (user: UserName, device: number): string => `${user}/${device}`

export class Safe {
  readonly #chance: Chance
  readonly #disk: Disk
  readonly #journal: Journal
  readonly #accounts: Accounts["Service"]
  readonly #governances: Governances["Service"]
  readonly #memberships: Memberships["Service"]
  /** By the keys of their names. */
  readonly #members: ReadonlyMap<string, Member>

  constructor(
    chance: Chance,
    disk: Disk,
    journal: Journal,
    kept: Pick<MountedSafe, "accounts" | "governances" | "memberships">,
    members: ReadonlyArray<Member>
  ) {
    this.#chance = chance
    this.#disk = disk
    this.#journal = journal
    this.#accounts = kept.accounts
    this.#governances = kept.governances
    this.#memberships = kept.memberships
    this.#members = new Map(members.map((member) => [nameKey(member.user), member]))
  }

  memberNamed(user: string): Member | undefined {
    return this.#members.get(nameKey(user))
  }

  inboxOf(user: string): Inbox | undefined {
    const member = this.memberNamed(user)
    return member && { _tag: "Inbox", ...member }
  }

  /** The key of an account's log. */
  inboxKey(user: string): string | undefined {
    const inbox = this.inboxOf(user)
    return inbox && conversationKey(inbox)
  }

  partnerNamed(user: UserName): Partner {
    return partnerOf(this.memberNamed(user) ?? { user })
  }

  /** Whether an account is a member of a room, as far as that is committed. */
  isMember({ account }: Member, room: RoomName): Effect.Effect<boolean> {
    return Effect.map(Effect.orDie(this.#memberships.rooms(account)), (rooms) =>
      rooms.some((one) => nameKey(one) === nameKey(room))
    )
  }

  /** Where a mark stands, as far as that is committed. */
  markOf({ account }: Member, place: ReadPlace): Effect.Effect<number> {
    return Effect.orDie(this.#memberships.mark(account, place, 0))
  }

  /** The stores of a server that starts now. */
  mount(): MountedSafe {
    let isAlive = true
    const accounts = this.#accounts
    const governances = this.#governances
    const memberships = this.#memberships
    const { health } = this.#disk
    const wait = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> => {
      const millis = health.slowness === 0 ? 0 : this.#chance.between(0, health.slowness)
      return millis === 0 ? effect : Effect.delay(effect, millis)
    }
    const unlessDead = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => (isAlive ? effect : Effect.never))
    const fail = (what: string) => {
      this.#disk.failures++
      this.#journal.note(`the safe failed and ${what}`)
      return Effect.fail(new StorageUnavailable({ cause: new Error("The simulated safe failed.") }))
    }
    /** Carried out in the middle of its time. */
    const kept = <A>(what: string, effect: Effect.Effect<A, StorageUnavailable>) =>
      Effect.suspend(() => {
        const failing = this.#chance.is(health.failing)
        const lying = this.#chance.is(health.lying)
        const done = Effect.tap(effect, (answer) =>
          Effect.sync(() => this.#journal.note(`safe ${what}`, typeof answer === "object" ? undefined : { answer }))
        )
        const act: Effect.Effect<A, StorageUnavailable> = Effect.suspend(() =>
          failing
            ? fail(`did nothing of ${what}`)
            : Effect.flatMap(done, (answer) => wait(unlessDead(lying ? fail(`did ${what}`) : Effect.succeed(answer))))
        )
        return wait(unlessDead(act))
      }).pipe(unlessDead)

    return {
      crash: () => {
        isAlive = false
      },
      accounts: Accounts.of({
        ...accounts,
        find: (user) => kept("find", accounts.find(user)),
        get: (account) => kept("get", accounts.get(account)),
        useToken: (user, ...given) => kept(`useToken of ${user}`, accounts.useToken(user, ...given)),
        devices: (account) => kept("devices", accounts.devices(account)),
        seen: (account, ...given) => kept("seen", accounts.seen(account, ...given))
      }),
      governances: Governances.of({
        ...governances,
        put: (conversation, governance) =>
          kept(`governance of ${conversationKey(conversation)}`, governances.put(conversation, governance)),
        forget: (room) => kept(`no governance of ${room}`, governances.forget(room)),
        lookAgain: (conversation) =>
          kept(`look at ${conversationKey(conversation)}`, governances.lookAgain(conversation))
      }),
      memberships: Memberships.of({
        rooms: (account) => kept("rooms", memberships.rooms(account)),
        // Who starts waits for no time to pass.
        inhabited: memberships.inhabited,
        members: (room) => kept("members", memberships.members(room)),
        join: (member, room, newest) => kept(`join ${member.user} ${room}`, memberships.join(member, room, newest)),
        leave: (account, room) => kept(`leave ${account} ${room}`, memberships.leave(account, room)),
        forget: (room) => kept(`forget ${room}`, memberships.forget(room)),
        mark: (account, place, seq) =>
          kept(`mark ${account} ${nameOf(place)} ${seq}`, memberships.mark(account, place, seq)),
        standing: (member) => kept("standing", memberships.standing(member))
      })
    }
  }
}

const nameOf = (place: ReadPlace): string => (place._tag === "With" ? `with ${place.user}` : conversationKey(place))

/** The logs as they are on the disk, for who only reads. */
const committed = (disk: Disk): History["Service"] => {
  const never = Effect.die(new Error("What is committed is only read."))
  return History.of({
    append: () => never,
    read: (conversation, range, maxBytes) => Effect.sync(() => disk.page(conversation, range, maxBytes)),
    standing: (conversation, range, maxBytes) => Effect.sync(() => disk.standing(conversation, range, maxBytes)),
    facts: (conversation, question) => Effect.sync(() => disk.facts(conversation, question)),
    newest: (conversation) =>
      Effect.sync(() => {
        const key = conversationKey(conversation)
        return { epoch: disk.epochOf(key), seq: disk.newest(key) }
      }),
    search: () => never,
    forgetUnsafe: () => false,
    erase: () => never,
    rooms: [],
    emptied: disk.nothingEmptied
  })
}

/** With these accounts, their devices, and nobody's password. */
export const make = Effect.fnUntraced(function* (
  chance: Chance,
  disk: Disk,
  journal: Journal,
  owners: ReadonlyArray<Owner>
): Effect.fn.Return<Safe, never, Scope.Scope> {
  const layer = MemoryMemberships.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        Layer.succeed(History, committed(disk)),
        Layer.fresh(MemoryAccounts.layer),
        Layer.fresh(MemoryGovernances.layer)
      )
    )
  )
  const context = yield* Layer.build(layer)
  const accounts = Context.get(context, Accounts)
  const members: Array<Member> = []
  for (const { devices, user } of owners) {
    const none = { password: undefined, reset: undefined, isAdmin: false, at: 0, invite: undefined }
    const created = yield* Effect.orDie(accounts.create({ user, ...none, device: undefined }))
    if (Result.isFailure(created)) continue
    const { id } = created.success.account
    members.push({ account: id, user })
    for (let number = 1; number <= devices; number++) {
      const label = labelOf(user, number)
      const token: SecretHash = hashOf(firstToken(label))
      yield* Effect.orDie(accounts.addDevice(id, { name: label, token }, 0))
    }
  }
  const governances = Context.get(context, Governances)
  return new Safe(
    chance,
    disk,
    journal,
    { accounts, governances, memberships: Context.get(context, Memberships) },
    members
  )
})
