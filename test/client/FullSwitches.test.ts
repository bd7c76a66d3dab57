/**
 * Nothing is ever sent to another conversation than the one that the screen showed when Enter was pressed: a real terminal, in which
 * one goes from conversation to conversation by every way there is, types and sends, while eve talks everywhere, deletes rooms, makes
 * them again, puts one out of them and writes in private. What came to whom is what eve heard, who is everywhere first.
 *
 * A failure prints the seed; `SWITCHES_SEED=<seed>` tries it again, `SWITCHES=200` goes on for longer.
 */
import { spawnSync } from "node:child_process"
import { isBuiltin } from "node:module"
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, FileSystem } from "effect"
import { Chance } from "../simulation/Chance.ts"
import { register } from "../support/AccountTalk.ts"
import { connect, type Line } from "../support/RawClient.ts"
import { startServer } from "./Processes.ts"
import { startInTerminal } from "./Tmux.ts"

const cannotRun = spawnSync("tmux", ["-V"]).status !== 0 || !isBuiltin("node:ffi")
const switches = Number(process.env["SWITCHES"] ?? 25)
const chosenSeed = process.env["SWITCHES_SEED"] === undefined ? undefined : Number(process.env["SWITCHES_SEED"])

/** Which are never gone, so that their numbers stay; and which come and go. */
const [lasting, passing] = [["r1", "r2"] as const, ["x1", "x2"] as const]
const numbered = ["lobby", ...lasting] as const

interface Said {
  readonly place: string
  readonly content: string
}

/** What stands before the cursor, and what is typed behind it; undefined while something else is asked. */
const inputIn = (screen: ReadonlyArray<string>): Said | undefined => {
  const row = screen.findLast((one) => one !== "") ?? ""
  const [, place, content] = /^(lobby|@eve|[rx]\d)› ?(.*)$/.exec(row) ?? []
  return place === undefined || content === undefined ? undefined : { place, content }
}

/** Who else is there goes on meanwhile: what one does, in requests. */
const deed = (chance: Chance, number: number): ReadonlyArray<object> => {
  const room = chance.pick(passing)
  switch (chance.between(0, 6)) {
    case 0:
      return [{ _tag: "DeleteRoom", room }]
    case 1:
      return [
        { _tag: "CreateRoom", room },
        { _tag: "JoinRoom", room }
      ]
    case 2:
      return [{ _tag: "Kick", room, user: "ben" }]
    case 3:
      return [{ _tag: "PrivateMessage", to: "ben", content: `psst ${number}` }]
    case 4:
      return [{ _tag: "GlobalMessage", content: `@ben ${number}` }]
    default:
      return [{ _tag: "RoomMessage", room: chance.pick(lasting), content: `@ben well ${number}` }]
  }
}

const linesOf = (text: string): ReadonlyArray<Line> =>
  text.split("\n").flatMap((line): ReadonlyArray<Line> => (line.trim() === "" ? [] : [JSON.parse(line)]))

/** What ben said, where. */
const saidBy = (text: string): ReadonlyArray<Said> =>
  linesOf(text).flatMap(({ _tag, content, from, room }) => {
    if (from !== "ben" || typeof content !== "string" || content.startsWith("ready ")) return []
    if (_tag === "GlobalMessage") return [{ place: "lobby", content }]
    if (_tag === "RoomMessage") return [{ place: String(room), content }]
    return _tag === "PrivateMessage" ? [{ place: "@eve", content }] : []
  })

