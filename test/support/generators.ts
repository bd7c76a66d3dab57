/**
 * What property tests are generated from, beyond what the schemas of `src` give by themselves.
 *
 * A property that fails prints its shrunk input and a replay token. `PROPERTY_REPLAY=<token> pnpm test -t "<title>"`
 * runs that one input again; `PROPERTY_RUNS=20` makes every property run twenty times as often.
 */
import { Arbitrary, Schema } from "effect"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { SessionId } from "../../src/server/session/Asker.ts"

const replay = process.env["PROPERTY_REPLAY"]
const factor = Number(process.env["PROPERTY_RUNS"] ?? 1)

/** Options of `it.prop`: how often a property is tried, and how large its inputs grow. */
export const tries = (runs: number, size = 12) => ({
  arbitrary: { runs: runs * factor, size, ...(replay === undefined ? {} : { replay }) }
})

/** Any of these values. */
export const oneOf = <A>(first: A, ...others: ReadonlyArray<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(wholeNumber(0, others.length), (index) => others[index - 1] ?? first)

export const wholeNumber = (minimum: number, maximum: number): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

/** Few names, so that they meet, each in several spellings. */
export const someUser = Arbitrary.schema(
  Schema.Literals(["ada", "Ada", "ADA", "bob", "Bob", "Σας", "σΑΣ", "straße", "STRASSE", "STRAẞE", "z"])
).pipe(Arbitrary.map((name) => UserName.make(name)))

export const someRoom = Arbitrary.schema(Schema.Literals(["dev", "Dev", "ops", "OPS", "Ж", "ж"])).pipe(
  Arbitrary.map((name) => RoomName.make(name))
)

/** Few connections, so that they meet. */
export const someSession = wholeNumber(1, 6).pipe(Arbitrary.map((id) => SessionId.make(id)))

/** Characters that have troubled somebody's chat before. All of them are allowed in a message's content. */
const troublesome = Schema.Literals([
  "a",
  " ",
  "\n",
  "\t",
  '"',
  "\\",
  "\u00a0",
  "é",
  "e\u0301",
  "ß",
  "\u2028",
  "\u202e",
  "\ufeff",
  "\ufffd",
  "漢",
  "😀",
  "👩‍👩‍👧",
  "\u{10ffff}"
])

/** The content of a chat message, of the kind people paste. */
export const troublesomeContent = Arbitrary.array(Arbitrary.schema(troublesome), { minLength: 1 }).pipe(
  Arbitrary.map((characters) => characters.join(""))
)

/** Where to cut `length` bytes: fractions, so that shrinking the bytes leaves the cuts inside. */
export const someCuts = Arbitrary.array(
  Arbitrary.schema(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })))
)

/** The same bytes in several pieces, some of which may be empty. */
export const cutAt = (bytes: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const places = cuts.map((fraction) => Math.floor(fraction * bytes.length)).toSorted((a, b) => a - b)
  return [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end))
}
