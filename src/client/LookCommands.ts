/** `parley history`, `users` and `rooms`: their flags and helps; what they do is in `script/`. */
import { Clock, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { Seq } from "../common/log/Cursor.ts"
import * as Lists from "./script/Lists.ts"
import { history } from "./script/Reading.ts"
import { momentOf } from "./script/Since.ts"
import { exitCodes, jsonFlag, roomFlag, sinceFlag, userFlag, whereOf } from "./ScriptFlags.ts"
import { arrive, begin, inTurn, isMemberOf, placeNow, visit } from "./ScriptVisit.ts"

export const historyCommand = Command.make(
  "history",
  {
    room: roomFlag,
    with: userFlag("with", "What was said in private with somebody"),
    limit: Flag.Int("limit").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("The newest N (50, and with --since all)"),
      Flag.withSchema(Schema.Int.check(Schema.isGreaterThan(0, { message: "must be a whole number from 1" }))),
      Flag.optional
    ),
    since: sinceFlag("What was said since then"),
    before: Flag.Int("before").pipe(
      Flag.withMetavar("SEQ"),
      Flag.withDescription("What stands before the message of this number"),
      Flag.withSchema(Seq),
      Flag.optional
    ),
    json: jsonFlag("Print each message as it is on the wire, one JSON object a line")
  },
  Effect.fnUntraced(function* ({ before, json, limit, room, since, with: other }) {
    const where = yield* whereOf(room, other, "with")
    const begun = yield* begin()
    const now = yield* Clock.currentTimeMillis
    const moment = Option.getOrUndefined(Option.map(since, (since) => momentOf(since, now)))
    yield* inTurn(begun, where)
    const reading = Effect.gen(function* () {
      const welcome = yield* arrive
      const place = yield* placeNow(where)
      const isMember = isMemberOf(welcome, place)
      const given = { limit: Option.getOrUndefined(limit) ?? (moment === undefined ? 50 : undefined), since: moment }
      yield* history({ where: place, isMember, isJson: json, before: Option.getOrUndefined(before), ...given })
    })
    yield* visit(begun, Effect.scoped(reading))
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    [
      "Print what was said, oldest first, one line each, messages as they stand: as last edited, with their reactions.",
      "",
      "A room is joined and left again, unless the account was a member, or the room is private.",
      "To a guest, --with somebody gives nothing: what a guest says in private is not stored.",
      "",
      exitCodes
    ].join("\n")
  ),
  Command.withShortDescription("Print what was said"),
  Command.withExamples([
    { command: "pnpm -s client history --user bot --room dev --limit 1000", description: "The last 1,000 of a room" },
    { command: "pnpm -s client history --room dev --since 1d --json > dev.jsonl", description: "A day, as JSON" }
  ])
)

export const usersCommand = Command.make(
  "users",
  { json: jsonFlag('Print {"user":…} for each') },
  Effect.fnUntraced(function* ({ json }) {
    yield* visit(yield* begin(), Effect.scoped(Effect.andThen(arrive, Lists.users(json))))
  })
).pipe(
  Command.withDescription(["Print who is here, this script included: one name a line.", "", exitCodes].join("\n")),
  Command.withShortDescription("Print who is here"),
  Command.withExamples([{ command: "pnpm -s client users --user bot | wc -l", description: "Count them" }])
)

export const roomsCommand = Command.make(
  "rooms",
  { json: jsonFlag("Print each room as the server lists it, one JSON object a line") },
  Effect.fnUntraced(function* ({ json }) {
    yield* visit(yield* begin(), Effect.scoped(Effect.andThen(arrive, Lists.rooms(json))))
  })
).pipe(
  Command.withDescription(
    ["Print the rooms: name, how many are in it, and topic, with tabs between.", "", exitCodes].join("\n")
  ),
  Command.withShortDescription("Print the rooms"),
  Command.withExamples([{ command: "pnpm -s client rooms --user bot | cut -f1", description: "Only the names" }])
)
