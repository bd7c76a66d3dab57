import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { joined, SshReader, sshString } from "../../../src/common/ssh/SshWire.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"

const bytes = (...values: ReadonlyArray<number>) => Uint8Array.from(values)
const reader = (...values: ReadonlyArray<number>) => new SshReader(bytes(...values))
const someBytes = Arbitrary.array(wholeNumber(0, 255)).pipe(Arbitrary.map((values) => Uint8Array.from(values)))

describe("The wire of SSH", () => {
  it("has numbers, strings, names and whole numbers one after the other", () => {
    const read = new SshReader(
      joined(
        bytes(0, 0, 1, 2),
        sshString(bytes(7, 0, 255)),
        sshString("ssh-rsa"),
        sshString(bytes(0, 0x80, 1)),
        bytes(9)
      )
    )
    assert.strictEqual(read.uint32(), 258)
    assert.deepStrictEqual(read.string(), bytes(7, 0, 255))
    assert.strictEqual(read.name(), "ssh-rsa")
    assert.deepStrictEqual(read.positive(), bytes(0x80, 1))
    assert.isFalse(read.isDone())
    assert.deepStrictEqual(read.take(1), bytes(9))
    assert.isTrue(read.isDone())
  })

  it("has the largest number of 32 bits, too", () => {
    assert.strictEqual(reader(255, 255, 255, 255).uint32(), 2 ** 32 - 1)
  })

  it.prop("gives back strings as they were written", [Arbitrary.array(someBytes)], ([strings]) => {
    const read = new SshReader(joined(...strings.map(sshString)))
    for (const string of strings) assert.deepStrictEqual(read.string(), string)
    assert.isTrue(read.isDone())
  })

  it("gives nothing more once something is missing", () => {
    const read = reader(0, 0, 0, 2, 65)
    assert.deepStrictEqual(read.string(), bytes())
    assert.deepStrictEqual(read.take(1), bytes())
    assert.deepStrictEqual(read.take(0), bytes())
    assert.isFalse(read.isDone())
  })

  it("gives no more than is there, however much is claimed", () => {
    for (const values of [[255, 255, 255, 255], [127, 255, 255, 255, 1], [0, 0, 0], []]) {
      const read = reader(...values)
      assert.deepStrictEqual(read.string(), bytes())
      assert.isFalse(read.isDone())
    }
  })

  it("has whole numbers above 0 in one spelling only", () => {
    const positive = (...values: ReadonlyArray<number>) => {
      const read = new SshReader(sshString(bytes(...values)))
      const number = read.positive()
      return read.isDone() ? number : undefined
    }
    assert.deepStrictEqual(positive(1), bytes(1))
    assert.deepStrictEqual(positive(0x7f, 0), bytes(0x7f, 0))
    assert.deepStrictEqual(positive(0, 0xff), bytes(0xff))
    assert.isUndefined(positive(), "nought")
    assert.isUndefined(positive(0), "nought at length")
    assert.isUndefined(positive(0x80), "a negative one")
    assert.isUndefined(positive(0, 0x7f), "a nought too many")
    assert.isUndefined(positive(0, 0, 0x80), "two noughts")
  })

  it("has names of printable ASCII only", () => {
    for (const name of ["ssh rsa", "ssh-rsa\n", "ssh-rsä", "\u0000"]) {
      const read = new SshReader(sshString(name))
      assert.strictEqual(read.name(), "")
      assert.isFalse(read.isDone(), name)
    }
  })

  it.prop(
    "is read to an end, whatever the bytes",
    [
      someBytes,
      Arbitrary.array(oneOf<"uint32" | "string" | "name" | "positive">("uint32", "string", "name", "positive"))
    ],
    ([garbage, asked]) => {
      const read = new SshReader(garbage)
      let given = 0
      for (const what of asked) {
        const value = read[what]()
        given += typeof value === "number" ? 0 : value.length
      }
      assert.isAtMost(given, garbage.length)
    },
    tries(300, 40)
  )
})
