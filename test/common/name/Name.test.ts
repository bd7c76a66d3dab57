import { assert, describe, it } from "@effect/vitest"
import { Result, Schema, SchemaIssue } from "effect"
import { nameKey } from "../../../src/common/name/Name.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { tries } from "../../support/generators.ts"
import { normalizedBy } from "../../support/Normalizations.ts"

const decodeUser = Schema.decodeUnknownResult(UserName)
const decodeRoom = Schema.decodeUnknownResult(RoomName)
const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const messages = (result: Result.Result<string, Schema.SchemaError>) =>
  Result.isFailure(result) ? formatIssue(result.failure.issue).issues.map(({ message }) => message) : []

/** What is wrong with it as a user's name, and as a room's. */
const refusals = (name: unknown) => [messages(decodeUser(name)), messages(decodeRoom(name))]

/** Every code point that may stand in a name, in the form it is kept in: about 138,000. */
const characters: ReadonlyArray<string> = Array.from({ length: 0x110000 }, (_, codePoint) => codePoint)
  .filter((codePoint) => codePoint < 0xd800 || codePoint > 0xdfff)
  .map((codePoint) => String.fromCodePoint(codePoint).normalize("NFKC"))
  .filter((text) => /^[\p{L}\p{Nd}]+$/u.test(text))

const whereKeysDiffer = (spell: (name: string) => string) =>
  characters.filter((text) => nameKey(spell(text).normalize("NFKC")) !== nameKey(text))

describe("A name", () => {
  it.prop(
    "that was generated from its schema is kept as it is",
    [UserName, RoomName],
    ([user, room]) => {
      assert.deepStrictEqual(decodeUser(user), Result.succeed(user))
      assert.deepStrictEqual(decodeRoom(room), Result.succeed(room))
    },
    tries(300, 40)
  )

  it.prop(
    "is normalised to NFKC, whatever form it was typed in",
    [UserName],
    ([user]) => {
      for (const form of ["NFD", "NFC", "NFKD"]) {
        assert.deepStrictEqual(decodeUser(user.normalize(form)), Result.succeed(user))
      }
    },
    tries(300)
  )

  it.each([
    ["Ａｄａ", "Ada"],
    ["ﬁn", "fin"],
    ["e\u0301lan", "élan"],
    ["x²", "x2"],
    ["Ⅸa", "IXa"]
  ])("typed as %s is kept as %s", (typed, kept) => {
    assert.deepStrictEqual(decodeUser(typed), Result.succeed(UserName.make(kept)))
  })

  it("is no UserName or RoomName before it is normalised", () => {
    assert.isFalse(Schema.is(UserName)("Ａｄａ"))
    assert.isFalse(Schema.is(RoomName)("ﬁn"))
  })

  it.each(["a", "Z", "7", "ж", "漢", "𠀀", "a_b", "a.b", "a-b", "a--", "1.", "٣"])("may be %s", (name) => {
    assert.deepStrictEqual(refusals(name), [[], []])
  })

  const alphabet =
    "must start with a letter or digit and hold only letters with up to three marks, digits, '_', '.' and '-'"
  it.each([
    ["nothing", ""],
    ["a space", "a b"],
    ["a space at the end", "ada "],
    ["a dot in front", ".ada"],
    ["a dash in front", "-ada"],
    ["an underscore in front", "_ada"],
    ["an at sign", "a@b"],
    ["a slash", "a/b"],
    ["an escape sequence", "\u001b[31mada"],
    ["a newline at the end", "ada\n"],
    ["a right-to-left override", "ada\u202e"],
    ["a zero-width space", "a\u200bda"],
    ["a mark with no letter to join", "1\u0489"],
    ["a letter with four marks", "a\u0489\u0489\u0489\u0489"],
    ["an emoji", "😀"],
    ["half a surrogate pair", "a\ud800"],
    ["a soft hyphen", "a\u00adb"]
  ])("with %s in it is refused with a sentence about the alphabet", (_, name) => {
    for (const messages of refusals(name)) assert.include(messages, alphabet)
  })

  it.each(["\u3164", "ada\u115f", "a\u1160b", "\uffa0"])(
    "does not hold the filler in %j, which nobody can see",
    (name) => {
      const [user, room] = refusals(name)
      assert.deepStrictEqual(user, ["must not hold letters that cannot be seen"])
      assert.deepStrictEqual(room, user)
    }
  )

  it.each([5, true, null, {}, ["ada"]])("that is %j instead of text is refused", (name) => {
    for (const messages of refusals(name)) assert.lengthOf(messages, 1)
  })

  it.each(["a", "𠀀"])(
    "has 32 characters at most if a user's and 64 if a room's, counted in code points (%s)",
    (one) => {
      assert.deepStrictEqual(refusals(one.repeat(32)), [[], []])
      assert.deepStrictEqual(refusals(one.repeat(33)), [["must have 1 to 32 characters"], []])
      assert.deepStrictEqual(refusals(one.repeat(64)), [["must have 1 to 32 characters"], []])
      assert.deepStrictEqual(refusals(one.repeat(65)), [
        ["must have 1 to 32 characters"],
        ["must have 1 to 64 characters"]
      ])
    }
  )

  it("is measured in the form it is kept in", () => {
    // One code point that NFKC makes three letters of.
    assert.deepStrictEqual(refusals("㎦".repeat(10) + "ab"), [[], []])
    assert.deepStrictEqual(refusals("㎦".repeat(11)), [["must have 1 to 32 characters"], []])
  })
})

