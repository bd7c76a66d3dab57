/**
 * The one view of a screen that runs, and who may change it. Nobody else keeps any of what is shown.
 *
 * `seen` is the conversation that was named before what is typed when the screen was drawn last: what the person saw.
 */
import { Clock, Context, Deferred, Effect } from "effect"
import type { Frame } from "./Frame.ts"
import { frameOf } from "./Frame.ts"
import type { View } from "./View.ts"

export class Live extends Context.Service<
  Live,
  {
    readonly view: () => View
    /** Changes it, at this moment, and has it drawn: at once where it is what a person did, else when it is time. */
    readonly change: (change: (before: View) => View, by?: "events" | "person") => Effect.Effect<void>
    readonly seen: () => string | undefined
    /** Done when the screen is drawn the next time. */
    readonly drawing: Effect.Effect<void>
    /** What is on the screen from now on: for whoever draws it. */
    readonly drawn: () => Frame
    readonly frame: () => Frame
    /** Tells whoever asked of each change. */
    readonly whenChanged: (tell: (by: "events" | "person") => void) => void
  }
>()("parley/client/full/Live") {}

export const make = (first: View): Live["Service"] => {
  let view = first
  let last: { readonly view: View; readonly frame: Frame } | undefined
  let seen: string | undefined
  let next = Deferred.makeUnsafe<void>()
  const tellers: Array<(by: "events" | "person") => void> = []
  /** Drawn once for each view, whoever asks. */
  const frame = (): Frame => {
    if (last === undefined || last.view !== view) last = { view, frame: frameOf(view) }
    return last.frame
  }
  return Live.of({
    view: () => view,
    change: (change, by = "person") =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const before = view.now === now ? view : { ...view, now }
        const after = change(before)
        if (after === before) return
        view = after
        for (const tell of tellers) tell(by)
      }),
    seen: () => seen,
    drawing: Effect.suspend(() => Deferred.await(next)),
    drawn: () => {
      const drawn = frame()
      seen = drawn.seen
      Deferred.doneUnsafe(next, Effect.void)
      next = Deferred.makeUnsafe()
      return drawn
    },
    frame,
    whenChanged: (tell) => void tellers.push(tell)
  })
}
