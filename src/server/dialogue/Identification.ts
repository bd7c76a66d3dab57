/**
 * Who a stranger is: a guest, somebody who makes an account, or the account whose credentials it has.
 *
 * A key takes two Handshakes: the first is answered with a Challenge, which is good for one proof on that connection.
 */
import { Effect, Option, Result } from "effect"
import type { ClientMessage } from "../../common/wire/ClientMessage.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { Login } from "../accounts/Login.ts"
import type { Proven } from "../accounts/Proof.ts"
import { type Registered, Registering } from "../accounts/Registering.ts"
import type { Session } from "../session/Session.ts"

export type Greeting = Extract<ClientMessage, { readonly _tag: "Handshake" }>

export type Identity =
  | { readonly _tag: "Guest" }
  | { readonly _tag: "Newcomer"; readonly register: Effect.Effect<Result.Result<Registered, Rejection>> }
  | ({ readonly _tag: "Account" } & Proven)
  | { readonly _tag: "Challenged"; readonly nonce: string }

export const make = Effect.gen(function* () {
  const login = yield* Login
  const registering = yield* Registering

  /** `challenge`: what a key was to sign. */
  return Effect.fnUntraced(function* (
    { peer }: Session,
    { credentials, device, register, user }: Greeting,
    challenge: string | undefined
  ): Effect.fn.Return<Result.Result<Identity, Rejection>> {
    if (register !== undefined) {
      const { invite, password } = register
      if (credentials !== undefined) return Result.fail(oneOfBoth)
      const applicant = { user, password, invite, device, peer, action: "Handshake" as const }
      // Before the name is claimed: somebody may be here as the account that has it.
      const refusal = registering.refusalOf(applicant)
      if (refusal !== undefined) return Result.fail(refusal)
      return Result.succeed({ _tag: "Newcomer", register: registering.register(applicant) })
    }
    if (credentials === undefined) {
      return Option.match(Option.fromUndefinedOr(registering.refusalOfGuest(user)), {
        onNone: (): Result.Result<Identity, Rejection> => Result.succeed({ _tag: "Guest" }),
        onSome: (refusal) => Result.fail(refusal)
      })
    }
    if (credentials._tag === "Key") return Result.succeed({ _tag: "Challenged", nonce: yield* login.challenge })
    const proven = yield* login.prove({ user, device, challenge, peer }, credentials)
    return Result.map(proven, (account): Identity => ({ _tag: "Account", ...account }))
  })
})

const oneOfBoth: Rejection = {
  _tag: "InvalidMessage",
  issue: "credentials, register: only one of the two may be given"
}
