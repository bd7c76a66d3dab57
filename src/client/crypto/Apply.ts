/**
 * Commits that come in the log (RFC 9420, section 12.4.2): what they make of the group, or why they make nothing of it.
 *
 * Stricter than the RFC: a commit holds Adds and Removes of its own alone, adds only what Commit.ts would, and its committer stays
 * who they were. A commit that is refused changes nothing; all members refuse the same, but for what was sent to one of them.
 */
import { Effect } from "effect"
import type { IncomingMessageCallback } from "ts-mls/incomingMessageAction.js"
import { CryptoVerificationError } from "ts-mls/mlsError.js"
import { processPrivateMessage } from "ts-mls/processMessages.js"
import { emptyPskIndex } from "ts-mls/pskIndex.js"
import type { ProposalWithSender } from "ts-mls/unappliedProposals.js"
import { areEqual, copyOf } from "./Bytes.ts"
import { maxAdds, type PendingCommit } from "./Commit.ts"
import { BadSignature, Damaged } from "./CryptoError.ts"
import { type Group, groupOf, type Member, memberAt, membersOf, ownLeafOf, withConfig } from "./Group.ts"
import { type Identity, identityIn, isSameIdentity } from "./Identity.ts"
import { readIncoming } from "./Incoming.ts"
import { keyPackageIssue } from "./KeyPackage.ts"
import { suite } from "./Suite.ts"
import { checkTree } from "./TreeCheck.ts"
import { type IsTrusted, trusting } from "./Trust.ts"

interface Applied {
  /** The group from now on; undefined if this device is not in it any more. */
  readonly group: Group | undefined
  readonly by: Member
  readonly added: ReadonlyArray<Identity>
  readonly removed: ReadonlyArray<Member>
  readonly authenticatedData: Uint8Array
}

/** Whether these are the bytes of one's own commit, whose `next` is then the group. */
export const isPending = (pending: Pick<PendingCommit, "bytes">, bytes: Uint8Array): boolean =>
  areEqual(pending.bytes, bytes)

/** Applies a commit of another device. One's own are known by `isPending`; another one's own fails with FromThisDevice. */
export const apply = Effect.fnUntraced(function* (group: Group, bytes: Uint8Array, isTrusted: IsTrusted) {
  const { message, sender } = yield* readIncoming(group, bytes, "commit")
  const cs = yield* suite
  const trust = trusting(isTrusted)
  const seen: { issue?: string; proposals: ReadonlyArray<ProposalWithSender> } = { proposals: [] }
  const inspect: IncomingMessageCallback = (incoming) => {
    if (incoming.kind === "proposal") return "reject"
    const issue = proposalsIssue(incoming.proposals, sender.leaf)
    seen.proposals = incoming.proposals
    if (issue !== undefined) seen.issue = issue
    return issue === undefined ? "accept" : "reject"
  }
  const processed = yield* trust.attempt(
    () => processPrivateMessage(withConfig(group, trust), message, emptyPskIndex, cs, inspect),
    (cause) =>
      cause instanceof CryptoVerificationError && cause.message === wrongSignature
        ? new BadSignature({ user: sender.user, device: sender.device })
        : new Damaged({ issue: "this change of keys does not follow from what was before" })
  )
  if (processed.kind !== "newState" || processed.actionTaken === "reject") {
    return yield* new Damaged({ issue: seen.issue ?? "it is no change of keys" })
  }

  const { added, removed } = rosterOf(group, seen.proposals)
  const told = { by: sender, added, removed, authenticatedData: copyOf(message.authenticatedData) }
  if (removed.some(({ leaf }) => leaf === ownLeafOf(group))) return { ...told, group: undefined } satisfies Applied
  const next = groupOf(processed.newState)
  const after = memberAt(next, sender.leaf)
  if (after === undefined || !isSameIdentity(after, sender) || !areEqual(after.publicKey, sender.publicKey)) {
    return yield* new Damaged({ issue: "who changed the keys became somebody else" })
  }
  yield* checkTree(next)
  return { ...told, group: next } satisfies Applied
})

/** The library's words where the signature of the commit itself, rather than something in it, is wrong. */
const wrongSignature = "Signature invalid"

const proposalsIssue = (proposals: ReadonlyArray<ProposalWithSender>, committer: number): string | undefined => {
  let adds = 0
  for (const { proposal, senderLeafIndex } of proposals) {
    if (senderLeafIndex !== committer) return "it carries out what somebody else proposed"
    if (proposal.proposalType === "add") {
      adds += 1
      const issue = keyPackageIssue(proposal.add.keyPackage)
      if (issue !== undefined) return issue
    } else if (proposal.proposalType !== "remove") return "it changes more than who is in"
  }
  return adds > maxAdds ? `it adds more than ${maxAdds} devices` : undefined
}

const rosterOf = (group: Group, proposals: ReadonlyArray<ProposalWithSender>) => {
  const before = membersOf(group)
  const added = proposals.flatMap(({ proposal }) => {
    const identity =
      proposal.proposalType === "add" ? identityIn(proposal.add.keyPackage.leafNode.credential) : undefined
    return identity === undefined ? [] : [identity]
  })
  const removed = proposals.flatMap(({ proposal }) =>
    proposal.proposalType === "remove" ? before.filter(({ leaf }) => leaf === proposal.remove.removed) : []
  )
  return { added, removed }
}
