/**
 * What is known of a sealed message before the library opens it: whether it is for this group, this epoch, and who sealed it
 * with which key (RFC 9420, section 6.3.2). The library tells none of it, and answers most of what is wrong in one way.
 */
import { Effect } from "effect"
import { decodeMlsMessage } from "ts-mls/message.js"
import { decryptSenderData } from "ts-mls/privateMessage.js"
import { maxSealedBytes, parseSealedHeader } from "../../common/wire/SealedHeader.ts"
import { decodeAll } from "./Bytes.ts"
import {
  AlreadyOpened,
  Damaged,
  EpochAhead,
  FromThisDevice,
  NotForThisGroup,
  StaleEpoch,
  TooFarAhead,
  TooLarge
} from "./CryptoError.ts"
import { type Group, memberAt, ownLeafOf } from "./Group.ts"
import { suite } from "./Suite.ts"
import { farthest, retention } from "./Trust.ts"

/** `places`: how many the log has had in this key epoch. The message, and the member whose key it claims: true once the library has opened it, for that checks the signature. */
export const readIncoming = Effect.fnUntraced(function* (
  group: Group,
  bytes: Uint8Array,
  contentType: "application" | "commit",
  places = 0
) {
  if (bytes.length > maxSealedBytes) return yield* new TooLarge({ bytes: bytes.length, limit: maxSealedBytes })
  const header = parseSealedHeader(bytes)
  if (header === undefined) return yield* new Damaged({ issue: "it is no sealed message" })
  const { groupId, keyEpoch } = header
  if (groupId !== group.groupId) return yield* new NotForThisGroup({ groupId })
  if (header.contentType !== contentType) return yield* new Damaged({ issue: `it is a ${header.contentType}` })
  const current = group.keyEpoch
  if (keyEpoch < current) return yield* new StaleEpoch({ keyEpoch, current })
  if (keyEpoch > current) return yield* new EpochAhead({ keyEpoch, current })

  const decoded = decodeAll(decodeMlsMessage, bytes)
  if (decoded?.wireformat !== "mls_private_message") return yield* new Damaged({ issue: "it is no sealed message" })
  const message = decoded.privateMessage
  const cs = yield* suite
  const sealedBy = yield* Effect.tryPromise({
    try: () => decryptSenderData(message, group.state.keySchedule.senderDataSecret, cs),
    catch: () => new Damaged({ issue: "who sealed it cannot be read" })
  })
  const sender = sealedBy && memberAt(group, sealedBy.leafIndex)
  if (sealedBy === undefined || sender === undefined)
    return yield* new Damaged({ issue: "nobody in this conversation sealed it" })
  const { generation } = sealedBy
  if (sender.leaf === ownLeafOf(group)) return yield* new FromThisDevice({ generation })

  const ratchets = group.state.secretTree[sender.leaf * 2]
  const ratchet = contentType === "application" ? ratchets?.application : ratchets?.handshake
  const next = ratchet?.generation ?? 0
  if (generation < next && ratchet?.unusedGenerations[generation] === undefined) {
    return yield* new AlreadyOpened({ user: sender.user, device: sender.device, generation })
  }
  const steps = generation - next
  const isPlaced = generation <= places + retention.maximumForwardRatchetSteps && steps <= farthest
  if (steps > retention.maximumForwardRatchetSteps && !isPlaced) {
    return yield* new TooFarAhead({ user: sender.user, device: sender.device, generation })
  }
  return { message, sender, generation, steps }
})
