/** Attacks by what is asked for: old messages, lists and catching up, read as fast as they come, slowly, or not at all. */
import { Array as Arr, Effect, Schema } from "effect"
import { BenchError } from "../Crowd.ts"
import { atRate } from "../Route.ts"
import { asideRoom, type Attack, longEmoji, sayAll } from "./Attack.ts"
import { atFullRate, type Field, opened } from "./Field.ts"
import type { Foe } from "./Foe.ts"

const longMessages = 500

/** As many of the longest messages as one page may hold, in the lobby. */
const seedLobby = Effect.fnUntraced(function* (field: Field) {
  const writers = yield* field.gather("crowd", 2)
  yield* Effect.forEach(
    writers,
    (writer) => sayAll(writer, longMessages / 2, () => ({ _tag: "GlobalMessage", content: longEmoji })),
    { concurrency: "unbounded", discard: true }
  )
})

const page = { _tag: "GetHistory", limit: 500 }

const history: Attack = {
  name: "history",
  summary: `${longMessages} messages of 8191 emoji in the lobby, asked for 500 at a time at the full rate`,
  seed: seedLobby,
  run: (field) =>
    Effect.andThen(
      field.ordered,
      field.each((foe) => atFullRate(foe, () => page))
    )
}

const historyUnread: Attack = {
  ...history,
  name: "history-unread",
  summary: "The same, by those who read nothing of it",
  run: (field) =>
    Effect.andThen(
      field.ordered,
      field.each((foe) => atFullRate(foe, () => page), { pace: 0 })
    )
}

const digits = "零一二三四五六七八九"

/** The longest names there are, in letters of three bytes. */
const roomName = (number: number) =>
  [...String(number)]
    .map((digit) => digits[Number(digit)] ?? "")
    .join("")
    .padStart(64, "房")

const makers = 10

/** Rooms that stay, since something was written in them. */
const seedRooms = Effect.fnUntraced(function* (field: Field) {
  const foes = yield* field.gather("crowd", makers)
  const share = Math.ceil(field.orders.count / makers)
  yield* Effect.forEach(
    foes,
    Effect.fnUntraced(function* (foe, maker) {
      for (const some of Arr.chunksOf(Arr.range(maker * share, maker * share + share - 1), 32)) {
        const rooms = some.map(roomName)
        for (const room of rooms) {
          foe.send(
            { _tag: "CreateRoom", room },
            { _tag: "JoinRoom", room },
            { _tag: "RoomMessage", room, content: "here" }
          )
        }
        yield* Effect.forEach(rooms, (room) => foe.ask({ _tag: "LeaveRoom", room }), { discard: true })
      }
    }),
    { concurrency: "unbounded", discard: true }
  )
})

const rooms: Attack = {
  name: "rooms",
  summary: "So many rooms with names of 64 CJK letters, listed at the full rate",
  count: { usual: 9990, quick: 1000 },
  seed: seedRooms,
  run: (field) =>
    Effect.andThen(
      field.ordered,
      field.each((foe) => atFullRate(foe, () => ({ _tag: "ListRooms" })))
    )
}

const users: Attack = {
  name: "users",
  summary: "So many connected users, listed at the full rate",
  count: { usual: 5000, quick: 500 },
  room: asideRoom,
  run: (field) =>
    field
      .gather("crowd", field.orders.count)
      .pipe(
        Effect.andThen(field.ordered),
        Effect.andThen(field.each((foe) => atFullRate(foe, () => ({ _tag: "ListUsers" }))))
      )
}

const catchUpRooms = 20
const missed = 1000
const missedBytes = 500
const missedRoom = (number: number) => `missed-${number}`

const seedMissed = (content: string, messages: number, roomCount: number) =>
  Effect.fnUntraced(function* (field: Field) {
    const writers = yield* field.gather("crowd", roomCount)
    yield* Effect.forEach(
      writers,
      Effect.fnUntraced(function* (writer, number) {
        const room = missedRoom(number)
        yield* field.enter([writer], room)
        yield* sayAll(writer, messages, () => ({ _tag: "RoomMessage", room, content }))
      }),
      { concurrency: 5, discard: true }
    )
  })

const Joined = Schema.fromJsonString(Schema.Struct({ epoch: Schema.String, seq: Schema.Int }))
const Welcomed = Schema.fromJsonString(Schema.Struct({ lobby: Schema.Struct({ epoch: Schema.String }) }))

const unreadable = (line: string) => () => new BenchError({ message: `This is not what was expected: ${line}` })

/** The cursor of somebody who has seen nothing of these rooms. */
const cursors = Effect.fnUntraced(function* (field: Field, roomCount: number) {
  const scout = yield* field.recruit("crowd")
  const all = yield* Effect.forEach(
    Arr.range(0, roomCount - 1),
    Effect.fnUntraced(function* (number) {
      const line = yield* scout.ask({ _tag: "JoinRoom", room: missedRoom(number) })
      const { epoch } = yield* Effect.mapError(Schema.decodeEffect(Joined)(line), unreadable(line))
      return { _tag: "JoinRoom", room: missedRoom(number), after: { epoch, seq: 0 } }
    })
  )
  scout.leave()
  field.retire(scout)
  return all
})

