/**
 * What the last of two who were in a group can do once the other has removed them: with the state from before, and the commit that
 * removed them, try whether the next epoch's secrets follow without any secret of the committer's (as they would if the commit
 * secret were zeros; RFC 9420, section 12.4.1).
 */
import { Effect } from "effect"
import { nextEpochContext } from "ts-mls/clientState.js"
import { initializeEpoch } from "ts-mls/keySchedule.js"
import { unprotectPrivateMessage } from "ts-mls/messageProtection.js"
import { removeLeafNode } from "ts-mls/ratchetTree.js"
import { treeHashRoot } from "ts-mls/treeHash.js"
import { toLeafIndex } from "ts-mls/treemath.js"
import { authenticatorOf } from "../../../src/client/crypto/Group.ts"
import { readIncoming } from "../../../src/client/crypto/Incoming.ts"
import { suite } from "../../../src/client/crypto/Suite.ts"
import { retention } from "../../../src/client/crypto/Trust.ts"
import { commits, hex, pair } from "./Crowd.ts"

/** Whether Bob, whom Ada removed and who was the only other one, knows the secrets of the epoch after. */
export const removedDerivesNextEpoch = Effect.gen(function* () {
  const { bob, ofAda, ofBob } = yield* pair
  const { bytes, next } = yield* commits(ofAda, { removes: [bob.identity] })
  const cs = yield* suite
  const { message } = yield* readIncoming(ofBob, bytes, "commit")
  const { groupContext, keySchedule, ratchetTree, secretTree } = ofBob.state
  const { content } = yield* Effect.promise(() =>
    unprotectPrivateMessage(keySchedule.senderDataSecret, message, secretTree, ratchetTree, groupContext, retention, cs)
  )
  if (content.content.contentType !== "commit") return yield* Effect.die("no commit")
  const framed = content.content
  const leaf = framed.commit.path?.leafNode
  if (leaf === undefined) return yield* Effect.die("no path")
  const tree = removeLeafNode(ratchetTree, toLeafIndex(1))
  tree[0] = { nodeType: "leaf", leaf }
  const treeHash = yield* Effect.promise(() => treeHashRoot(tree, cs.hash))
  const context = yield* Effect.promise(() =>
    nextEpochContext(
      groupContext,
      "mls_private_message",
      framed,
      content.auth.signature,
      treeHash,
      ofBob.state.confirmationTag,
      cs.hash
    )
  )
  const zeros = new Uint8Array(cs.kdf.size)
  const guessed = yield* Effect.promise(() => initializeEpoch(keySchedule.initSecret, zeros, context, zeros, cs.kdf))
  return hex(guessed.keySchedule.epochAuthenticator) === hex(authenticatorOf(next))
})
