/** Attacks by numbers: those who come, go, join, leave and make rooms where many are there to be told. */
import { Array as Arr, Effect } from "effect"
import type { BenchError } from "../Crowd.ts"
import { asideRoom, type Attack, sayAll } from "./Attack.ts"
import { atFullRate, closed, type Field, opened } from "./Field.ts"

const sharedRooms = 20
const sharedRoom = (number: number) => `shared-${number}`

const seedShared = Effect.fnUntraced(function* (field: Field) {
  const [host] = yield* field.gather("crowd", 1)
  if (host === undefined) return
  for (const room of Arr.range(0, sharedRooms - 1).map(sharedRoom)) {
    yield* field.enter([host], room)
    yield* sayAll(host, 1, () => ({ _tag: "RoomMessage", room, content: "here" }))
  }
})

const rejoin: Attack = {
  name: "rejoin",
  summary: `So many clients come back to ${sharedRooms} shared rooms all at once`,
  count: { usual: 5000, quick: 300 },
  isCrowd: true,
  room: sharedRoom(0),
  seed: seedShared,
  run: Effect.fnUntraced(function* (field) {
    yield* field.ordered
    const joins = Arr.range(0, sharedRooms - 1).map((number) => ({ _tag: "JoinRoom", room: sharedRoom(number) }))
    yield* Effect.forEach(
      Arr.range(1, field.orders.count),
      () => {
        const foe = field.dial("hostile")
        return Effect.ignore(
          Effect.andThen(
            opened(foe),
            Effect.sync(() => foe.send({ _tag: "Handshake", user: foe.name }, ...joins))
          )
        )
      },
      { concurrency: 500, discard: true }
    )
    return yield* Effect.never
  })
}

const roomsAtOnce = 100
const returnMillis = 500

/** A Handshake and as many rooms as one may make, in one packet. */
const makeRooms = (field: Field) =>
  Effect.suspend(() => {
    const foe = field.dial("hostile")
    return Effect.as(
      Effect.andThen(
        opened(foe),
        Effect.sync(() => {
          const rooms = Arr.makeBy(roomsAtOnce, () => ({ _tag: "CreateRoom", room: `made-${field.name()}` }))
          foe.send({ _tag: "Handshake", user: foe.name }, ...rooms)
        })
      ),
      foe
    )
  })

const many = { usual: 5000, quick: 500 }

const roomCreated: Attack = {
  name: "room-created",
  summary: `With so many connected, each sends Handshake and ${roomsAtOnce} CreateRoom in one packet, once`,
  count: many,
  room: asideRoom,
  run: Effect.fnUntraced(function* (field) {
    yield* field.gather("crowd", field.orders.count)
    yield* field.ordered
    yield* Effect.forEach(Arr.range(1, field.orders.k), () => Effect.ignore(makeRooms(field)), {
      concurrency: "unbounded",
      discard: true
    })
    return yield* Effect.never
  })
}

/** So many of these go on side by side, for ever. */
const forever = <A>(field: Field, once: Effect.Effect<A, BenchError>) =>
  Effect.forEach(Arr.range(1, field.orders.k), () => Effect.forever(Effect.ignore(once)), {
    concurrency: "unbounded",
    discard: true
  })

/** First so many come, then these attack. */
const gathered = (field: Field, attack: Effect.Effect<void>) =>
  field.gather("crowd", field.orders.count).pipe(Effect.andThen(field.ordered), Effect.andThen(attack))

const roomCreatedReturn: Attack = {
  ...roomCreated,
  name: "room-created-return",
  summary: `The same by those who go and come back every ${returnMillis} ms`,
  run: (field) =>
    gathered(
      field,
      forever(
        field,
        Effect.flatMap(makeRooms(field), (foe) =>
          Effect.andThen(
            Effect.sleep(returnMillis),
            Effect.sync(() => {
              foe.leave()
              field.retire(foe)
            })
          )
        )
      )
    )
}

const presence: Attack = {
  name: "presence",
  summary: "Connections that come and go as fast as they can, while so many are connected",
  count: { usual: 900, quick: 300 },
  run: (field) =>
    gathered(
      field,
      forever(
        field,
        Effect.flatMap(field.recruit("hostile"), (foe) =>
          Effect.sync(() => {
            foe.leave()
            field.retire(foe)
          })
        )
      )
    )
}

const crowded = "crowded"

const joins: Attack = {
  name: "joins",
  summary: "Joining and leaving a room with so many members, at the full rate",
  count: { usual: 900, quick: 300 },
  room: crowded,
  run: Effect.fnUntraced(function* (field) {
    yield* field.enter(yield* field.gather("crowd", field.orders.count), crowded)
    yield* field.ordered
    yield* field.each((foe) =>
      atFullRate(foe, (index) => ({ _tag: index % 2 === 0 ? "JoinRoom" : "LeaveRoom", room: crowded }))
    )
  })
}

const stayMillis = 2000

const announcements: Attack = {
  name: "announcements",
  summary: "Rooms made and lists of rooms and users asked for at once, while so many are connected",
  count: { usual: 2000, quick: 300 },
  room: asideRoom,
  run: (field) =>
    gathered(
      field,
      forever(
        field,
        Effect.flatMap(makeRooms(field), (foe) =>
          atFullRate(foe, (index) => ({ _tag: index % 2 === 0 ? "ListRooms" : "ListUsers" })).pipe(
            Effect.raceFirst(closed(foe)),
            Effect.timeoutOption(stayMillis),
            Effect.ensuring(
              Effect.sync(() => {
                if (!foe.isClosed) foe.leave()
                field.retire(foe)
              })
            )
          )
        )
      )
    )
}

const perAddress = 100
const comeBackMillis = 100

const addresses: Attack = {
  name: "addresses",
  summary: `So many connections, ${perAddress} from each address, that say nothing and come back when they are closed`,
  count: { usual: 5000, quick: 500 },
  isCrowd: true,
  // As they are for the addresses of others. The honest ones are under them, too.
  settings: () => ({
    MAX_CONNECTIONS_PER_ADDRESS: "100",
    MAX_HANDSHAKES_PER_ADDRESS: "20",
    CONNECTION_RATE: "10",
    CONNECTION_BURST: "50"
  }),
  probes: ["ping", "message"],
  run: Effect.fnUntraced(function* (field) {
    yield* field.ordered
    const once = (index: number) =>
      Effect.suspend(() => {
        const foe = field.dial("hostile", { localAddress: `127.0.1.${1 + Math.floor(index / perAddress)}` })
        return closed(foe).pipe(
          Effect.andThen(Effect.sync(() => field.retire(foe))),
          Effect.andThen(Effect.sleep(comeBackMillis))
        )
      })
    yield* Effect.forEach(Arr.range(0, field.orders.count - 1), (index) => Effect.forever(once(index)), {
      concurrency: "unbounded",
      discard: true
    })
  })
}

export const crowdAttacks: ReadonlyArray<Attack> = [
  rejoin,
  roomCreated,
  roomCreatedReturn,
  presence,
  joins,
  announcements,
  addresses
]
