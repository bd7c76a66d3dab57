import { assert, describe, it } from "@effect/vitest"
import { commandFor, followed } from "../../../src/client/full/Browser.ts"

const desktop = { platform: "linux", browser: "", display: ":0", waylandDisplay: "" }
const link = "https://example.org/a?b=$(c)&d='e'"

describe("A link is opened", () => {
  it("by what the desktop has for it, or by the first command of BROWSER, of which it is one word", () => {
    assert.deepStrictEqual(commandFor(link, desktop), { program: "xdg-open", words: [link] })
    assert.deepStrictEqual(commandFor(link, { ...desktop, platform: "darwin", display: "" })?.program, "open")
    assert.deepStrictEqual(commandFor(link, { ...desktop, browser: "firefox --new-tab:links" }), {
      program: "firefox",
      words: ["--new-tab", link]
    })
    const placed = commandFor("https://a.org/$&%s", {
      ...desktop,
      display: "",
      waylandDisplay: "w",
      browser: "b -u %s -q"
    })
    assert.deepStrictEqual(placed?.words, ["-u", "https://a.org/$&%s", "-q"])
  })

  it("by nothing where there are no windows, and never if it is none", () => {
    assert.isUndefined(commandFor(link, { ...desktop, browser: "firefox", display: "" }))
    for (const other of [
      "--version",
      "file:///etc/passwd",
      "javascript:x",
      "https://a.org/ x",
      "https://a.org/\u001b"
    ]) {
      assert.isUndefined(commandFor(other, desktop), other)
    }
  })

  it("or copied, and it is said what was done", () => {
    assert.strictEqual(followed("x:", true, true), "Opened and copied x:")
    assert.strictEqual(followed("x:", true, false), "Opened x:")
    assert.strictEqual(followed("x:", false, true), "Copied; no browser here: x:")
    assert.strictEqual(followed("x:", false, false), "No browser here, and no copies: x:")
  })
})
