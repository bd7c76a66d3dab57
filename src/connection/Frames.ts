/**
 * Cuts bytes into lines, however the bytes were split on their way.
 *
 * Holds at most `maxFrameBytes` of an unfinished line, in one buffer that doubles as it grows: a line that trickles in
 * byte by byte costs no more memory or time than one that comes whole. Between lines it holds nothing. The first line
 * over the limit ends the splitting, for what follows it has no known beginning.
 *
 * Hot path: one read may hold thousands of lines, so they are views of the bytes read and not copies.
 */
const LF = 0x0a
const smallestBuffer = 256
const nothing = new Uint8Array(0)

export interface Splitter {
  /** The lines that `chunk` completes, without their newlines. Valid until the chunk's bytes are reused. */
  readonly push: (chunk: Uint8Array) => Array<Uint8Array>
  /** Whether a line was over the limit. Once true, `push` completes no more lines. */
  readonly isOversized: () => boolean
}

export const makeSplitter = (maxFrameBytes: number): Splitter => {
  let held = nothing
  let heldBytes = 0
  let oversized = false

  const hold = (bytes: Uint8Array) => {
    const needed = heldBytes + bytes.length
    if (held.length < needed) {
      const grown = new Uint8Array(Math.min(maxFrameBytes, Math.max(smallestBuffer, needed, 2 * heldBytes)))
      grown.set(held.subarray(0, heldBytes))
      held = grown
    }
    held.set(bytes, heldBytes)
    heldBytes = needed
  }

  const finishLine = (end: Uint8Array): Uint8Array => {
    if (heldBytes === 0) return end
    hold(end)
    const line = held.subarray(0, heldBytes)
    held = nothing
    heldBytes = 0
    return line
  }

  const push = (chunk: Uint8Array) => {
    const lines: Array<Uint8Array> = []
    let start = 0
    while (!oversized && start < chunk.length) {
      const newline = chunk.indexOf(LF, start)
      const end = newline === -1 ? chunk.length : newline
      if (heldBytes + end - start > maxFrameBytes) {
        oversized = true
        held = nothing
      } else if (newline === -1) {
        hold(chunk.subarray(start))
      } else {
        lines.push(finishLine(chunk.subarray(start, newline)))
      }
      start = end + 1
    }
    return lines
  }

  return { push, isOversized: () => oversized }
}
