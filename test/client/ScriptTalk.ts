/** Scripts in this process, as a user and with folders of their own; see `ClientHere`. */
import { Deferred, Effect, FileSystem, Stream } from "effect"
import type { Output } from "../../src/client/script/Output.ts"
import * as ClientHere from "./ClientHere.ts"

export const password = "correct horse battery"

/** A place to run scripts from: it keeps its logins and places. */
export const makeHome = Effect.fnUntraced(function* (port: number, env: Readonly<Record<string, string>> = {}) {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-scripts-" })
  const own = {
    CHAT_HOST: "127.0.0.1",
    CHAT_PORT: `${port}`,
    XDG_STATE_HOME: folder,
    XDG_CONFIG_HOME: folder,
    XDG_DATA_HOME: folder,
    ...env
  }
  const run = (args: ReadonlyArray<string>, stdin = "") =>
    ClientHere.run(args, { env: own, stdin: Stream.make(new TextEncoder().encode(stdin)) })
  return { folder, run, env: own }
})

type Home = Effect.Success<ReturnType<typeof makeHome>>

/** Where a tail is killed: when it is about to write for the n-th time, or when it just has. */
export interface Kill {
  readonly write: number
  readonly isAfter: boolean
}

/** Runs a tail until it is killed, or has printed a line that holds this. Gives the lines it printed. */
export const tailUntil = Effect.fnUntraced(function* (
  { env }: Home,
  args: ReadonlyArray<string>,
  last: string,
  kill: Kill = { write: Infinity, isAfter: false }
) {
  const isOver = yield* Deferred.make<void>()
  const lines: Array<string> = []
  let writes = 0
  const end = Effect.andThen(Deferred.succeed(isOver, undefined), Effect.never)
  const output: Output["Service"] = {
    isTerminal: false,
    write: (text) =>
      Effect.suspend(() => {
        writes += 1
        if (writes === kill.write && !kill.isAfter) return end
        lines.push(...text.split("\n").filter((line) => line !== ""))
        if (writes === kill.write) return end
        // What is printed last is also to be kept.
        return lines.some((line) => line.includes(last))
          ? Effect.asVoid(
              Effect.forkDetach(Effect.andThen(Effect.sleep("50 millis"), Deferred.succeed(isOver, undefined)))
            )
          : Effect.void
      })
  }
  const ended = ClientHere.run(["tail", ...args], { env, output })
  const outcome = yield* Effect.raceFirst(ended, Effect.as(Deferred.await(isOver), undefined))
  return { lines, outcome }
})
