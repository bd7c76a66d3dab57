/**
 * The one view of a screen that runs, and who may change it. Nobody else keeps any of what is shown.
 *
 * `seen` is the conversation that was named before what is typed when the screen was drawn last: what the person saw.
 */
import { Clock, Context, Effect } from "effect"
import type { Frame } from "./Frame.ts"
import { frameOf } from "./Frame.ts"
import type { View } from "./View.ts"

export class Live extends Context.Service<
  Live,
  {
    readonly view: () => View
    /** Changes it, at this moment, and has it drawn. */
    readonly change: (change: (before: View) => View) => Effect.Effect<void>
    readonly seen: () => string | undefined
    readonly frame: () => Frame
  }
>()("parley/client/full/Live") {}

/** `draw` is asked to draw whenever something changed. */
export const make = (first: View) => {
  let view = first
  let last: { readonly view: View; readonly frame: Frame } | undefined
  let draw = () => {}
  /** Drawn once for each view, whoever asks. */
  const frame = (): Frame => {
    if (last === undefined || last.view !== view) last = { view, frame: frameOf(view) }
    return last.frame
  }
  return {
    live: Live.of({
      view: () => view,
      change: (change) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const after = change(view.now === now ? view : { ...view, now })
          if (after === view) return
          view = after
          draw()
        }),
      seen: () => last?.frame.seen,
      frame
    }),
    drawBy: (by: () => void) => {
      draw = by
    }
  }
}
