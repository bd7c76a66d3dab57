/**
 * The process of those who attack: it arms when it is started, attacks and stops when it is told, and tells what it did.
 *
 * It yields to the honest ones, who may share its core, and ends with the process that started it.
 */
import * as Os from "node:os"
import { Cause, Effect, Fiber, Schema } from "effect"
import { attacks } from "./Attacks.ts"
import { Field } from "./Field.ts"
import { type FromAttackers, Orders } from "./Orders.ts"

const niceness = 10

const tell = (message: FromAttackers) => void process.send?.(message)

const told = (order: string) =>
  Effect.callback<void>((resume) => {
    const listen = (message: unknown) => {
      if (message !== order) return
      process.off("message", listen)
      resume(Effect.void)
    }
    process.on("message", listen)
  })

const ordered = Effect.suspend(() => {
  tell({ _tag: "Armed" })
  return told("attack")
})

const field = new Field(Schema.decodeUnknownSync(Orders)(JSON.parse(process.argv[2] ?? "")), ordered)
const { orders } = field
const attack = attacks.find(({ name }) => name === orders.attack)

const run = Effect.gen(function* () {
  if (attack === undefined) return
  if (orders.part === "seed") {
    yield* attack.seed?.(field) ?? Effect.void
    tell({ _tag: "Armed" })
    return
  }
  const stopped = yield* Effect.forkChild(told("stop"), { startImmediately: true })
  const attacking = Effect.andThen(
    attack.run(field),
    Effect.sync(() => tell({ _tag: "Done" }))
  )
  yield* Effect.raceFirst(Fiber.join(stopped), Effect.andThen(attacking, Fiber.join(stopped)))
})

Os.setPriority(niceness)
process.on("disconnect", () => process.exit(0))
process.on("message", (message) => {
  if (message === "tally") tell({ _tag: "Tally", tally: field.tally() })
})

Effect.runFork(
  run.pipe(
    Effect.catchCause((cause) => Effect.sync(() => tell({ _tag: "Failed", message: Cause.pretty(cause) }))),
    Effect.andThen(
      Effect.sync(() => {
        field.close()
        tell({ _tag: "Tally", tally: field.tally() })
      })
    )
  )
)
