import * as process from "node:process"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { mentions } from "../../../src/common/log/Mentions.ts"
import { nameKey } from "../../../src/common/name/Name.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { oneOf, tries } from "../../support/generators.ts"

const names = (content: string, name: string) => mentions(content, UserName.make(name))

describe("A message mentions somebody", () => {
  it("where it holds @ and the name, wherever that stands", () => {
    for (const content of [
      "@ada",
      "hi @ada",
      "@ada hi",
      "a\n@ada\nb",
      "(@ada)",
      "@bob@ada",
      "@@ada",
      "mail@ada",
      "@ @ada"
    ]) {
      assert.isTrue(names(content, "ada"), content)
    }
    for (const content of ["ada", "@ ada", "@", "@bob", "ad@a", "@-ada", ""])
      assert.isFalse(names(content, "ada"), content)
  })

  it("in whatever case, width or form the name is written", () => {
    for (const [content, name] of [
      ["@ADA", "Ada"],
      ["@Ａｄａ", "ada"],
      ["@Rene\u0301", "René"],
      ["@STRASSE", "straße"],
      ["@straße", "STRASSE"],
      ["@STRAẞE", "strasse"],
      ["@σΑΣ!", "Σας"],
      ["@𠀀漢", "𠀀漢"],
      ["@हिन्दी।", "हिन्दी"],
      ["@①a", "1a"]
    ] as const) {
      assert.isTrue(names(content, name), `${content} ${name}`)
    }
    for (const [content, name] of [
      ["@René", "rene"],
      ["@rene", "René"],
      ["@हिन्द", "हिन्दी"],
      ["@हिन्दी", "हिन्द"]
    ] as const) {
      assert.isFalse(names(content, name), `${content} ${name}`)
    }
  })

  it("but not where a name goes on", () => {
    for (const content of [
      "@adam",
      "@ada7",
      "@ada-b",
      "@ada_b",
      "@ada.b",
      "@ada..b",
      "@ada-_.b",
      "@adaé",
      "@ada\u0301",
      "@ada漢"
    ]) {
      assert.isFalse(names(content, "ada"), content)
    }
    for (const content of ["@ada!", "@ada,bob", "@ada:", "@ada's", "@ada/b", "@ada😀", "@ada…", "@ada、"]) {
      assert.isTrue(names(content, "ada"), content)
    }
  })

  it("also at the end of a sentence, whoever of two it is", () => {
    for (const content of ["@ada.", "@ada...", "@ada-", "@ada_ b", "@ada.,b", "@ada.\nb"])
      assert.isTrue(names(content, "ada"), content)
    assert.isTrue(names("@ada.-!", "ada."))
    assert.isTrue(names("@ada.-!", "ada.-"))
    assert.isFalse(names("@ada.-!", "ada-"))
    assert.isFalse(names("@ada", "ada."))
  })

  it("of the longest name that may be, typed as its parts, and of none that is longer", () => {
    const letter = "\u1112\u1161\u11ab"
    assert.isTrue(names(`@${letter.repeat(32)}`, letter.repeat(32).normalize("NFKC")))
    assert.isFalse(names(`@${letter.repeat(33)}`, letter.repeat(32).normalize("NFKC")))
    assert.isFalse(names(`@${"a".repeat(33)}`, "a".repeat(32)))
    assert.isFalse(names(`@${"a".repeat(8000)}`, "a".repeat(32)))
  })

  const someText = Arbitrary.map(
    Arbitrary.array(oneOf("@", "@", "a", "A", "ß", "ss", ".", "-", " ", "é", "e\u0301", "Σ", "ς", "1", "!", "漢")),
    (parts) => parts.join("")
  )
  it.prop(
    "where anybody who looks at each place by itself finds the name, and no letter behind it",
    [someText, oneOf("a", "A", "ass", "aß", "é", "σ", "a.", "a-", "1", "漢a")],
    ([content, name]) => {
      const normal = content.normalize("NFKC")
      const isThere = Array.from(normal, (_, index) => index).some((at) => {
        if ([...normal][at] !== "@") return false
        const behind = [...normal].slice(at + 1)
        return behind.some((_, index) => {
          const [word, rest] = [behind.slice(0, index + 1).join(""), behind.slice(index + 1).join("")]
          return nameKey(word) === nameKey(name) && !word.includes("@") && !/^[_.-]*[\p{L}\p{M}\p{Nd}]/u.test(rest)
        })
      })
      assert.strictEqual(names(content, name), isThere, content)
    },
    tries(1000, 20)
  )

  it("and it costs little to find out, whatever is in it", () => {
    for (const content of [
      "@".repeat(8192),
      "@ada7".repeat(1638),
      `@a${".".repeat(250)}`.repeat(32),
      `@é${"\u0301".repeat(250)}`.repeat(32),
      "@é7".repeat(2730)
    ]) {
      const begun = process.cpuUsage()
      for (let count = 0; count < 10; count++) names(content, "ada")
      const { system, user } = process.cpuUsage(begun)
      // Of this process's time, whatever else the machine does: it takes a hundredth of a second.
      assert.isBelow(system + user, 1_000_000, content.slice(0, 5))
    }
  })
})
