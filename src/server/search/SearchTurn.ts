/**
 * How a search gives way to others: it runs in pieces, and each piece when it is its turn.
 *
 * Whoever starts a search provides the way to wait (see SearchProcessor); by default nobody waits. A search may be ended
 * where its turn would be, when nobody is there any more to hear of it.
 */
import { Context, type Effect } from "effect"

export type Turn = <A, E>(piece: Effect.Effect<A, E>) => Effect.Effect<A, E>

export const SearchTurn = Context.Reference<Turn>("parley/server/search/SearchTurn", {
  defaultValue: (): Turn => (piece) => piece
})

/** How long all pieces of a search may take together before it is ended, in milliseconds. */
export const searchLimit = 1000