const slowReader: Attack = {
  name: "slow-reader",
  summary: `Honest ones come back to ${catchUpRooms} rooms, ${missed} messages of ${missedBytes} bytes missed in each, at 2 MB/s: none may be cut`,
  isHonest: true,
  patienceSeconds: 40,
  seed: seedMissed("m".repeat(missedBytes), missed, catchUpRooms),
  run: Effect.fnUntraced(function* (field) {
    const joins = yield* cursors(field, catchUpRooms)
    const expected = catchUpRooms * missed * missedBytes
    yield* field.ordered
    yield* field.each((foe) => comeBack(field, foe, joins, expected), { pace: 2_000_000 })
  })
}

/** Asks for everything missed, in a pipeline, and reads until it has come; then it is there, and stays. */
const comeBack = (field: Field, foe: Foe, joins: ReadonlyArray<object>, expected: number) =>
  Effect.suspend(() => {
    foe.onBytes = () => {
      if (foe.bytesIn < expected) return
      foe.onBytes = () => {}
      field.done += 1 / field.orders.k
    }
    foe.send(...joins)
    // A stopped reader notices only by writing that it was cut.
    return atRate(Number.MAX_SAFE_INTEGER, 1, () => foe.send({ _tag: "Ping", nonce: 1 }))
  })

/** What one connection can make the server hold that asks and then stops reading. */
const stopped = (
  own: Pick<Attack, "count" | "seed"> & { readonly name: string; readonly what: string },
  asks: (field: Field) => Effect.Effect<(foe: Foe) => ReadonlyArray<object>, BenchError>
): Attack => ({
  name: `stopped-${own.name}`,
  summary: `${own.what}, asked for once as often as a burst allows, by those who read nothing`,
  ...(own.count !== undefined && { count: own.count }),
  ...(own.seed !== undefined && { seed: own.seed }),
  run: Effect.fnUntraced(function* (field) {
    const messagesOf = yield* asks(field)
    yield* field.ordered
    yield* Effect.forEach(
      Arr.range(1, field.orders.k),
      () => {
        const foe = field.dial("hostile", { pace: 0 })
        return Effect.andThen(
          opened(foe),
          Effect.sync(() => foe.send(...messagesOf(foe)))
        )
      },
      { concurrency: 10, discard: true }
    )
    return yield* Effect.never
  })
})

const asked = 100
const after = (message: object) => (field: Field) =>
  Effect.succeed((foe: Foe) => [
    { _tag: "Handshake", user: foe.name },
    ...Arr.makeBy(asked, () => ({ ...message, id: field.name() }))
  ])

const stoppedHistory = stopped({ name: "history", what: "Pages of 500 long messages", seed: seedLobby }, after(page))

const stoppedSearch = stopped(
  {
    name: "search",
    what: "Search results of 500 long messages",
    seed: Effect.fnUntraced(function* (field: Field) {
      const [writer] = yield* field.gather("crowd", 1)
      if (writer === undefined) return
      const content = `findme ${"x".repeat(8000)}`
      yield* sayAll(writer, longMessages, () => ({ _tag: "GlobalMessage", content }))
      for (let looks = 0; looks < 100; looks++) {
        const line = yield* writer.ask({ _tag: "Search", query: "findme", limit: longMessages })
        if (line.length > longMessages * 8000 || line.includes('"more":true')) return
        yield* Effect.sleep(100)
      }
    })
  },
  after({ _tag: "Search", query: "findme", limit: longMessages })
)

const stoppedRooms = stopped(
  { name: "rooms", what: "Lists of many rooms", count: { usual: 9990, quick: 1000 }, seed: seedRooms },
  after({ _tag: "ListRooms" })
)

const stoppedHandshake = stopped(
  { name: "handshake", what: "The lobby's long messages since the first, in the Handshake", seed: seedLobby },
  Effect.fnUntraced(function* (field: Field) {
    const scout = field.dial("crowd")
    const line = yield* scout.line('"_tag":"Welcome"', () => scout.send({ _tag: "Handshake", user: scout.name }))
    const { lobby } = yield* Effect.mapError(Schema.decodeEffect(Welcomed)(line), unreadable(line))
    scout.leave()
    return (foe: Foe) => [
      { _tag: "Handshake", user: foe.name, after: { lobby: { epoch: lobby.epoch, seq: 0 } } },
      ...Arr.makeBy(10, () => page)
    ]
  })
)

const joinRooms = 5
const stoppedJoin = stopped(
  {
    name: "join",
    what: `${joinRooms} rooms with 200 long messages each, joined with a cursor`,
    seed: seedMissed(longEmoji, 200, joinRooms)
  },
  (field) =>
    Effect.map(cursors(field, joinRooms), (joins) => (foe: Foe) => [{ _tag: "Handshake", user: foe.name }, ...joins])
)

export const readingAttacks: ReadonlyArray<Attack> = [
  history,
  historyUnread,
  rooms,
  users,
  stoppedHistory,
  stoppedSearch,
  stoppedHandshake,
  stoppedJoin,
  stoppedRooms,
  slowReader
]
