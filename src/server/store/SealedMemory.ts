/**
 * What is kept of encrypted rooms beside their logs, for as long as the server lives (see SealedRooms). Told by MemoryHistory what
 * follows from its entries. One for all layers that are built together.
 */
import { Context, Effect, Layer } from "effect"
import { conversationKey } from "../../common/log/Conversation.ts"
import type { Seq } from "../../common/log/Cursor.ts"
import type { OwnedDevice } from "../governance/Sealing.ts"
import type { NewEntry, RoomConversation } from "../history/History.ts"
import { type Interval, maxIntervals, maxWelcomes, SealedRooms, type Welcome } from "../history/SealedRooms.ts"

interface Kept {
  intervals: Array<Interval>
  welcomes: Array<Welcome>
}

const nameOf = ({ account, device }: OwnedDevice): string => `${account} ${device}`

export class SealedMemory extends Context.Service<
  SealedMemory,
  SealedRooms["Service"] & {
    readonly carryOut: (room: RoomConversation, seq: Seq, sealed: NonNullable<NewEntry["sealed"]>) => void
    readonly remove: (conversationKey: string) => void
  }
>()("parley/server/store/SealedMemory") {
  static readonly layer = Layer.sync(SealedMemory, () => {
    const rooms = new Map<string, Map<string, Kept>>()
    let count = 0

    const keptOf = (room: RoomConversation, device: OwnedDevice): Kept => {
      const devices = rooms.get(conversationKey(room)) ?? new Map<string, Kept>()
      rooms.set(conversationKey(room), devices)
      const kept = devices.get(nameOf(device)) ?? { intervals: [], welcomes: [] }
      devices.set(nameOf(device), kept)
      return kept
    }

    return SealedMemory.of({
      carryOut: (conversation, seq, { begun, ended, from, welcome: data }) => {
        for (const device of ended) {
          const kept = keptOf(conversation, device)
          kept.intervals = kept.intervals.map(({ since, until = seq }) => ({ since, until }))
        }
        const number = data === undefined || begun.length === 0 ? count : ++count
        for (const device of begun) {
          const kept = keptOf(conversation, device)
          const since = from === "here" ? seq : seq + 1
          kept.intervals = [...kept.intervals, { since, until: undefined }].slice(-maxIntervals)
          if (data === undefined) continue
          kept.welcomes = [...kept.welcomes, { number, room: conversation.room, seq, data }].slice(-maxWelcomes)
        }
      },
      remove: (key) => void rooms.delete(key),
      intervals: (room, device) =>
        Effect.sync(() => rooms.get(conversationKey(room))?.get(nameOf(device))?.intervals ?? []),
      welcomes: (device, after, limit) =>
        Effect.sync(() =>
          [...rooms.values()]
            .flatMap((devices) => devices.get(nameOf(device))?.welcomes ?? [])
            .filter(({ number }) => number > after)
            .toSorted((one, other) => one.number - other.number)
            .slice(0, limit)
        ),
      acknowledge: (device, room, seq) =>
        Effect.sync(() => {
          const kept = rooms.get(conversationKey({ _tag: "Room", room }))?.get(nameOf(device))
          if (kept !== undefined) kept.welcomes = kept.welcomes.filter((one) => one.seq !== seq)
        })
    })
  })
}

export const layer = Layer.effect(SealedRooms, SealedMemory).pipe(Layer.provide(SealedMemory.layer))
