/**
 * Which key each thing was sealed with, as a member can tell (RFC 9420, section 6.3.2): the sender data of a private message names
 * the leaf and the generation, and opens with a secret that all have who are in the group in that key epoch. Whoever seals two
 * different things with one key is found out, also where the server took only one of them, or none.
 */
import { Effect, Schema } from "effect"
import { decodeMlsMessage } from "ts-mls/message.js"
import { decryptSenderData } from "ts-mls/privateMessage.js"
import { suite } from "../../../src/client/crypto/Suite.ts"
import type { Kept } from "../../../src/client/sealed/Kept.ts"
import type { SealedStore } from "../../../src/client/sealed/SealedStore.ts"
import { parseSealedHeader } from "../../../src/common/wire/SealedHeader.ts"

export interface KeyUse {
  /** A store that remembers what is needed of every group that goes through it. */
  readonly watched: (store: SealedStore) => SealedStore
  /** What is wrong with these, as base64: each is there once. */
  readonly faults: (sealed: Iterable<string>) => Effect.Effect<Uses>
}

interface Uses {
  /** How many keys were used. */
  readonly keys: number
  readonly wrong: ReadonlyArray<string>
}

export const make = (): KeyUse => {
  const secrets = new Map<string, Uint8Array>()
  const remember = ({ group }: Kept) => {
    if (group === undefined) return
    secrets.set(`${group.groupId} ${group.keyEpoch}`, Uint8Array.from(group.state.keySchedule.senderDataSecret))
  }
  const behind = <A, E>(kept: Kept, writing: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      remember(kept)
      return writing
    })

  const watched: KeyUse["watched"] = (store) => ({
    ...store,
    sealed: (kept, row) => behind(kept, store.sealed(kept, row)),
    resealed: (kept, row) => behind(kept, store.resealed(kept, row)),
    committing: (kept, pending) => behind(kept, store.committing(kept, pending)),
    received: (received) => behind(received.kept, store.received(received)),
    joined: (kept, rows, spent) => behind(kept, store.joined(kept, rows, spent))
  })

  const faults: KeyUse["faults"] = Effect.fnUntraced(function* (sealed) {
    const cs = yield* suite
    const seen = new Map<string, string>()
    const wrong: Array<string> = []
    for (const data of new Set(sealed)) {
      const bytes = new Uint8Array(Buffer.from(data, "base64"))
      const header = parseSealedHeader(bytes)
      const message = decodeMlsMessage(bytes, 0)?.[0]
      if (header === undefined || message?.wireformat !== "mls_private_message") {
        wrong.push(`${data.slice(0, 60)} is nothing sealed`)
        continue
      }
      const group = `${header.groupId} ${header.keyEpoch}`
      const secret = secrets.get(group)
      if (secret === undefined) {
        wrong.push(`nobody has had the keys of ${group}, and something was sealed with them`)
        continue
      }
      const from = yield* Effect.promise(() => decryptSenderData(message.privateMessage, secret, cs))
      const key = `${group} ${header.contentType} leaf ${from?.leafIndex} generation ${from?.generation}`
      const other = seen.get(key)
      if (other !== undefined) wrong.push(`the key of ${key} was used twice`)
      seen.set(key, data)
    }
    return { keys: seen.size, wrong }
  })

  return { watched, faults }
}

const Carrying = Schema.Struct({ data: Schema.String })
const decodeLine = Schema.decodeUnknownSync(Schema.fromJsonString(Carrying))

/** What these lines carry, as clients have said them. */
export const dataIn = (lines: Iterable<string>): ReadonlyArray<string> =>
  Array.from(lines, (line) => decodeLine(line).data)
