/** What is a word, in which scripts, and when a text holds what is searched for. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { SearchQuery } from "../../../src/common/wire/ClientMessage.ts"
import { holds, phrasesOf, termsOf } from "../../../src/server/search/SearchWords.ts"
import { oneOf, tries, troublesomeContent, wholeNumber } from "../../support/generators.ts"
import { normalizedBy } from "../../support/Normalizations.ts"

const finds = (query: string, text: string) => holds(termsOf(text), phrasesOf(query))

const words = ["tomato", "Straße", "Ärger", "jardín", "сад", "κήπος", "गार्डन", "東京", "도쿄", "สวน", "2026", "x1"]
const someWord = oneOf("tomato", ...words)
const someGap = oneOf(" ", ", ", "\n", " – ", "! ", "\t(", " 🍅 ")
const someText = Arbitrary.array(Arbitrary.all([someWord, someGap]), { minLength: 1 }).pipe(
  Arbitrary.map((pieces) => pieces.flat().join(""))
)

describe("A search", () => {
  it.prop(
    "finds every word of a text, in any case",
    [someText, wholeNumber(0, 11)],
    ([text, index]) => {
      const word = words[index] ?? ""
      assert.strictEqual(finds(word, text), text.includes(word))
      assert.strictEqual(finds(word.toUpperCase(), text), text.includes(word))
    },
    tries(500)
  )

  it.prop(
    "finds a text by the whole of it, quoted or not",
    [someText],
    ([text]) => {
      assert.isTrue(finds(text, text) && finds(`"${text}"`, text))
    },
    tries(300)
  )

  it.prop(
    "finds terms that stand next to each other wherever they begin, also where they repeat themselves",
    [Arbitrary.array(oneOf("a", "b")), Arbitrary.array(oneOf("a", "b"), { minLength: 1, maxLength: 6 })],
    ([text, wanted]) => {
      assert.strictEqual(
        holds(text, [{ _tag: "Terms", terms: wanted }]),
        ` ${text.join(" ")} `.includes(` ${wanted.join(" ")} `)
      )
    },
    tries(500)
  )

  it("compares no more than 128 terms, and takes as long for a phrase that nearly stands everywhere as for a word", () => {
    for (const query of ["中".repeat(256), "\ufdfa".repeat(256), `"${"a ".repeat(128)}"`]) {
      const terms = phrasesOf(query).flatMap((phrase) => (phrase._tag === "Terms" ? phrase.terms : [phrase.character]))
      assert.isAtMost(terms.length, 128)
      assert.isAtLeast(terms.length, 127)
    }
    let looks = 0
    const text = new Proxy(["b", ...Array.from({ length: 4000 }, () => "a")], {
      get: (target, key) => {
        looks++
        return Reflect.get(target, key)
      }
    })
    assert.isFalse(holds(text, phrasesOf(`"${"a ".repeat(126)}b"`)))
    assert.isAtMost(looks, 20_000)
  })

  it.prop(
    "takes any text for a query without failing, and every query has something to look for",
    [troublesomeContent, SearchQuery],
    ([text, query]) => {
      assert.isBoolean(finds(text, text))
      for (const phrase of phrasesOf(query)) assert.notDeepEqual<unknown>(phrase, { _tag: "Terms", terms: [] })
      assert.isAtMost(phrasesOf(query).length, 16)
    },
    tries(500)
  )

  const cases: ReadonlyArray<readonly [title: string, query: string, text: string, found: boolean]> = [
    ["needs all words, in any order", "ripe tomato", "a tomato, and it is ripe", true],
    ["needs all words", "ripe tomato", "a tomato", false],
    ["does not find parts of words", "tom", "tomato", false],
    ["finds quoted words one after the other", '"ripe tomato"', "the ripe, tomato", true],
    ["does not find quoted words apart", '"ripe tomato"', "ripe and red tomato", false],
    ["takes what an apostrophe or a hyphen joins for neighbours", "don't e-mail", "E-Mail? don't!", true],
    ["does without accents", "jardin", "el jardín", true],
    ["finds accents by accents", "jardín", "el JARDIN", true],
    ["knows the sharp s", "STRASSE", "die Straße", true],
    ["knows the two Greek sigmas", "ΛΟΓΟΣ", "λόγος", true],
    ["knows full-width letters", "abc", "ＡＢＣ", true],
    ["keeps the vowel signs of Indic scripts apart", "गाना", "गीना", false],
    ["finds a two-character word in Chinese", "京都", "我住在京都府", true],
    ["finds a single character, at the end of a run too", "府", "我住在京都府", true],
    ["finds a longer run", "住在京都", "我住在京都府", true],
    ["does not find the same characters in another order", "都京", "我住在京都府", false],
    ["finds a word of a Thai sentence", "กรุงเทพ", "ผมอยู่กรุงเทพมหานคร", true],
    ["finds Korean before a particle", "학교", "학교에서", true],
    ["finds mixed runs", "東京tower", "in 東京Tower!", true],
    ["does not find a run that was broken", "東京tower", "東京都tower", false],
    ["takes operators for words", "salt AND pepper", "pepper or salt", false],
    ["finds operators as words", "salt AND pepper", "pepper and salt", true],
    ["takes punctuation for nothing", 'tomato* (^red) -"col:x"', "Red tomato col X", true],
    ["takes an open quote to the end", '"ripe tomato', "a ripe tomato", true]
  ]
  for (const [title, query, text, found] of cases) {
    it(`${title}: ${query}`, () => assert.strictEqual(finds(query, text), found))
  }
})

it("a letter with thousands of marks is read like one with four of them", () => {
  const text = `ripe x${"\u0315\u0316".repeat(4000)}`
  const texts = normalizedBy(() => {
    assert.isTrue(finds("ripe", text))
    assert.isTrue(finds("x\u0315\u0316\u0315\u0316", text))
  })
  assert.isFalse(texts.some((normalized) => /\p{M}{10}/u.test(normalized)))
})
