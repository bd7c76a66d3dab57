/**
 * A play of governed rooms: the people on their connections to the real server, and beside it all that has happened. Whatever is
 * asked is compared with what follows from that: replies, what others were told, and what is there at the end and after a restart.
 */
import { isDeepStrictEqual } from "node:util"
import { Effect } from "effect"
import * as Facts from "./GovernedFacts.ts"
import { comparable, isTold, plain, welcomed, welcomeFor } from "./GovernedLines.ts"
import { eye, rooms, seats } from "./GovernedPeople.ts"
import { type Act, requestOf, waits } from "./GovernedProgram.ts"
import { moderationOf, type Outcome, outcomeOf, type Request, roomsFor } from "./GovernedRules.ts"
import { beginning, makeWorld, type Seated } from "./GovernedWorld.ts"

export interface Present extends Seated {
  readonly who: Facts.Who
  /** What it should have been told, and not been asked for yet. */
  told: ReadonlyArray<object>
}

/** Enough for any connection's end to be heard of everywhere; each is a request and its reply. */
const maxLooks = 500

const watcher: Facts.Who = { user: eye, isAccount: true, address: "", connection: -1 }

/** Who may be there from the start: the second device comes later. */
const firstSeats = [0, 1, 2, 3, 4, 5, 6, 7]

