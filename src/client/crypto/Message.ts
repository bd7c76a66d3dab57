/**
 * Messages of a conversation, sealed and opened: application messages in PrivateMessages (RFC 9420, sections 6.3 and 9).
 *
 * The content is padded, so that its length tells less (section 15.1): to the next power of two from 256 bytes on, of which the
 * longest is 44 KiB because of the frame. Most lines of a chat are then of one length, and there are nine in all; steps that
 * are closer would tell more and save bytes only where there are few messages.
 */
import { Effect } from "effect"
import { createApplicationMessage } from "ts-mls/createMessage.js"
import { encodeMlsMessage } from "ts-mls/message.js"
import { CryptoVerificationError } from "ts-mls/mlsError.js"
import { processPrivateMessage } from "ts-mls/processMessages.js"
import { emptyPskIndex } from "ts-mls/pskIndex.js"
import { maxAuthenticatedBytes } from "../../common/wire/SealedHeader.ts"
import { copyOf } from "./Bytes.ts"
import { BadSignature, Damaged, TooLarge } from "./CryptoError.ts"
import { type Group, groupOf, missing, ownLeafOf, withConfig } from "./Group.ts"
import { readIncoming } from "./Incoming.ts"
import { suite } from "./Suite.ts"
import { retention, trusting, trustingNobody } from "./Trust.ts"

const minPadded = 256
const maxPadded = 44 * 1024

/** Both lengths and the signature stand beside the text. */
const besideText = 4 + 2 + 64

/** The longest text of a chat message, with its frame of JSON, has fewer. */
export const maxPlaintextBytes = maxPadded - besideText

/**
 * Seals bytes for everybody who is in the group now. `authenticatedData` goes in the clear but unchanged. Store `group` before
 * `bytes` leave this device: sealing again from the old one would use the key of `generation` twice.
 */
export const seal = Effect.fnUntraced(function* (
  group: Group,
  plaintext: Uint8Array,
  authenticatedData: Uint8Array = new Uint8Array(0)
) {
  yield* limit(plaintext, maxPlaintextBytes)
  yield* limit(authenticatedData, maxAuthenticatedBytes)
  const cs = yield* suite
  const trust = trusting(trustingNobody)
  trust.config.paddingConfig = { kind: "padUntilLength", padUntilLength: paddedLength(plaintext.length) }
  const generation = group.state.secretTree[ownLeafOf(group) * 2]?.application.generation
  if (generation === undefined) return yield* missing("the own key")
  const { newState, privateMessage } = yield* trust.attempt(
    () => createApplicationMessage(withConfig(group, trust), copyOf(plaintext), cs, copyOf(authenticatedData)),
    () => missing("a key")
  )
  const bytes = encodeMlsMessage({ version: "mls10", wireformat: "mls_private_message", privateMessage })
  return { group: groupOf(newState), bytes, generation }
})

/**
 * Opens what another device sealed, once: the key is gone from `group` afterwards. In any order, within Trust's `retention`; further
 * ahead where the log has had so many `places` in this key epoch that the sender may have used as many keys.
 */
export const open = Effect.fnUntraced(function* (group: Group, bytes: Uint8Array, places = 0) {
  const { generation, message, sender, steps } = yield* readIncoming(group, bytes, "application", places)
  const cs = yield* suite
  const trust = trusting(trustingNobody)
  const maximumForwardRatchetSteps = Math.max(retention.maximumForwardRatchetSteps, steps)
  trust.config.keyRetentionConfig = { ...retention, maximumForwardRatchetSteps }
  const opened = yield* trust.attempt(
    () => processPrivateMessage(withConfig(group, trust), message, emptyPskIndex, cs),
    (cause) =>
      cause instanceof CryptoVerificationError
        ? new BadSignature({ user: sender.user, device: sender.device })
        : new Damaged({ issue: "it does not open with its sender's key" })
  )
  if (opened.kind !== "applicationMessage") return yield* new Damaged({ issue: "it is no message" })
  return {
    group: groupOf(opened.newState),
    sender,
    generation,
    plaintext: copyOf(opened.message),
    authenticatedData: copyOf(message.authenticatedData)
  }
})

/** How many bytes the content of so long a text fills. */
const paddedLength = (plaintextBytes: number): number => {
  const needed = Math.max(minPadded, plaintextBytes + besideText)
  return Math.min(2 ** Math.ceil(Math.log2(needed)), maxPadded)
}

const limit = (bytes: Uint8Array, most: number) =>
  bytes.length > most ? new TooLarge({ bytes: bytes.length, limit: most }) : Effect.void
