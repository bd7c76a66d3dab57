/** What one sitting knows of the servers beside its own, and how one gets to them. Where there is one server alone: nothing. */
import { Context, Effect } from "effect"
import type { Other } from "./View.ts"

export type Standing = Omit<Other, "name">

interface Servers {
  /** What this one is called; nothing while it is the only one. */
  readonly name: () => string | undefined
  /** Whether this one is shown: the person looks at no other one. */
  readonly isShown: () => boolean
  readonly others: () => ReadonlyArray<Other>
  /** Tells the others what waits here. */
  readonly tell: (standing: Standing) => void
  /** Shows the one of this name, or the next one. Gives a sentence for the person where that cannot be. */
  readonly turnTo: (name: string | undefined) => Effect.Effect<string | undefined>
}

export const Servers = Context.Reference<Servers>("parley/client/full/Servers", {
  defaultValue: () => ({
    name: () => undefined,
    isShown: () => true,
    others: () => [],
    tell: () => {},
    turnTo: () => Effect.succeed("There is no other server. Start with several: pnpm client @home @work.")
  })
})
