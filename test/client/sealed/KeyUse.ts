/**
 * Which key each thing was sealed with, as a member can tell (RFC 9420, section 6.3.2): the sender data of a private message names
 * the leaf and the generation, and opens with a secret that all have who are in the group in that key epoch. Whoever seals two
 * different things with one key is found out, also where the server took only one of them, or none.
 */
import { Array as Arr, Effect, Schema } from "effect"
import { decodeMlsMessage } from "ts-mls/message.js"
import { decryptSenderData } from "ts-mls/privateMessage.js"
import { decodeGroup, type Group } from "../../../src/client/crypto/Group.ts"
import { suite } from "../../../src/client/crypto/Suite.ts"
import type { Kept, Pending } from "../../../src/client/sealed/Kept.ts"
import type { SealedStore } from "../../../src/client/sealed/SealedStore.ts"
import { parseSealedHeader } from "../../../src/common/wire/SealedHeader.ts"

/** Of a group in one key epoch: what opens the sender data, in base64. */
export interface Secret {
  readonly group: string
  readonly secret: string
}

export interface KeyUse {
  /** A store that remembers what is needed of every group that goes through it, before anything is sealed with its keys. */
  readonly watched: (store: SealedStore) => SealedStore
  /** From a device in another process. */
  readonly learn: (secret: Secret) => void
  /** What is wrong with these, as base64: each is there once. */
  readonly faults: (sealed: Iterable<string>) => Effect.Effect<Uses>
}

interface Uses {
  /** How many keys were used. */
  readonly keys: number
  readonly wrong: ReadonlyArray<string>
}

/** `onSecret` hears of each secret when it is first met. */
export const make = (onSecret: (secret: Secret) => void = () => {}): KeyUse => {
  /** Several where changes of keys were made at once, of which one came to be. */
  const secrets = new Map<string, Set<string>>()
  const learn = ({ group, secret }: Secret) => {
    const known = secrets.get(group) ?? new Set()
    if (known.has(secret)) return
    secrets.set(group, known.add(secret))
    onSecret({ group, secret })
  }
  const remember = ({ groupId, keyEpoch, state }: Group) =>
    learn({
      group: `${groupId} ${keyEpoch}`,
      secret: Buffer.from(state.keySchedule.senderDataSecret).toString("base64")
    })
  const behind = <A, E>({ group }: Kept, writing: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      if (group !== undefined) remember(group)
      return writing
    })
  // Of several changes in one page of the log only the last one's group is stored; but each was stored by who made it.
  const rememberNext = ({ change }: Pending) =>
    Effect.map(Effect.orDie(decodeGroup(change.next)), (group) => remember(group))

  const watched: KeyUse["watched"] = (store) => ({
    ...store,
    sealed: (kept, row) => behind(kept, store.sealed(kept, row)),
    resealed: (kept, row) => behind(kept, store.resealed(kept, row)),
    committing: (kept, pending) => Effect.andThen(rememberNext(pending), behind(kept, store.committing(kept, pending))),
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
      const known = secrets.get(group)
      if (known === undefined) {
        wrong.push(`nobody has had the keys of ${group}, and something was sealed with them`)
        continue
      }
      const opened = yield* Effect.forEach(known, (secret) =>
        Effect.option(
          Effect.tryPromise(() => decryptSenderData(message.privateMessage, Buffer.from(secret, "base64"), cs))
        )
      )
      const from = Arr.getSomes(opened)[0]
      if (from === undefined) {
        wrong.push(`with no keys of ${group} it can be told who sealed ${data.slice(0, 60)}`)
        continue
      }
      const key = `${group} ${header.contentType} leaf ${from.leafIndex} generation ${from.generation}`
      const other = seen.get(key)
      if (other !== undefined) wrong.push(`the key of ${key} was used twice`)
      seen.set(key, data)
    }
    return { keys: seen.size, wrong }
  })

  return { watched, learn, faults }
}

const Carrying = Schema.Struct({ data: Schema.String })
const decodeLine = Schema.decodeUnknownSync(Schema.fromJsonString(Carrying))

/** What these lines carry, as clients have said them. */
export const dataIn = (lines: Iterable<string>): ReadonlyArray<string> =>
  Array.from(lines, (line) => decodeLine(line).data)
