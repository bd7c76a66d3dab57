import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { makeSplitter } from "../../src/connection/Frames.ts"
import { cutAt, oneOf, someCuts, tries, wholeNumber } from "../support/generators.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const LF = 0x0a

/** Bytes in which a newline is not rare. */
const someBytes = Arbitrary.array(
  Arbitrary.flatMap(wholeNumber(0, 4), (kind) => (kind === 0 ? Arbitrary.Constant(LF) : wholeNumber(0, 255)))
).pipe(Arbitrary.map((bytes) => Uint8Array.from(bytes)))

const someText = Arbitrary.array(oneOf("a", '"', "é", "漢", "😀", "\r", "\u2028", "\ufeff")).pipe(
  Arbitrary.map((characters) => characters.join(""))
)

/** What the splitter must answer, written without regard to memory or time. */
const naive = (bytes: Uint8Array, maxFrameBytes: number) => {
  const lines: Array<ReadonlyArray<number>> = []
  let line: Array<number> = []
  for (const byte of bytes) {
    if (byte === LF) {
      lines.push(line)
      line = []
    } else if (line.length === maxFrameBytes) return { lines, oversized: true }
    else line.push(byte)
  }
  return { lines, oversized: false }
}

const split = (pieces: ReadonlyArray<Uint8Array>, maxFrameBytes: number) => {
  const splitter = makeSplitter(maxFrameBytes)
  // A copy of each line at once: lines are views that are valid until the chunk's bytes are reused.
  const lines = pieces.flatMap((piece) => {
    const chunk = Uint8Array.from(piece)
    const found = splitter.push(chunk).map((line) => Array.from(line))
    chunk.fill(0x21)
    return found
  })
  return { lines, oversized: splitter.isOversized() }
}

describe("Splitting bytes into lines", () => {
  it.prop(
    "gives the same lines however the bytes were cut into pieces",
    [someBytes, someCuts, wholeNumber(0, 12)],
    ([bytes, cuts, maxFrameBytes]) => {
      assert.deepStrictEqual(split(cutAt(bytes, cuts), maxFrameBytes), naive(bytes, maxFrameBytes))
    },
    tries(2000, 40)
  )

  it.prop(
    "does not care where in a character the bytes were cut",
    [Arbitrary.array(someText), someCuts],
    ([texts, cuts]) => {
      const pieces = cutAt(encoder.encode(texts.map((text) => `${text}\n`).join("")), cuts)
      const { lines } = split(pieces, 1000)
      assert.deepStrictEqual(
        lines.map((line) => decoder.decode(Uint8Array.from(line))),
        texts
      )
    },
    tries(300, 20)
  )

  it.prop(
    "gives the same lines byte by byte",
    [someBytes],
    ([bytes]) => {
      assert.deepStrictEqual(
        split(
          cutAt(
            bytes,
            Array.from(bytes, (_, at) => at / bytes.length)
          ),
          300
        ),
        naive(bytes, 300)
      )
    },
    tries(200, 60)
  )

  it.prop(
    "takes a line of exactly the limit and none of one byte more",
    [wholeNumber(0, 3000), someCuts, someCuts],
    ([limit, cuts, moreCuts]) => {
      const line = new Uint8Array(limit).fill(0x61)
      const whole = Uint8Array.from([...line, LF])
      assert.deepStrictEqual(split(cutAt(whole, cuts), limit), { lines: [Array.from(line)], oversized: false })
      const longer = Uint8Array.from([0x61, ...whole, ...whole])
      assert.deepStrictEqual(split(cutAt(longer, moreCuts), limit), { lines: [], oversized: true })
    },
    tries(60)
  )

  it("says that a line is oversized before its newline has come", () => {
    const splitter = makeSplitter(10)
    splitter.push(new Uint8Array(10).fill(0x61))
    assert.isFalse(splitter.isOversized())
    splitter.push(new Uint8Array(1).fill(0x61))
    assert.isTrue(splitter.isOversized())
  })

  it("completes no more lines once one was oversized", () => {
    const splitter = makeSplitter(3)
    assert.lengthOf(splitter.push(encoder.encode("a\nbb\ncccc\ndd\n")), 2)
    assert.lengthOf(splitter.push(encoder.encode("e\nf\n")), 0)
  })

  it.prop(
    "leaves the lines it has given alone while it goes on",
    [Arbitrary.array(Arbitrary.schema(Schema.String), { minLength: 2 }), wholeNumber(1, 7)],
    ([texts, size]) => {
      const bytes = encoder.encode(texts.map((text) => `${text.replaceAll("\n", "")}\n`).join(""))
      const splitter = makeSplitter(1000)
      const given: Array<Uint8Array> = []
      const copies: Array<ReadonlyArray<number>> = []
      for (let at = 0; at < bytes.length; at += size) {
        for (const line of splitter.push(bytes.subarray(at, at + size))) {
          given.push(line)
          copies.push(Array.from(line))
        }
      }
      assert.deepStrictEqual(
        given.map((line) => Array.from(line)),
        copies
      )
    },
    tries(100, 20)
  )
})

describe("What splitting costs", () => {
  /** The bytes copied and the buffers made while a line of this length trickles in, in pieces of this size. */
  const costOf = (length: number, size: number, maxFrameBytes: number) => {
    const Original = globalThis.Uint8Array
    const set = Original.prototype.set
    let copied = 0
    let largest = 0
    let allocated = 0
    Original.prototype.set = function (source, offset) {
      copied += source.length
      allocated += this.byteOffset === 0 && offset === undefined ? this.buffer.byteLength : 0
      largest = Math.max(largest, this.buffer.byteLength)
      set.call(this, source, offset)
    }
    try {
      const splitter = makeSplitter(maxFrameBytes)
      const piece = new Uint8Array(size).fill(0x61)
      for (let at = 0; at < length; at += size) splitter.push(piece)
      return { copied, largest, allocated }
    } finally {
      Original.prototype.set = set
    }
  }

  it.each([1, 7, 100])("is in proportion to the line's length when it comes in pieces of %i bytes", (size) => {
    for (const length of [1000, 10_000, 100_000]) {
      const { allocated, copied } = costOf(length, size, 1_000_000)
      assert.isAtMost(copied, 3 * length + size)
      assert.isAtMost(allocated, 4 * length + 1024)
    }
  })

  it.prop(
    "is never more memory than the limit for an unfinished line",
    [wholeNumber(1, 5000), wholeNumber(1, 500)],
    ([limit, size]) => {
      assert.isAtMost(costOf(2 * limit, size, limit).largest, limit)
    },
    tries(60)
  )

  it("is no copy at all for lines that come whole", () => {
    const bytes = encoder.encode("abc\ndef\nghi\n")
    for (const line of makeSplitter(10).push(bytes)) assert.strictEqual(line.buffer, bytes.buffer)
  })
})
