import { assert, describe, it } from "@effect/vitest"
import { linksIn } from "../../../src/common/text/Links.ts"
import { NastyText } from "../../client/NastyText.ts"
import { tries } from "../../support/generators.ts"

const targets = (text: string) => linksIn(text).map(({ target }) => target)

describe("The links in a text", () => {
  it("are addresses of the web and of mail, as they stand", () => {
    assert.deepStrictEqual(targets("see https://example.org/a?b=c#d and HTTP://Example.org, mailto:ada@example.org"), [
      "https://example.org/a?b=c#d",
      "HTTP://Example.org",
      "mailto:ada@example.org"
    ])
  })

  it("are nothing else, whatever looks like one", () => {
    const others = ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ssh://host", "ftp://host/x"]
    assert.deepStrictEqual(targets([...others, "https://", "https:///x", "mailto:ada", "xhttps://a.org"].join(" ")), [])
  })

  it("end before the stops and brackets of the sentence, and keep brackets of their own", () => {
    assert.deepStrictEqual(
      targets("(https://example.org/a). Or https://example.org/wiki/A_(b)! **https://example.org**"),
      ["https://example.org/a", "https://example.org/wiki/A_(b)", "https://example.org"]
    )
  })

  it("are both, where one is written as the name of another", () => {
    assert.deepStrictEqual(targets("[https://good.example](https://evil.example/x)"), [
      "https://good.example",
      "https://evil.example/x"
    ])
  })

  it("say how a host in other letters is really called", () => {
    const [link] = linksIn("https://аpple.com/ä")
    assert.deepStrictEqual([link?.target, link?.host], ["https://xn--pple-43d.com/%C3%A4", "xn--pple-43d.com"])
    assert.isUndefined(linksIn("https://example.org/ä")[0]?.host)
  })

  it("say where one goes that begins with the name of a user, as with that of another host", () => {
    const [link] = linksIn("http://paypal.com@evil.example/login")
    assert.deepStrictEqual([link?.target, link?.host], ["http://paypal.com@evil.example/login", "evil.example"])
  })

  it("have no mail program attach anything: to whom and about what is all that they say", () => {
    assert.deepStrictEqual(targets("mailto:ada@example.org?attach=/etc/passwd&subject=Tea%20%26%20cake&body=x"), [
      "mailto:ada@example.org?subject=Tea%20%26%20cake"
    ])
  })

  it("are no longer than browsers take them", () => {
    assert.deepStrictEqual(targets(`https://example.org/${"x".repeat(3000)}`), [])
  })

  it.prop(
    "go to printable ASCII that begins with its scheme, and stand in the text where they say",
    { text: NastyText },
    ({ text }) => {
      const content = text.map((part) => `https://a.org/${part}x${part}`).join("")
      for (const { index, shown, target } of linksIn(content)) {
        assert.match(target, /^https?:\/\/[\x21-\x7e]+$/)
        assert.isTrue(content.startsWith(shown, index))
        assert.notMatch(shown, /[\p{Cc}\p{Bidi_Control}\s]/u)
      }
    },
    tries(100)
  )
})
