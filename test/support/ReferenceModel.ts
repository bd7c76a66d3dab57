import { checkDevices } from "./ReferenceDevices.ts"
/**
 * The reference model of the protocol: says of any trace what in it the protocol does not allow.
 *
 * It knows nothing of the server's inside and nothing of time but the order of what clients said and heard. Where users
 * act at the same time it accepts any order, and then holds everybody to the one they saw.
 */
import { checkRepeats } from "./ReferenceKeys.ts"
import { checkLogs, readLogs } from "./ReferenceLog.ts"
import { checkMarks } from "./ReferenceMarks.ts"
import { checkPrivate } from "./ReferencePrivate.ts"
import { checkReplies } from "./ReferenceReplies.ts"
import { checkStreams } from "./ReferenceStreams.ts"
import { readTrace, type TraceEvent } from "./ReferenceTrace.ts"

/**
 * Everything that is wrong with a trace, in the order in which it happened, each with its place in the trace. `accounts`: the
 * names of those there were from the beginning, as they are spelled.
 */
export const violations = (
  events: ReadonlyArray<TraceEvent>,
  accounts: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const found: Array<{ readonly at: number; readonly violation: string }> = []
  const report = (at: number, violation: string) => void found.push({ at, violation })
  const trace = readTrace(events, report)
  const logs = readLogs(trace, report)
  checkLogs(trace, logs, report)
  checkRepeats(trace, report)
  checkReplies(trace, logs, accounts, report)
  checkStreams(trace, logs, report)
  checkPrivate(trace, logs, accounts, report)
  checkMarks(trace, logs, accounts, report)
  checkDevices(trace, report)
  return found.toSorted((a, b) => a.at - b.at).map(({ at, violation }) => `[${at}] ${violation}`)
}
