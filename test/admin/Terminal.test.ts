import { spawnSync } from "node:child_process"
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Schedule, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { fill, folder, main, makeDatabase, said, sqlite } from "./AdminProcess.ts"

const hasNoTmux = spawnSync("tmux", ["-V"]).status !== 0

const garden = { _tag: "Room", room: Schema.decodeSync(RoomName)("Garden") } as const
const ada = Schema.decodeSync(UserName)("Ada")

class NotOnScreen extends Schema.TaggedError<NotOnScreen>()("NotOnScreen", { screen: Schema.String }) {}

/** How often the screen is looked at, each time by a process, and for how long at most. */
const looking = Schedule.spaced("100 millis").pipe(Schedule.upTo({ duration: "90 seconds" }))

/** How many terminals were started: each is a tmux of its own, for one that ends may still be there. */
let started = 0

/** Runs a line of shell in a terminal of its own, 80 columns wide. */
const startInTerminal = Effect.fnUntraced(function* (line: string, cwd: string) {
  const socket = `parley-admin-${process.pid}-${started++}`
  const tmux = (...words: ReadonlyArray<string>) =>
    ChildProcess.make("tmux", ["-L", socket, "-f", "/dev/null", ...words], { cwd }).pipe(
      Effect.flatMap(({ all }) => Stream.mkString(Stream.decodeText(all))),
      Effect.scoped
    )
  yield* Effect.acquireRelease(tmux("new-session", "-d", "-x", "80", "-y", "10", line), () =>
    Effect.ignore(tmux("kill-server"))
  )
  return {
    press: (key: string) => tmux("send-keys", key),
    /** Waits until the screen shows something like this. */
    shows: (pattern: RegExp) =>
      tmux("capture-pane", "-p").pipe(
        Effect.filterOrFail(
          (screen) => pattern.test(screen),
          (screen) => new NotOnScreen({ screen })
        ),
        Effect.retry(looking)
      )
  }
})

layer(NodeServices.layer, { excludeTestServices: true })("pnpm admin on a terminal", (it) => {
  it.effect.skipIf(hasNoTmux)("shows how far it is, and leaves nothing behind when it is stopped with Ctrl-C", () =>
    Effect.gen(function* () {
      const { names, path } = yield* folder
      yield* makeDatabase(`${path}/chat.sqlite`, said({ _tag: "Lobby" }, ada, ["hi"]))
      // Large enough to be seen while it is checked.
      yield* fill(`${path}/chat.sqlite`, 250_000)
      const command = `trap : INT; '${process.execPath}' '${main}' backup copy --database chat.sqlite; echo exit $?; cat`
      const terminal = yield* startInTerminal(command, path)
      yield* terminal.shows(/^Checking messages +█*░+ +\d+ % +\d+ s$/m)
      assert.includeMembers(Array.from(yield* names), ["copy.partial", "copy.partial.lock"])
      yield* terminal.press("C-c")
      const screen = yield* terminal.shows(/exit 130/)
      assert.notInclude(screen, "Checking")
      assert.deepStrictEqual(yield* names, ["chat.sqlite", "chat.sqlite-search"])
    })
  )

  it.effect.skipIf(hasNoTmux)("asks before it removes a room", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      yield* makeDatabase(`${path}/chat.sqlite`, said(garden, ada, ["hi"]))
      const command = `'${process.execPath}' '${main}' rmroom garden --database chat.sqlite; echo exit $?; cat`
      const terminal = yield* startInTerminal(command, path)
      yield* terminal.shows(/Remove the room Garden and its 1 message for ever\?/)
      yield* terminal.press("n")
      yield* terminal.shows(/The room Garden stays\.[^]*exit 1/)
      assert.lengthOf(yield* sqlite(`${path}/chat.sqlite`, "SELECT * FROM messages"), 1)
    })
  )

  it.effect.skipIf(hasNoTmux)("asks before it deletes an account, and does it to who says yes", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const database = `${path}/chat.sqlite`
      yield* makeDatabase(database)
      yield* sqlite(database, "INSERT INTO accounts (name_key, name, since, last_seen) VALUES ('ben', 'Ben', 1, 1)")
      const state = sqlite(database, "SELECT state FROM accounts")
      const admin = `'${process.execPath}' '${main}' users delete ben --database chat.sqlite`
      const terminal = yield* startInTerminal(`for n in 1 2 3; do ${admin}; echo exit $?; done; cat`, path)
      yield* terminal.shows(/Delete the account Ben for good\?/)
      yield* terminal.press("n")
      yield* terminal.shows(/The account Ben stays\.\s+exit 1\s+.*Delete the account Ben/)
      yield* terminal.press("C-c")
      yield* terminal.shows(/exit 130\s+.*Delete the account Ben/)
      assert.propertyVal((yield* state)[0], "state", "Active")
      yield* terminal.press("y")
      yield* terminal.shows(/Ben is deleted\.[^]*exit 0/)
      assert.propertyVal((yield* state)[0], "state", "Deleted")
    })
  )
})
