/** Seals what is said: the bytes that will be sent under a key, and the conversation with its own key used up. Neither is stored here. */
import { Effect } from "effect"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { Group } from "../crypto/Group.ts"
import * as Message from "../crypto/Message.ts"
import type { Kept, OutboxRow } from "./Kept.ts"
import { encode, type Payload, type Saying } from "./Payload.ts"
import { noted } from "./Repeated.ts"
import { seenOf } from "./Seen.ts"
import type { Workshop } from "./Workshop.ts"

export const seal = Effect.fnUntraced(function* (
  { lists, own }: Workshop,
  at: Kept,
  group: Group,
  key: MessageKey,
  saying: Saying
) {
  const { reading } = at.more
  const payload: Payload = {
    v: 1,
    saying,
    chain: lists.pinOf(own.identity.user)?.chain.n ?? 0,
    ...(reading !== undefined && reading.keyEpoch === group.keyEpoch && { seen: seenOf(reading) })
  }
  // The longest text of a message fits.
  const sealed = yield* Effect.orDie(Message.seal(group, encode(payload)))
  const row: OutboxRow = {
    key,
    incarnation: at.incarnation,
    keyEpoch: group.keyEpoch,
    content: { data: sealed.bytes, payload }
  }
  return { row, next: { ...at, group: sealed.group, more: noted(at.more, sealed.bytes) } satisfies Kept }
})
