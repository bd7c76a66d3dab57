/**
 * Cuts a script's input into lines, of which it never holds more than it has to.
 *
 * Lines end with "\n" or "\r\n"; the last may have no end. A line that is longer than a line may be comes out cut, still
 * too long, so that `parse` refuses it; the rest of it is passed over without being kept.
 */
import { Stream } from "effect"
import { maxLineLength } from "./Command.ts"

/** What is kept of a line: one character more than it may have, and the "\r" that may be its end. */
const maxKept = maxLineLength + 2

export const cutLines = <E, R>(text: Stream.Stream<string, E, R>): Stream.Stream<string, E, R> =>
  Stream.mapAccum(text, () => "", cutChunk, { onHalt: (unfinished) => (unfinished === "" ? [] : [unfinished]) })

const cutChunk = (unfinished: string, chunk: string): readonly [unfinished: string, lines: ReadonlyArray<string>] => {
  const lines: Array<string> = []
  let kept = unfinished
  let start = 0
  for (let end = chunk.indexOf("\n"); end !== -1; end = chunk.indexOf("\n", start)) {
    lines.push(extend(kept, chunk, start, end).replace(/\r$/, ""))
    kept = ""
    start = end + 1
  }
  return [extend(kept, chunk, start, chunk.length), lines]
}

const extend = (kept: string, chunk: string, start: number, end: number): string =>
  kept.length >= maxKept ? kept : kept + chunk.slice(start, Math.min(end, start + maxKept - kept.length))
