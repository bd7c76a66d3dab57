import { assert, describe, it } from "@effect/vitest"
import { UserName } from "../../../src/common/name/UserName.ts"
import { loginText } from "../../../src/common/ssh/LoginText.ts"
import { login } from "./Samples.ts"

const textOf = (changes: Partial<typeof login>) => {
  const text = loginText({ ...login, ...changes })
  return text === undefined ? undefined : new TextDecoder().decode(text)
}

describe("What a key signs to log in", () => {
  it("is four lines: what for, where, who and just now", () => {
    assert.strictEqual(textOf({}), "parley-login\nchat.example.org\nada\nnonce\n")
    assert.strictEqual(textOf({ host: "::1", user: UserName.make("Éva") }), "parley-login\n::1\nÉva\nnonce\n")
    assert.strictEqual(textOf({ host: "bücher.example" }), "parley-login\nbücher.example\nada\nnonce\n")
  })

  it("is nothing where a line could be taken for two, or one not be seen", () => {
    for (const word of ["", "a\nb", "a\rb", "a\u2028b", "a b", "a\u0000b", "a\u200bb", "a\u202eb", "\ud800"]) {
      assert.isUndefined(textOf({ host: word }), `host ${JSON.stringify(word)}`)
      assert.isUndefined(textOf({ nonce: word }), `nonce ${JSON.stringify(word)}`)
    }
  })

  it("names a host of 255 characters at most", () => {
    assert.isDefined(textOf({ host: "h".repeat(255) }))
    assert.isUndefined(textOf({ host: "h".repeat(256) }))
  })
})
