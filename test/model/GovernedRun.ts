/**
 * Runs programs of governed rooms. One act after the other each reply is known beforehand. All at once it is not known in which
 * order they are carried out, but the log says so: each entry must have been allowed at its place, and each refusal right at
 * some place up to its answer. Answers what was wrong.
 */
import { isDeepStrictEqual } from "node:util"
import { Effect } from "effect"
import type { Line } from "../support/RawClient.ts"
import * as Facts from "./GovernedFacts.ts"
import { comparable, plain } from "./GovernedLines.ts"
import { rooms } from "./GovernedPeople.ts"
import { begin, type Present } from "./GovernedPlay.ts"
import { type Act, beginnings, type Program, requestOf } from "./GovernedProgram.ts"
import { outcomeOf, type Request } from "./GovernedRules.ts"

/** Also how many of the acts it took to find something wrong. */
export const runInOrder = Effect.fnUntraced(function* (program: Program) {
  const play = yield* begin()
  for (const act of beginnings[program.beginning]) yield* play.perform(act, "before")
  for (const [index, act] of program.acts.entries()) {
    yield* play.perform(act, `words ${index}`)
    if (play.wrong.length > 0) return { wrong: play.wrong, count: index + 1 }
  }
  yield* play.end
  return { wrong: play.wrong, count: program.acts.length }
}, Effect.scoped)

/** One of those that were asked at once. */
interface Asked {
  readonly one: Present
  readonly request: Request
  readonly reply: Line
}

const [room] = rooms

/** All acts are asked at once, each connection's in their order. */
export const runTogether = Effect.fnUntraced(function* (program: Program) {
  const play = yield* begin()
  for (const act of beginnings[program.beginning]) yield* play.perform(act, "before")

  const asked = (yield* Effect.forEach([...play.present], ([seat, one]) => askAll(seat, one, program.acts), {
    concurrency: "unbounded"
  })).flat()
  const before = play.facts()
  const places = Facts.entriesOf(Facts.since(before, room) ?? [], room).length
  const made = asked.flatMap(({ reply }) => (isPlace(reply) ? [Number(reply["seq"]) - places] : []))
  const count = Math.max(0, ...made)

  const moments: Array<Facts.Facts> = [before]
  for (let seq = places + 1; seq <= places + count; seq++) {
    const theirs = asked.filter(({ reply }) => isPlace(reply) && reply["seq"] === seq)
    play.expect(`how many were told that ${seq} is theirs`, theirs.length, 1)
    for (const { one, reply, request } of theirs) {
      const outcome = outcomeOf(play.facts(), one.who, request, play.now())
      play.expect(`${seq}, ${one.who.user}: ${JSON.stringify(request)}`, reply, outcome.reply)
      play.happen(outcome)
    }
    moments.push(play.facts())
  }
  for (const [index, { one, reply, request }] of asked.entries()) {
    if (reply._tag === "Sent" && reply["seq"] !== 0) continue
    // Behind it this connection was answered with a place: it was refused before.
    const next = asked.slice(index).find((other) => other.one === one && isPlace(other.reply))
    const last = next === undefined ? count : Number(next.reply["seq"]) - places - 1
    const isRight = moments.slice(0, last + 1).some((facts) => {
      const expected = outcomeOf(facts, one.who, request, play.now()).reply
      if (isDeepStrictEqual(plain(comparable(reply, expected)), plain(expected))) return true
      // What somebody asked who is put out then, however the room looks from outside.
      const isOut = !Facts.isIn(Facts.since(facts, room) ?? [], room, one.who)
      return isOut && isDeepStrictEqual(plain(reply), { _tag: "Rejected", reason: { _tag: "NotInRoom", room } })
    })
    play.expect(`${one.who.user} asks ${JSON.stringify(request)} and is told ${JSON.stringify(reply)}`, isRight, true)
  }
  // This compares the log as it is read with what was answered, and what everybody was told with that.
  if (play.wrong.length === 0) yield* play.end
  return { wrong: play.wrong, count: program.acts.length }
}, Effect.scoped)

const isPlace = ({ _tag, seq }: Line): boolean => _tag === "Sent" && seq !== 0

const askAll = Effect.fnUntraced(function* (seat: number, one: Present, acts: ReadonlyArray<Act>) {
  const requests = acts.flatMap((act, index) => {
    if (act.seat !== seat || !together.has(act.does)) return []
    const request = requestOf({ ...act, room: 0 }, `words ${index}`)
    return request === undefined ? [] : [{ id: `together-${index}`, request }]
  })
  yield* one.client.send(...requests.map(({ id, request }) => ({ ...request, id })))
  return yield* Effect.forEach(requests, ({ id, request }) =>
    Effect.map(
      one.client.find((line) => line["id"] === id),
      (reply): Asked => ({ one, request, reply })
    )
  )
})

/** Who comes and goes of their own will has no place in the log. */
const together: ReadonlySet<Act["does"]> = new Set([
  "RoomMessage",
  "SetTopic",
  "SetAccess",
  "InviteUser",
  "Kick",
  "Ban",
  "Unban",
  "Mute",
  "Unmute",
  "SetRole",
  "GetRoom"
])
