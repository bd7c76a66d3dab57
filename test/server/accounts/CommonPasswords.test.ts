import { assert, describe, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { CommonPasswords } from "../../../src/server/accounts/CommonPasswords.ts"

const issueOf = (password: string) =>
  Effect.flatMap(CommonPasswords, (passwords) => passwords.issueOf(Redacted.make(password)))

const length = "must have 10 to 256 characters"
const common = "must be none of the commonest passwords: take a few words that have nothing to do with each other"

describe("A new password", () => {
  layer(CommonPasswords.layer)((it) => {
    it.effect("has 10 to 256 characters, however many bytes each of them takes", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* issueOf(""), length)
        assert.strictEqual(yield* issueOf("sgorrwqzi"), length)
        assert.isUndefined(yield* issueOf("sgorrwqzig"))
        assert.isUndefined(yield* issueOf("q".repeat(256)))
        assert.strictEqual(yield* issueOf("q".repeat(257)), length)
        assert.strictEqual(yield* issueOf("😀".repeat(9)), length)
        assert.isUndefined(yield* issueOf("😀".repeat(10)))
        assert.isUndefined(yield* issueOf("😀".repeat(256)))
        assert.strictEqual(yield* issueOf("😀".repeat(257)), length)
      })
    )

    it.effect("is counted in letters with their marks, as those are that are typed as one", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* issueOf("e\u0301".repeat(9)), length)
        assert.isUndefined(yield* issueOf("e\u0301".repeat(10)))
      })
    )

    it.effect("is none of the commonest", () =>
      Effect.gen(function* () {
        for (const password of [
          "1234567890",
          "qwertyuiop",
          "password123",
          "basketball",
          "1qaz2wsx3edc",
          "q1w2e3r4t5y6"
        ]) {
          assert.strictEqual(yield* issueOf(password), common, password)
        }
        assert.isUndefined(yield* issueOf("password123 of a ferry"))
      })
    )

    it.effect("is none of them in capitals either", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* issueOf("QwertyUIOP"), common)
        assert.strictEqual(yield* issueOf("PASSWORD123"), common)
        assert.strictEqual(yield* issueOf("paßword123".replace("ß", "ſſ")), common)
      })
    )

    it.effect("may hold whatever one can type", () =>
      Effect.gen(function* () {
        assert.isUndefined(yield* issueOf("   a b c   "))
        assert.isUndefined(yield* issueOf("пароль из слов"))
        assert.isUndefined(yield* issueOf("\u202ehidden\u0007bell"))
      })
    )
  })
})
