/** `parley tail`: its flags and its help; what it does is in `script/Tail`. */
import { join } from "node:path"
import { Clock, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { stateFolder } from "./Flags.ts"
import { entryOf, fileNameOf } from "./script/CursorFile.ts"
import { momentOf } from "./script/Since.ts"
import * as StateFile from "./script/StateFile.ts"
import { join as joinRoom, tail } from "./script/Tail.ts"
import { exitCodes, jsonFlag, roomFlag, sinceFlag, userFlag, whereOf } from "./ScriptFlags.ts"
import { begin, inTurn, placeNow, readerOf, visit } from "./ScriptVisit.ts"

export const tailCommand = Command.make(
  "tail",
  {
    room: roomFlag,
    with: userFlag("with", "What is said in private with somebody"),
    json: jsonFlag("Print each entry as it is on the wire, one JSON object a line"),
    since: sinceFlag("Where there is no place to go on from, begin with what was said since then"),
    state: Flag.String("state").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription(
        "Keep the place in this file (one for each server, user and conversation in $XDG_STATE_HOME/parley)"
      ),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ json, room, since, state: file, with: other }) {
    const where = yield* whereOf(room, other, "with")
    const begun = yield* begin()
    const reader = readerOf(begun, where)
    const path = Option.getOrElse(file, () => "") || join(yield* stateFolder, fileNameOf(reader, ".cursor"))
    const state = yield* StateFile.open(path, entryOf(reader))
    const now = yield* Clock.currentTimeMillis
    const { cursor } = state
    const after = cursor && { epoch: cursor.epoch, seq: cursor.seq }
    const from =
      where.room !== undefined || after === undefined
        ? {}
        : where.with === undefined
          ? { lobby: after }
          : { inbox: after }
    const moment = Option.getOrUndefined(Option.map(since, (since) => momentOf(since, now)))
    const listening = Effect.gen(function* () {
      const place = yield* placeNow(where)
      yield* Effect.scoped(inTurn(begun, place))
      yield* joinRoom(place, after)
      yield* tail({ following: { where: place, user: begun.user, place: cursor, since: moment }, state, isJson: json })
    })
    const link = { ...begun.entrance.link, from, giveUpAfter: undefined }
    yield* visit({ ...begun, entrance: { ...begun.entrance, link } }, listening)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    [
      "Print what is said, as it comes, one line each, until it is ended; also edits, reactions, deletions and what is",
      "done to a room. With --json each line is the server's entry as on the wire.",
      "",
      "A tail goes on where the last one of this server, user and conversation was, and a lost connection is tried",
      "again for ever: nothing is skipped. The place is written after the line has left: after kill -9 a line may",
      "come again. Beyond the newest 1,000 entries, what was missed comes from the history, with messages as they",
      "stand by then. Where a log begins anew, or something was missed so, stderr tells.",
      "The first tail begins with what comes, or with --since. One tail at a time uses a place (exit code 2).",
      "An account that was no member of the room becomes one, and stays one. To a guest, private messages are",
      "not kept: nothing is resumed --with somebody.",
      "",
      exitCodes
    ].join("\n")
  ),
  Command.withShortDescription("Print what is said, as it comes"),
  Command.withExamples([
    { command: "pnpm -s client tail --user bot --room dev", description: "Follow a room" },
    { command: "pnpm -s client tail --room dev --json | jq -r .content", description: "Only the texts" },
    {
      command: "pnpm -s client tail --since 1h --state lobby.cursor",
      description: "Follow the lobby, from an hour ago on"
    }
  ])
)
