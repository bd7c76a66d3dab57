/** What a conversation is to do later: one thing for each purpose, set down from anywhere, carried out in the scope of whoever made this. */
import { Effect, FiberMap } from "effect"

type Purpose = "echo" | "look" | "send" | "tend" | "welcome"

interface Later {
  readonly purpose: Purpose
  /** In milliseconds. */
  readonly pause: number
  readonly what: () => void
  /** One that is waited for already stays if its pause is no longer: what is asked for again and again is not put off for ever. */
  readonly keepsEarlier?: boolean
}

/** Takes the place of what was to be done before for the same purpose. `signal` is called behind each. */
export const make = Effect.fnUntraced(function* (signal: () => void) {
  const run = yield* FiberMap.makeRuntime<never, Purpose>()
  const waiting = new Map<Purpose, number>()
  return ({ keepsEarlier = false, pause, purpose, what }: Later) => {
    const earlier = waiting.get(purpose)
    if (keepsEarlier && earlier !== undefined && earlier <= pause) return
    waiting.set(purpose, pause)
    const act = Effect.sync(() => {
      waiting.delete(purpose)
      what()
      signal()
    })
    run(purpose, Effect.andThen(Effect.sleep(pause), act))
  }
})
export type After = Effect.Success<ReturnType<typeof make>>

/** Milliseconds that double each time that they are taken, up to the longest, until there is a reason to begin again. */
export const growing = (least: number, longest: number) => {
  let pause = least
  return {
    take: (): number => {
      const taken = pause
      pause = Math.min(pause * 2, longest)
      return taken
    },
    beginAgain: () => {
      pause = least
    }
  }
}
