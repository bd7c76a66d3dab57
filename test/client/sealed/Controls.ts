/** Stores that leave one write out: what judges devices has to find it. */
import { Effect } from "effect"
import type { Kept } from "../../../src/client/sealed/Kept.ts"
import type { SealedStore } from "../../../src/client/sealed/SealedStore.ts"

/** Keeps what was sealed without the group whose key it has used up: after a crash the key is used again. */
export const withoutTheGroup =
  () =>
  (store: SealedStore): SealedStore => {
    let before: Kept | undefined
    const remembering = <A, E>(kept: Kept, writing: Effect.Effect<A, E>) =>
      Effect.tap(writing, () =>
        Effect.sync(() => {
          before = kept
        })
      )
    return {
      ...store,
      kept: (room) =>
        Effect.tap(store.kept(room), (kept) =>
          Effect.sync(() => {
            before = kept
          })
        ),
      received: (received) => remembering(received.kept, store.received(received)),
      joined: (kept, rows, spent) => remembering(kept, store.joined(kept, rows, spent)),
      committing: (kept, pending) => remembering(kept, store.committing(kept, pending)),
      sealed: (kept, row) => store.sealed({ ...kept, group: before?.group ?? kept.group }, row)
    }
  }