describe("The key of a name", () => {
  it("is the same for a letter in either case, for every letter there is", () => {
    assert.deepStrictEqual(
      whereKeysDiffer((text) => text.toLowerCase()),
      []
    )
    assert.deepStrictEqual(
      whereKeysDiffer((text) => text.toUpperCase()),
      []
    )
  })

  it("is the key of itself, for every letter there is", () => {
    assert.deepStrictEqual(whereKeysDiffer(nameKey), [])
  })

  it("does not depend on the letters around it", () => {
    const inside = characters.filter(
      (text) => nameKey(`a${text}a`) !== nameKey(`A${text.toUpperCase()}A`.normalize("NFKC"))
    )
    assert.deepStrictEqual(inside, [])
  })

  it.prop(
    "is the same for a name in either case",
    [UserName],
    ([user]) => {
      assert.strictEqual(nameKey(user.toLowerCase().normalize("NFKC")), nameKey(user))
      assert.strictEqual(nameKey(user.toUpperCase().normalize("NFKC")), nameKey(user))
      assert.strictEqual(nameKey(nameKey(user)), nameKey(user))
    },
    tries(300)
  )

  it.each([
    ["Ada", "ADA"],
    ["straße", "STRASSE"],
    ["straße", "STRAẞE"],
    ["ΣΑΣ", "σας"],
    ["ΣΑΣ", "σασ"],
    ["Ⅸ".normalize("NFKC"), "ix"]
  ])("makes %s and %s one name", (one, other) => {
    assert.strictEqual(nameKey(one), nameKey(other))
  })

  it.each([
    ["ada", "ada1"],
    ["a.b", "a-b"],
    ["e", "é"],
    ["ж", "m"],
    ["o", "0"]
  ])("keeps %s and %s apart", (one, other) => {
    assert.notStrictEqual(nameKey(one), nameKey(other))
  })

  it.each(["UserName", "RoomName"])("of thousands of marks is refused before it is normalised: %s", (kind) => {
    const crowded = `a${"\u0315".repeat(16_000)}${"\u0316".repeat(16_000)}`
    const texts = normalizedBy(() => {
      if (kind === "UserName") assert.isTrue(Result.isFailure(decodeUser(crowded)))
      else assert.isTrue(Result.isFailure(decodeRoom(crowded)))
    })
    assert.isAtMost(Math.max(0, ...texts.map(({ length }) => length)), 512)
  })

  it("may be typed letter by part of a letter, up to its whole length", () => {
    const typed = "각".repeat(32).normalize("NFD")
    assert.strictEqual(Result.getOrThrow(decodeUser(typed)), "각".repeat(32))
  })
})