layer(NodeServices.layer, { excludeTestServices: true })(
  "a person who goes from conversation to conversation",
  (it) => {
    it.effect.skipIf(cannotRun)("says nothing in another one than the screen showed", () =>
      Effect.gen(function* () {
        const seed = chosenSeed ?? (yield* Clock.currentTimeMillis) % 1_000_000
        const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
        const chance = new Chance(seed)
        const { port } = yield* startServer({ MESSAGE_RATE: "0", ROOMS_PER_HOUR: "1000" })
        const { client: eve } = yield* register({ connect: (options = {}) => connect({ ...options, port }) }, "eve")
        for (const room of [...lasting, ...passing]) {
          yield* eve.send({ _tag: "CreateRoom", room }, { _tag: "JoinRoom", room })
        }
        const terminal = yield* startInTerminal(["--user", "ben"], {
          PORT: `${port}`,
          CHAT_LINE: "false",
          XDG_CONFIG_HOME: folder,
          XDG_DATA_HOME: folder,
          XDG_STATE_HOME: folder
        })
        yield* terminal.shows("lobby›")
        yield* terminal.resize(100, 24)
        for (const room of [...lasting, ...passing]) {
          yield* terminal.type(`:jr ${room}`)
          yield* terminal.press("Enter")
          yield* terminal.shows(`${room}›`)
        }

        const go = Effect.fnUntraced(function* () {
          switch (chance.between(0, 7)) {
            case 0:
              return yield* terminal.press("M-Left")
            case 1:
              return yield* terminal.press("M-Right")
            case 2:
              return yield* terminal.press("M-a")
            case 3: {
              yield* terminal.press("C-k")
              yield* terminal.type(chance.pick(["lob", "r1", "x2", "eve"]))
              return yield* terminal.press("Enter")
            }
            case 4: {
              const at = `0;3;${chance.between(1, 6)}`
              return yield* terminal.type(`\u001b[<${at}M\u001b[<${at}m`)
            }
            case 5: {
              yield* terminal.press("C-u")
              yield* terminal.type(`:jr ${chance.pick(passing)}`)
              return yield* terminal.press("Enter")
            }
            default:
              return yield* terminal.press(`M-${chance.between(1, 6)}`)
          }
        })

        /** Keys are taken in their order: once the text is there, so is all that was pressed before it. */
        const shown = (text: string) =>
          Effect.repeat(Effect.map(terminal.screen, inputIn), {
            until: (input) => input?.content.includes(text) === true,
            times: 30
          })
        const entered: Array<Said> = []
        for (let number = 0; number < switches; number++) {
          const happen = Effect.suspend(() => eve.send(...(chance.is(0.6) ? deed(chance, number) : [])))
          if (chance.is(0.2)) {
            const at = chance.between(0, numbered.length - 1)
            const content = `m${number} at once`
            yield* Effect.all(
              [terminal.press(`M-${at + 1}`, "C-u", ...content.replaceAll(" ", "_"), "Enter"), happen],
              {
                concurrency: 2,
                discard: true
              }
            )
            entered.push({ place: numbered[at] ?? "", content: content.replaceAll(" ", "_") })
            continue
          }
          yield* go()
          yield* happen
          yield* terminal.press("C-u")
          yield* terminal.type(`m${number}.`)
          yield* happen
          const input = yield* shown(`m${number}.`)
          if (input?.content.includes(`m${number}.`) !== true) continue
          entered.push(input)
          yield* Effect.all([happen, terminal.press("Enter")], { concurrency: 2, discard: true })
        }
        yield* terminal.press("M-1", "C-u")
        const isReady = yield* shown("")
        assert.isDefined(isReady)
        const last = Effect.andThen(
          terminal.press("C-u"),
          Effect.andThen(terminal.type("ready now"), terminal.press("Enter"))
        )
        yield* last
        yield* eve.find(({ content, from }) => from === "ben" && content === "ready now")

        const said = saidBy(eve.receivedText())
        const wrong = said.filter(
          (one) => !entered.some(({ content, place }) => place === one.place && content === one.content)
        )
        assert.deepStrictEqual(wrong, [], `SWITCHES_SEED=${seed}`)
        assert.strictEqual(new Set(said.map(({ content }) => content)).size, said.length, `SWITCHES_SEED=${seed}`)
        assert.isAtLeast(said.length, entered.length / 3, `SWITCHES_SEED=${seed}: nearly nothing was sent`)
        process.stdout.write(`SWITCHES_SEED=${seed}: ${entered.length} times Enter, ${said.length} messages\n`)
      })
    )
  }
)
