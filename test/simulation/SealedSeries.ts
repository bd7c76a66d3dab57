/** Many runs of devices in trouble (`pnpm simulate --e2ee`), each from a seed of its own, up to the first that goes wrong. */
import { Effect, FileSystem } from "effect"
import { run } from "../client/sealed/Chaos.ts"
import * as FullRoom from "../client/sealed/FullRoom.ts"
import * as Kills from "../client/sealed/Kills.ts"
import type { Progress } from "./Progress.ts"
import { seedLimit } from "./Series.ts"

export interface SealedSeriesOptions {
  readonly seed: number
  readonly runs: number
  readonly operations: number
  readonly people: number
  readonly progress: Progress
}

/** How many findings of a run that went wrong are shown. */
const shownFaults = 40

/** What went wrong and how to see it again; undefined if nothing did. */
export const findFailure = Effect.fnUntraced(function* ({
  operations,
  people,
  progress,
  runs,
  seed: first
}: SealedSeriesOptions) {
  const files = yield* FileSystem.FileSystem
  let deliveries = 0
  let standing = ""
  yield* progress.showing(() => standing)
  for (let done = 0; done < runs; done++) {
    const seed = (first + done) % seedLimit
    standing = `seed ${seed}, run ${done + 1} of ${runs}, everybody comes in`
    const one = Effect.gen(function* () {
      const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-chaos-" })
      let operation = 0
      const onOperation = ({ said }: { readonly said: number }) => {
        operation += 1
        standing = `seed ${seed}, run ${done + 1} of ${runs}, ${operation} deeds, ${said} said`
      }
      return yield* run({ seed, operations, accounts: people, folder, onOperation })
    })
    const { story, wrong, ...figures } = yield* Effect.scoped(one)
    deliveries += figures.deliveries
    const { deeds, keys, said } = figures
    yield* progress.tell(
      `seed ${seed}: ${said} said, ${figures.deliveries} deliveries, ${keys} keys, ${wrong.length} wrong, ${JSON.stringify(deeds)}`
    )
    if (wrong.length > 0) {
      return [
        `Seed ${seed} goes wrong:`,
        ...wrong.slice(0, shownFaults).map((what) => `  ${what}`),
        "",
        "The log, and who saw themselves come and go:",
        ...story,
        "",
        "To repeat it, as far as a busy machine does the same twice: " +
          `pnpm simulate --e2ee --seed ${seed} --runs 1 --operations ${operations} --people ${people}`
      ].join("\n")
    }
  }
  yield* progress.tell(
    `Nothing went wrong: ${runs} runs from seed ${first}, ${deliveries} deliveries in ${progress.seconds().toFixed(0)} s.`
  )
  return undefined
})

/** A client that is killed so often while it talks: what went wrong, and how to see it again. */
export const findFailureOfKills = Effect.fnUntraced(function* (seed: number, kills: number, progress: Progress) {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-chaos-" })
  let standing = `seed ${seed}, everybody comes in`
  yield* progress.showing(() => standing)
  const onKill = ({ kills: killed, stored }: { readonly kills: number; readonly stored: number }) => {
    standing = `seed ${seed}, ${killed} of ${kills} kills, ${stored} stored`
  }
  const { story, wrong, ...figures } = yield* Kills.run({ seed, kills, folder, onKill })
  yield* progress.tell(`seed ${seed}: ${wrong.length} wrong, ${JSON.stringify(figures)}`)
  if (wrong.length === 0) return undefined
  return [
    `Seed ${seed} goes wrong:`,
    ...wrong.slice(0, shownFaults).map((what) => `  ${what}`),
    "",
    ...story,
    "",
    `To repeat it, as far as a busy machine does the same twice: pnpm simulate --e2ee --seed ${seed} --kills ${kills}`
  ].join("\n")
})

/** A room of so many devices: what went wrong. */
export const findFailureOfFullRoom = Effect.fnUntraced(function* (devices: number, progress: Progress) {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-chaos-" })
  let standing = `${devices} devices come`
  yield* progress.showing(() => standing)
  const onProgress = (what: string) => {
    standing = what
  }
  const { client, server, story, wrong } = yield* FullRoom.run({ devices, folder, onProgress })
  for (const what of story) yield* progress.tell(what)
  yield* progress.tell(`The longest lines, in bytes: ${JSON.stringify({ client, server })}`)
  if (wrong.length === 0) return undefined
  return ["It goes wrong:", ...wrong.slice(0, shownFaults).map((what) => `  ${what}`)].join("\n")
})
