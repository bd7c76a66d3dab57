import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { nameKey } from "../../../src/common/name/Name.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { groups, unicodeVersion } from "../../../src/server/accounts/Confusables.ts"
import { Look, looksOf, skeleton } from "../../../src/server/accounts/Skeleton.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"

const decode = Schema.decodeSync(UserName)

const lookAlike = (one: string, other: string): boolean => {
  const looks = looksOf(decode(other))
  return looksOf(decode(one)).some((look) => looks.includes(look))
}

/**
 * Every letter, digit and mark that may stand in a name, behind a letter that it can join; but for those that are neither a
 * capital nor replaced by anything, which most are, and Hangul, whose 11,000 syllables are made of a few parts.
 */
const names: ReadonlyArray<UserName> = Array.from({ length: 0x110000 }, (_, codePoint) => codePoint)
  .filter((codePoint) => codePoint < 0xd800 || codePoint > 0xdfff)
  .map((codePoint) => String.fromCodePoint(codePoint))
  .filter(
    (letter) =>
      /(?!\p{Script=Hangul})[\p{L}\p{Nd}\p{M}]/u.test(letter) &&
      (skeleton(letter) !== letter.normalize("NFD") || nameKey(letter) !== letter)
  )
  .map((letter) => `x${letter}`)
  .filter((text) => text.normalize("NFKC") === text && Schema.is(UserName)(text))
  .map((text) => UserName.make(text))

/** Letters of any script by what they look like. */
const bySkeleton = Map.groupBy(
  names
    .map((name) => name.slice(1))
    .concat(..."abcdefghijklnopqrstuvwxyz")
    .filter((letter) => /^[\p{L}\p{Nd}]$/u.test(letter)),
  skeleton
)

/** A name of Latin letters and digits, and one that is spelt with others. */
const disguised = Arbitrary.map(
  Arbitrary.array(
    Arbitrary.all([
      oneOf("a", ..."bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
      wholeNumber(0, 1e6)
    ]),
    { minLength: 1, maxLength: 12 }
  ),
  (letters) =>
    [
      letters.map(([letter]) => letter).join(""),
      letters
        .map(([letter, choice]) => {
          const alike = bySkeleton.get(skeleton(letter)) ?? []
          return alike[choice % alike.length] ?? letter
        })
        .join("")
    ] as const
)

describe("The table of what looks alike", () => {
  it("is that of Unicode 17, all of it", () => {
    assert.strictEqual(unicodeVersion, "17.0.0")
    // Each source is behind an "=" or a ",".
    assert.lengthOf(groups.match(/[,=]/g) ?? [], 6565)
  })

  it.each([
    ["a", "a"],
    ["а", "a"],
    ["m", "rn"],
    ["1", "l"],
    ["I", "l"],
    ["|", "l"],
    ["0", "O"],
    ["⁇", "??"],
    ["\u{1d41a}", "a"],
    ["é", "e\u0301"],
    ["z\u00ad", "z"],
    ["ɓ\u0323", "b\u0323\u0314"]
  ])("gives %j the skeleton %j", (text, expected) => {
    assert.strictEqual(skeleton(text), expected)
  })
})

describe("A name", () => {
  it("is tried with thousands of letters", () => {
    assert.isAbove(names.length, 3000)
    assert.isAbove(bySkeleton.get("a")?.length ?? 0, 3)
  })

  it.each([
    ["ada", "аdа", "Cyrillic а"],
    ["ada", "Αda", "a Greek capital"],
    ["ada", "Ａｄａ", "full width"],
    ["anna", "ΑΝΝΑ", "Greek capitals, whose small letters look like avva"],
    ["Anna", "ΑΝΝΑ", "the same for a name with a capital of its own"],
    ["ben", "ВЕN", "Cyrillic capitals"],
    ["henry", "Нenry", "a Cyrillic capital, whose small letter looks like another"],
    ["paul", "pau1", "1 for l"],
    ["Paul", "PauI", "capital I for l"],
    ["Ilya", "llya", "l for capital I"],
    ["Ilya", "1lya", "1 for capital I"],
    ["modern", "rnodern", "rn for m"],
    ["Mary", "rnary", "rn for a capital M"],
    ["oliver", "0liver", "0 for o"],
    ["Oliver", "0LIVER", "0 for O"],
    ["bob_2", "bob_ᒿ", "a syllabic 2"],
    ["strasse", "straße", "it is the same name"],
    ["zoe", "z٥e", "an Arabic five for o"]
  ])("%s looks like %s: %s", (one, other) => {
    assert.isTrue(lookAlike(one, other))
    assert.isTrue(lookAlike(other, one))
  })

  it.each([
    ["ada", "adam"],
    ["ada", "âda"],
    ["paul", "paui"],
    ["ian", "lan"],
    ["bill", "biil"],
    ["anna", "αννα"],
    ["ж", "x"],
    ["will", "vvill"],
    ["dora", "clora"],
    ["a.b", "a-b"],
    ["a_b", "ab"],
    ["李", "季"]
  ])("%s does not look like %s", (one, other) => {
    assert.isFalse(lookAlike(one, other))
  })

  it("has looks that are their own looks, whatever letter is in it", () => {
    const unstable = names.filter((name) => looksOf(name).some((look) => look !== Look.make(nameKey(skeleton(look)))))
    assert.deepStrictEqual(unstable, [])
  })

  it.prop(
    "has looks that are their own looks, whatever letters are beside each other, and no more than two",
    [UserName],
    ([name]) => {
      const looks = looksOf(name)
      for (const look of looks) assert.strictEqual(Look.make(nameKey(skeleton(look))), look)
      assert.isTrue(looks.length === 1 || looks.length === 2)
    },
    tries(300)
  )

  it("shares a look with all its spellings, whatever letter is in it", () => {
    const apart = names.filter((name) =>
      [name.toLowerCase(), name.toUpperCase(), nameKey(name)].some(
        (spelling) => looksOf(UserName.make(spelling.normalize("NFKC")))[0] !== looksOf(name)[0]
      )
    )
    assert.deepStrictEqual(apart, [])
  })

  it("shares a look with each that is the same after folding, skeleton and folding again", () => {
    const looks = new Map<string, string | undefined>()
    const apart = names.filter((name) => {
      const once = nameKey(skeleton(nameKey(name)))
      const [look] = looksOf(name)
      if (!looks.has(once)) looks.set(once, look)
      return looks.get(once) !== look
    })
    assert.deepStrictEqual(apart, [])
  })

  it.prop(
    "shares a look with every name made of letters that look like its own",
    [disguised],
    ([[name, disguise]]) => {
      assert.isTrue(lookAlike(name, disguise), `${name} ${disguise}`)
    },
    tries(300)
  )
})
