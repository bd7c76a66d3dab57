/**
 * A process that runs tests of the sealed groups on another copy of the library: `node LibraryProcess.ts <folder> <what>`.
 *
 * The folder is a copy of the package; what it imports itself is found where the installed one is. Prints what came out as JSON.
 */
import { registerHooks } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Effect, Exit } from "effect"

const [folder = "", what = "", seed = "1"] = process.argv.slice(2)
const installed = import.meta.resolve("ts-mls/clientState.js")

registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier.startsWith("ts-mls/")) {
      return {
        url: pathToFileURL(join(folder, "dist/src", specifier.slice("ts-mls/".length))).href,
        shortCircuit: true
      }
    }
    return next(specifier, specifier.startsWith("@") ? { ...context, parentURL: installed } : context)
  }
})

const say = (outcome: unknown) => process.stdout.write(JSON.stringify(outcome))

if (what === "churn") {
  const { churn } = await import("./Churn.ts")
  const exit = await Effect.runPromiseExit(churn(Number(seed), 100))
  say(Exit.isSuccess(exit) ? { ok: exit.value } : { failed: exit.cause })
} else if (what === "tampered") {
  const { tamperedJoins } = await import("./TamperedTrees.ts")
  say(await Effect.runPromise(tamperedJoins(Number(seed), 14)))
} else if (what === "strangers") {
  const { addingStrangers } = await import("./Strangers.ts")
  say(await Effect.runPromise(addingStrangers))
} else {
  const { removedDerivesNextEpoch } = await import("./ForgottenMember.ts")
  say(await Effect.runPromise(removedDerivesNextEpoch))
}
