/**
 * Whether a password that somebody wants to take is good enough: long enough, and none of those that are tried first.
 *
 * The list is that of zxcvbn (49,000, of which 1,600 are long enough), which takes 25 ms to load and 5 MB: it is loaded
 * when somebody first takes a password. A password is looked up without regard to case.
 */
import { Context, Effect, Layer, Redacted } from "effect"
import { lengthIssue, minPasswordCharacters, opaque } from "./PasswordText.ts"

export class CommonPasswords extends Context.Service<
  CommonPasswords,
  {
    /** What is wrong with a new password, as the rest of a sentence that says what it must be; undefined if nothing is. */
    readonly issueOf: (password: Redacted.Redacted) => Effect.Effect<string | undefined>
  }
>()("parley/server/accounts/CommonPasswords") {
  static readonly layer: Layer.Layer<CommonPasswords> = Layer.effect(
    CommonPasswords,
    Effect.gen(function* () {
      // Whoever asks first may be gone before it is loaded; others wait for the same.
      const common = yield* Effect.cached(Effect.uninterruptible(load))

      return CommonPasswords.of({
        issueOf: Effect.fnUntraced(function* (password) {
          const text = opaque(Redacted.value(password))
          const issue = lengthIssue(text)
          if (issue !== undefined) return issue
          return (yield* common).has(folded(text)) ? isCommon : undefined
        })
      })
    })
  )
}

const isCommon = "must be none of the commonest passwords: take a few words that have nothing to do with each other"

const load = Effect.map(
  Effect.promise(() => import("@zxcvbn-ts/language-common")),
  ({ dictionary }): ReadonlySet<string> =>
    new Set(
      dictionary["passwords-common"]
        .map((password) => folded(opaque(password)))
        .filter((password) => password.length >= minPasswordCharacters)
    )
)

/** Upper-casing in between makes one of letters that lower-casing keeps apart, as `ß` and `ss`. */
const folded = (text: string): string => text.toLowerCase().toUpperCase().toLowerCase().normalize("NFC")
