/**
 * A signature by one of the account's keys, over what this connection was challenged with (see LoginText).
 *
 * The signature is checked whether or not the account has the key, so that how long it takes tells nothing but what whoever
 * sent the key knows. Where SERVER_NAME is set, it must be for one of these names: another server that was given a challenge by
 * this one, and passed it on, gets a signature for its own.
 */
import { Effect, Option } from "effect"
import { Digest, Signature } from "effect/crypto"
import { loginNamespace, loginText } from "../../common/ssh/LoginText.ts"
import { formatSshPublicKey, parseSshPublicKey } from "../../common/ssh/SshPublicKey.ts"
import { isSignedBy } from "../../common/ssh/SshVerify.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { Accounts } from "./Accounts.ts"
import type { Proof } from "./Proof.ts"

interface Signed {
  readonly publicKey: string
  readonly host: string
  readonly signature: string
}

export const make = Effect.gen(function* () {
  const { serverName } = yield* ServerConfig
  const accounts = yield* Accounts
  const crypto = yield* Effect.context<Digest.Digest | Signature.Signature>()

  const isForThisServer = (host: string) => serverName.length === 0 || serverName.includes(host.toLowerCase())

  const proof: Proof<Signed> = {
    prove: Effect.fnUntraced(function* ({ challenge, user }, { host, publicKey, signature }) {
      const key = parseSshPublicKey(publicKey)
      const text = challenge === undefined ? undefined : loginText({ host, user, nonce: challenge })
      if (key === undefined || text === undefined || !isForThisServer(host)) return Option.none()
      // Whatever the crypto cannot do is no proof.
      const isRight = yield* isSignedBy({ key, namespace: loginNamespace, text, signature }).pipe(
        Effect.provideContext(crypto),
        Effect.orElseSucceed(() => false)
      )
      const found = yield* accounts.find(user)
      if (Option.isNone(found)) return Option.none()
      const { account } = found.value
      const stored = formatSshPublicKey(key)
      const isOurs = Effect.map(accounts.keys(account.id), (keys) => keys.some((one) => one.publicKey === stored))
      return (yield* isOurs) && isRight
        ? Option.some({ account, enrolled: undefined, stillHolds: isOurs })
        : Option.none()
    })
  }
  return proof
})
