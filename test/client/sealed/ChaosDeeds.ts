/** What happens in a chaos, each so often; the run picks which next, from its seed. */
import { Effect, Exit } from "effect"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { MessageKey } from "../../../src/common/wire/RequestId.ts"
import type { Seat, World } from "./ChaosWorld.ts"
import { type Device, isIn, until, vault } from "./Devices.ts"

export interface Deed {
  readonly name: string
  /** How often, of all that are done. */
  readonly weight: number
  readonly act: (seat: Seat, device: Device) => Effect.Effect<void>
}

/** How many devices an account may lose in one run: the server knows 32 of each. */
const mostReplaced = 4

export const makeDeeds = (world: World) => {
  const { chance, comeIn, inBackground, kill, newSeat, retired, seats, server, speak, start } = world
  let keys = 0
  const newKey = () => MessageKey.make(`a key of the chaos ${++keys}`)
  const pause = (low: number, high: number) => Effect.suspend(() => Effect.sleep(chance.between(low, high)))
  const briefly = <A, E>(effect: Effect.Effect<A, E>) => Effect.ignore(Effect.timeout(effect, 3000))
  const otherOf = (seat: Seat) => seats.find((one) => one !== seat && one.home.user === seat.home.user)
  const owner = seats[0]?.home.user
  const ownersDevice = () => seats.find(({ device, home }) => home.user === owner && device !== undefined)?.device
  const isOwners = ({ home }: Seat) => home.user === owner

  const areIn = (some: ReadonlyArray<Seat>) =>
    Effect.map(
      Effect.forEach(some, ({ device }) => (device === undefined ? Effect.succeed(false) : isIn(device))),
      (all) => all.every((one) => one)
    )

  const leave = ({ client }: Device) => briefly(client.request({ _tag: "LeaveRoom", room: vault }))

  const rekey = (seat: Seat) =>
    Effect.suspend(() => {
      if (seat.device === undefined) return Effect.void
      seat.hasRekeyed = true
      return briefly(seat.device.rooms.rekey(vault))
    })

  /** Somebody is put out by the owner, wherever its devices are. */
  const putOut = ({ home }: Seat, isForGood: boolean) =>
    Effect.gen(function* () {
      const device = ownersDevice()
      if (device === undefined || home.user === owner) return
      const about = { room: vault, user: home.user }
      yield* device.client.request({ _tag: isForGood ? "Ban" : "Kick", ...about, key: newKey() })
      if (!isForGood) return
      yield* pause(0, 200)
      yield* ownersDevice()?.client.request({ _tag: "Unban", ...about, key: newKey() }) ?? Effect.void
    })

  const signIn = Effect.fnUntraced(function* (device: Device, fresh: Seat) {
    if (fresh.device === undefined) return
    const refused = yield* Effect.flip(fresh.device.rooms.ready)
    fresh.id = DeviceId.make(refused.device)
    const code = yield* device.rooms.signIn(fresh.id)
    yield* fresh.device.rooms.link(code)
  })

  /** The account's other device is signed out, stays for a while, and another one takes its place. */
  const replace = Effect.fnUntraced(function* (seat: Seat, device: Device) {
    const replaced = retired.filter(({ home }) => home.user === seat.home.user).length
    if (replaced >= mostReplaced) return
    const other = otherOf(seat)
    if (other?.id !== undefined) {
      yield* briefly(device.rooms.signOut(other.id))
      retired.push(other)
      seats.splice(seats.indexOf(other), 1)
      yield* inBackground(Effect.andThen(pause(0, 300), kill(other)))
    }
    const fresh = yield* newSeat(seat.home.user, `device ${replaced + 3}`)
    yield* start(fresh)
    const joining = signIn(device, fresh).pipe(Effect.timeout(5000), Effect.exit)
    // Otherwise it came to nothing in the trouble of the day, or only this device does not know yet.
    const isIn = Exit.isSuccess(yield* joining)
    ;(isIn ? seats : retired).push(fresh)
    yield* isIn ? comeIn(fresh) : kill(fresh)
  })

  const deeds: ReadonlyArray<Deed> = [
    { name: "say", weight: 44, act: (seat) => inBackground(speak(seat)) },
    {
      name: "say at once",
      weight: 6,
      act: (seat) => inBackground(Effect.forEach([1, 2, 3, 4, 5], () => speak(seat), { concurrency: 5, discard: true }))
    },
    { name: "cut", weight: 7, act: (seat) => Effect.sync(seat.door.cut) },
    {
      name: "lose all, then cut",
      weight: 4,
      act: ({ door }) =>
        Effect.andThen(Effect.sync(door.lose), inBackground(Effect.andThen(pause(10, 300), Effect.sync(door.cut))))
    },
    {
      name: "crash",
      weight: 12,
      act: Effect.fnUntraced(function* (seat) {
        yield* inBackground(speak(seat))
        yield* pause(0, 6)
        yield* kill(seat)
        if (chance.is(0.7)) yield* start(seat)
      })
    },
    { name: "rekey", weight: 2, act: (seat) => rekey(seat) },
    {
      name: "rekey by two",
      weight: 1,
      act: (seat) =>
        Effect.suspend(() => {
          const other = chance.pick(seats as [Seat, ...Array<Seat>])
          return Effect.all([rekey(seat), rekey(other)], { concurrency: 2, discard: true })
        })
    },
    {
      name: "leave",
      weight: 3,
      act: (seat, device) => (isOwners(seat) ? Effect.void : Effect.andThen(leave(device), pause(0, 100)))
    },
    {
      name: "leave and be back while the other is away",
      weight: 2,
      act: Effect.fnUntraced(function* (seat, device) {
        const other = otherOf(seat)
        if (isOwners(seat) || other === undefined) return
        yield* kill(other)
        yield* leave(device)
        yield* pause(0, 150)
        yield* comeIn(seat)
      })
    },
    { name: "kick", weight: 2, act: (seat) => briefly(putOut(seat, false)) },
    { name: "ban", weight: 2, act: (seat) => inBackground(briefly(putOut(seat, true))) },
    { name: "replace a device", weight: 2, act: replace },
    {
      name: "kill the server",
      weight: 1,
      act: () => (server.isUp.isOpen() ? inBackground(server.restart(chance.between(0, 400))) : Effect.void)
    },
    {
      name: "weather",
      weight: 4,
      act: () =>
        Effect.sync(() => {
          const [slow, lossy] = [chance.pick([0, 0, 5, 40]), chance.pick([0, 0, 0.05, 0.3])]
          server.wire.setTrouble({ delay: () => chance.next() * slow, losesNews: () => chance.is(lossy) })
        })
    },
    { name: "pause", weight: 6, act: () => pause(0, 60) }
  ]
  const all = deeds.reduce((sum, { weight }) => sum + weight, 0)

  const next = (): Deed => {
    let left = chance.next() * all
    for (const deed of deeds) {
      left -= deed.weight
      if (left < 0) return deed
    }
    return deeds[0] as Deed
  }

  const once = {
    /** So many messages are said while one device is away. */
    miss: (messages: number) => ({
      name: "miss many",
      act: Effect.gen(function* () {
        const away = seats.findLast((seat) => !isOwners(seat)) ?? seats[0]
        if (away === undefined) return
        const speakers = seats.slice(0, 3).filter((seat) => seat !== away)
        for (const seat of speakers) yield* start(seat)
        yield* Effect.ignore(until("they are in", areIn([...speakers, away])))
        yield* kill(away)
        const share = Array.from({ length: Math.ceil(messages / speakers.length) })
        yield* Effect.forEach(speakers, (seat) => Effect.forEach(share, () => speak(seat), { discard: true }), {
          concurrency: 3,
          discard: true
        })
        yield* start(away)
      })
    }),
    restart: {
      name: "kill the server",
      act: Effect.suspend(() => (server.isUp.isOpen() ? inBackground(server.restart(100)) : Effect.void))
    }
  }

  /** Nobody is banned, and of each account those devices are in the list that have a seat. */
  const tidy = Effect.gen(function* () {
    const device = ownersDevice()
    if (device === undefined) return
    for (const user of new Set(seats.map(({ home }) => home.user))) {
      if (user !== owner) {
        yield* briefly(device.client.request({ _tag: "Unban", room: vault, user, key: newKey() }))
      }
      const signer = seats.find((seat) => seat.home.user === user)
      const { entries } = yield* device.client.quietly({ _tag: "GetDevices", user })
      const listed = new Set<string>()
      for (const { device: one, op } of entries) {
        if (op === "add") listed.add(one)
        else listed.delete(one)
      }
      for (const { device: one } of entries) {
        if (!listed.delete(one) || seats.some(({ id }) => id === one)) continue
        yield* signer?.device?.rooms.signOut(one) ?? Effect.void
      }
    }
  })

  return { next, once, tidy }
}
