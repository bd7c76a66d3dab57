/** What a client is told at its start, beside where the server is. */
import type { Duration } from "effect"
import type { UserName } from "../../common/name/UserName.ts"
import type { Beginning } from "../core/ResumptionState.ts"
import type { AdmissionOptions } from "./Admission.ts"

export interface ClientOptions extends AdmissionOptions, Beginning {
  readonly user: UserName
  /** How long to try to get a broken connection back; for ever, unless given. */
  readonly giveUpAfter?: Duration.Input | undefined
  /**
   * A connection that stood for less counts as a failed attempt: the next one comes later than the last, and the time
   * after which to give up goes on. 10 seconds, unless given.
   */
  readonly settledAfter?: Duration.Input | undefined
}
