/** A state file at whose n-th write the process is gone: before it is carried out, or once it is on the disk. */
import { Effect } from "effect"
import type { StateFile } from "../../../src/client/sealed/StateFile.ts"

export interface Moment {
  /** Counted from 1; 0 for never. */
  readonly n: number
  readonly when: "before" | "after"
}

export const crashingAt =
  ({ n, when }: Moment, crash: Effect.Effect<never>) =>
  (file: StateFile): StateFile => {
    let writes = 0
    return {
      ...file,
      write: (statements) =>
        Effect.suspend(() => {
          writes += 1
          if (writes !== n) return file.write(statements)
          return when === "before" ? crash : Effect.andThen(file.write(statements), crash)
        })
    }
  }