export const begin = Effect.fnUntraced(function* () {
  let now = beginning
  let facts: Facts.Facts = []
  let connections = 0
  const wrong: Array<string> = []
  const present = new Map<number, Present>()
  const world = yield* makeWorld(() => now)

  const expect = (what: string, actual: unknown, expected: unknown) => {
    const [one, other] = [plain(actual), plain(expected)]
    if (!isDeepStrictEqual(one, other)) {
      wrong.push(`${what}\n  was      ${JSON.stringify(one)}\n  expected ${JSON.stringify(other)}`)
    }
  }

  const sit = Effect.fnUntraced(function* (number: number) {
    const seat = seats[number]
    if (seat === undefined || present.has(number)) return
    const seated = yield* world.sit(number)
    const who = { ...seat, connection: ++connections }
    present.set(number, { ...seated, who, told: [] })
    facts = [...facts, { is: "Came", who }]
    if (seat.isAccount) expect(`${seat.user} is welcomed`, welcomed(seated.welcome), welcomeFor(facts, who))
  })

  /** All that somebody was told since the last time. */
  const hear = Effect.fnUntraced(function* (one: Present) {
    const lines = (yield* one.client.soFar).filter(isTold)
    for (const room of rooms) {
      for (const isInvitation of [true, false]) {
        const about = (line: object) =>
          Reflect.get(line, "room") === room && (Reflect.get(line, "_tag") === "Invitation") === isInvitation
        expect(`${one.who.user} hears of ${room}`, lines.filter(about), one.told.filter(about))
      }
    }
    one.told = []
  })

  const hearAll = Effect.suspend(() => Effect.forEach([...present.values()], hear, { discard: true }))

  const lookAt = (room: string) => Effect.map(world.eye().ask({ _tag: "ListRoomUsers", room }), (line) => plain(line))

  /** Until everybody has heard that a connection is gone, or a room; the rest of the program would find out if not. */
  const settle = Effect.gen(function* () {
    for (const room of rooms) {
      const expected = plain(outcomeOf(facts, watcher, { _tag: "ListRoomUsers", room }, now).reply)
      let looks = 0
      let found = yield* lookAt(room)
      while (!isDeepStrictEqual(found, expected) && ++looks < maxLooks) found = yield* lookAt(room)
      expect(`who is in ${room}`, found, expected)
    }
    const users = [...new Set([eye, ...Facts.here(facts).map(({ user }) => user)])].toSorted()
    let looks = 0
    let found = (yield* world.eye().ask({ _tag: "ListUsers" }))["users"]
    while (!isDeepStrictEqual(found, users) && ++looks < maxLooks) {
      found = (yield* world.eye().ask({ _tag: "ListUsers" }))["users"]
    }
    expect("who is here", found, users)
  })

  /** From now on it is so, and those who are told of it have been. */
  const happen = (outcome: Outcome) => {
    facts = [...facts, ...outcome.facts]
    for (const other of present.values()) {
      const lines = outcome.told.flatMap(({ line, to }) => (to === other.who.connection ? [line] : []))
      other.told = [...other.told, ...lines]
    }
  }

  const ask = Effect.fnUntraced(function* (one: Present, request: Request) {
    const outcome = outcomeOf(facts, one.who, request, now)
    const reply = yield* one.client.ask(request)
    expect(`${one.who.user} asks ${JSON.stringify(request)}`, comparable(reply, outcome.reply), outcome.reply)
    const before = rooms.filter((room) => Facts.since(facts, room) !== undefined)
    happen(outcome)
    const isOver = before.some((room) => Facts.since(facts, room) === undefined)
    if (isOver && wrong.length === 0) yield* settle
  })

  const restart = Effect.gen(function* () {
    yield* hearAll
    const before = [...present.keys()]
    present.clear()
    yield* world.restart
    facts = [...facts, { is: "Restarted" }]
    yield* Effect.forEach(before, sit, { discard: true })
  })

  const whoDoes = (act: Act, request: Request | undefined): Present | undefined => {
    const meant = present.get(act.seat)
    if (!act.isApt || request === undefined) return meant
    const order = seats.map((_, index) => present.get((act.seat + index) % seats.length))
    const apt = order.find((one) => one !== undefined && !("reason" in outcomeOf(facts, one.who, request, now).reply))
    return apt ?? meant
  }

  const perform = Effect.fnUntraced(function* (act: Act, words: string) {
    const request = requestOf(act, words)
    const one = whoDoes(act, request)
    if (act.does === "Wait") now += (waits[act.way] ?? 1) * 1000
    if (act.does === "Restart") return yield* restart
    if (act.does === "Connect") return yield* sit(act.seat)
    if (one === undefined) return
    if (act.does === "ListRooms") {
      const list = yield* one.client.ask({ _tag: "ListRooms" })
      expect(`${one.who.user} lists rooms`, list, roomsFor(facts, rooms, one.who, now))
    }
    if (act.does === "Disconnect") {
      yield* hear(one)
      yield* one.client.ask({ _tag: "Disconnect" })
      yield* one.client.closed
      present.delete(act.seat)
      facts = [...facts, { is: "Went", who: one.who }]
      return yield* settle
    }
    if (request !== undefined) yield* ask(one, request)
  })

  /** All that is kept of the rooms, as an admin reads it who comes in for that. */
  const readAll = Effect.fnUntraced(function* (when: string) {
    const client = world.eye()
    expect(`rooms ${when}`, yield* client.ask({ _tag: "ListRooms" }), roomsFor(facts, rooms, watcher, now))
    for (const room of rooms) {
      const about = outcomeOf(facts, watcher, { _tag: "GetRoom", room }, now).reply
      expect(`${room} ${when}`, comparable(yield* client.ask({ _tag: "GetRoom", room }), about), about)
      const own = Facts.since(facts, room) ?? []
      const entries = Facts.entriesOf(own, room)
      if (entries.length === 0) continue
      yield* client.ask({ _tag: "JoinRoom", room })
      const all = yield* client.ask({ _tag: "GetHistory", room, limit: 500 })
      expect(`the log of ${room} ${when}`, all["messages"], entries)
      const done = yield* client.ask({ _tag: "GetHistory", room, limit: 500, only: "moderation" })
      expect(`what was done to ${room} ${when}`, done["messages"], moderationOf(own, room))
      yield* client.ask({ _tag: "LeaveRoom", room })
    }
  })

  yield* Effect.forEach(firstSeats, sit, { discard: true })
  return {
    wrong,
    present,
    facts: () => facts,
    now: () => now,
    eye: world.eye,
    expect,
    happen,
    perform,
    /** What everybody was told, and what is there now and behind a restart. */
    end: Effect.gen(function* () {
      yield* hearAll
      yield* readAll("at the end")
      yield* restart
      yield* readAll("after a restart")
    })
  }
})
