/** Starts the process of those who attack, and speaks with it; with the scope it ends, and all its connections with it. */
import { fork } from "node:child_process"
import { resolve } from "node:path"
import { Effect, Option, Schema } from "effect"
import { BenchError } from "../Crowd.ts"
import { FromAttackers, type Orders, type Tally } from "./Orders.ts"

export interface AttackProcess {
  /** Waits until all are in position. */
  readonly armed: Effect.Effect<void, BenchError>
  readonly attack: Effect.Effect<void>
  /** Whether what is counted is done. */
  readonly isDone: () => boolean
  readonly tally: Effect.Effect<Tally, BenchError>
  /** Ends the attack and all its connections. */
  readonly stop: Effect.Effect<Tally, BenchError>
}

/** How long it may take to come into position, to fill the server, and to answer. */
const armSeconds = 300
const answerSeconds = 30

const decode = Schema.decodeUnknownOption(FromAttackers)

export const start = Effect.fnUntraced(function* (orders: Orders) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      fork(resolve(import.meta.dirname, "attackers.ts"), [JSON.stringify(orders)], {
        stdio: ["ignore", "ignore", "inherit", "ipc"]
      })
    ),
    (child) =>
      Effect.sync(() => {
        if (child.connected) child.disconnect()
        child.kill("SIGKILL")
      })
  )
  let isArmed = false
  let isDone = false
  let failure: string | undefined
  let tally: Tally | undefined
  let notice: () => void = () => {}
  child.on("message", (message) => {
    const heard = Option.getOrUndefined(decode(message))
    if (heard?._tag === "Armed") isArmed = true
    else if (heard?._tag === "Done") isDone = true
    else if (heard?._tag === "Tally") tally = heard.tally
    else if (heard?._tag === "Failed") failure = heard.message
    notice()
  })
  child.on("exit", (code) => {
    failure ??= `they ended with code ${code}`
    notice()
  })

  const until = <A>(seconds: number, look: () => A | undefined): Effect.Effect<A, BenchError> =>
    Effect.callback<A, BenchError>((resume) => {
      notice = () => {
        const found = look()
        if (found !== undefined) resume(Effect.succeed(found))
        else if (failure !== undefined) {
          resume(Effect.fail(new BenchError({ message: `${orders.attack}: the attackers failed: ${failure}` })))
        }
      }
      notice()
      return Effect.sync(() => {
        notice = () => {}
      })
    }).pipe(
      Effect.timeoutOrElse({
        duration: `${seconds} seconds`,
        orElse: () =>
          Effect.fail(new BenchError({ message: `${orders.attack}: the attackers did not answer in ${seconds} s.` }))
      })
    )
  const say = (order: string) => {
    if (child.connected) child.send(order)
  }
  const told = (order: string) =>
    Effect.suspend(() => {
      tally = undefined
      say(order)
      return until(answerSeconds, () => tally)
    })

  const attackers: AttackProcess = {
    armed: Effect.asVoid(until(armSeconds, () => (isArmed ? true : undefined))),
    attack: Effect.sync(() => say("attack")),
    isDone: () => isDone,
    tally: told("tally"),
    stop: told("stop")
  }
  return attackers
})

/** Fills a server with what an attack needs. */
export const seed = (orders: Orders): Effect.Effect<void, BenchError> =>
  Effect.scoped(Effect.flatMap(start(orders), ({ armed }) => armed))
