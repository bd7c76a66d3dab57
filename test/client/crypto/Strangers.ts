/** A commit by which a member lets in devices whom the others do not trust, or whose packages are not signed by them. */
import { Effect } from "effect"
import { createCommit } from "ts-mls/createCommit.js"
import { encodeMlsMessage } from "ts-mls/message.js"
import { apply } from "../../../src/client/crypto/Apply.ts"
import { maxAdds } from "../../../src/client/crypto/Commit.ts"
import { withConfig } from "../../../src/client/crypto/Group.ts"
import { suite } from "../../../src/client/crypto/Suite.ts"
import { type IsTrusted, trusting } from "../../../src/client/crypto/Trust.ts"
import { deviceOf, packageOf, three, trustingAll } from "./Crowd.ts"

/** How the others take it, and how many promises of theirs failed that nobody waited for: any of them ends a process. */
export const addingStrangers = Effect.gen(function* () {
  const { ofAda, ofBob } = yield* three
  const cs = yield* suite
  const strangers = yield* Effect.forEach(Array.from({ length: maxAdds }), (_, index) => deviceOf(`stranger${index}`))
  const packages = yield* Effect.forEach(strangers, packageOf)
  const madeBy = (isSigned: boolean) =>
    Effect.promise(() =>
      createCommit(
        {
          state: withConfig(ofBob, trusting(trustingAll)),
          // He does not look whether they are signed.
          cipherSuite: { ...cs, signature: { ...cs.signature, verify: () => Promise.resolve(true) } }
        },
        {
          extraProposals: packages.map(({ read: { mls } }) => {
            const { leafNode } = mls
            const keyPackage = isSigned ? mls : { ...mls, leafNode: { ...leafNode, signature: new Uint8Array(64) } }
            return { proposalType: "add" as const, add: { keyPackage } }
          }),
          ratchetTreeExtension: true
        }
      )
    ).pipe(Effect.map(({ commit }) => encodeMlsMessage(commit)))

  let unhandled = 0
  const count = () => {
    unhandled += 1
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("unhandledRejection", count)),
    () => Effect.sync(() => process.off("unhandledRejection", count))
  )
  const outcomes: Array<string> = []
  for (const [isSigned, trusted] of [
    [true, 0],
    [true, 1],
    [true, maxAdds - 1],
    [false, maxAdds]
  ] as const) {
    const unknown = new Set<string>(strangers.slice(trusted).map(({ identity }) => identity.user))
    const isTrusted: IsTrusted = ({ user }) => !unknown.has(user)
    const error = yield* Effect.flip(apply(ofAda, yield* madeBy(isSigned), isTrusted))
    outcomes.push(error._tag)
    // Node tells of them once nothing more is under way.
    yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
  }
  return { outcomes, unhandled }
}).pipe(Effect.scoped)
