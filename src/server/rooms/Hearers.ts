/**
 * Who hears what is new: in a plain conversation everybody who is in; in an encrypted room the devices that were in its group at that
 * place, each to its own removal, that included. Owned by the room's manager.
 *
 * Bounds: one device for each connection that is in, and as many as the group has.
 */
import { Effect } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Entry } from "../../common/log/Entry.ts"
import { nameKey } from "../../common/name/Name.ts"
import { entryMessage } from "../../common/wire/EntryMessage.ts"
import type { Governance } from "../governance/Governance.ts"
import { type DeviceKey, deviceKey } from "../governance/Sealing.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import type { Readable } from "./Readable.ts"
import * as Room from "./Room.ts"
import type { Intervals } from "./RoomManagerOptions.ts"

export interface Hearers {
  /** As the keys stand at the place up to which everybody has been told. */
  readonly begin: () => void
  readonly joined: (from: Asker) => void
  readonly left: (session: SessionId) => void
  /** What somebody may read of an encrypted room; of any other nothing is said. */
  readonly readable: (from: Asker) => Effect.Effect<Readable, StorageUnavailable> | undefined
  /** What those who have caught up are told of new entries, which come in the order of the log. */
  readonly told: (room: Room.Room, entries: ReadonlyArray<Entry>) => ReadonlyArray<Delivery>
}

interface Services {
  readonly conversation: SharedConversation
  readonly governance: () => Governance
  readonly intervals: Intervals
}

export const makeHearers = ({ conversation, governance, intervals }: Services): Hearers => {
  const devices = new Map<SessionId, DeviceKey>()
  let inside: ReadonlySet<DeviceKey> = new Set()
  const say = entryMessage(conversation)

  return {
    begin: () => {
      const all = governance().keys?.devices ?? []
      inside = new Set(all.filter(({ out }) => out === undefined).map(deviceKey))
    },
    joined: ({ device, session, user }) => {
      if (device !== undefined && governance().keys !== undefined) devices.set(session, deviceKey({ device, user }))
    },
    left: (session) => void devices.delete(session),
    readable: ({ account, device, user }) => {
      const { keys } = governance()
      if (keys === undefined) return undefined
      if (account === undefined || device === undefined) return Effect.succeed({ intervals: [] })
      const part = keys.between === undefined ? {} : { as: user }
      return Effect.map(intervals({ account, device }), (found) => ({ ...part, intervals: found }))
    },
    told: (room, entries) => {
      if (governance().keys === undefined) return Room.told(room, entries)
      const deliveries: Array<Delivery> = []
      let hearing = inside
      let run: Array<Entry> = []
      const tell = () => {
        if (run.length === 0) return
        const [first] = run
        const own = first !== undefined && isUnheard(first) ? `${nameKey(first.from)} ` : ""
        const to = Room.upToDate(room).filter((session) => {
          const device = devices.get(session) ?? ""
          return hearing.has(device) && device.startsWith(own)
        })
        deliveries.push({ _tag: "Tell", to, messages: run.map(say) })
        run = []
      }
      for (const entry of entries) {
        const after = step(inside, entry)
        if (entry.body._tag === "KeysReset") {
          // Whoever begins anew hears of it, and so do those who are left out.
          tell()
          hearing = inside.union(after)
        }
        // Whoever blocked its sender is not given it.
        if (run.length > 0 && (isUnheard(entry) || run.some(isUnheard))) tell()
        run.push(entry)
        if (after === inside) continue
        tell()
        inside = after
        hearing = after
      }
      tell()
      return deliveries
    }
  }
}

const isUnheard = ({ body }: Entry): boolean => body._tag === "Sealed" && body.unheard === true

/** Who is in the group behind an entry; the same if it changes nothing. */
const step = (inside: ReadonlySet<DeviceKey>, { body, from }: Entry): ReadonlySet<DeviceKey> => {
  switch (body._tag) {
    case "KeysReset":
      return new Set([deviceKey({ user: from, device: body.device })])
    case "KeysCommitted": {
      const removed = new Set(body.removes.map(deviceKey))
      return new Set([...[...inside].filter((one) => !removed.has(one)), ...body.adds.map(deviceKey)])
    }
    case "Banned":
    case "Kicked": {
      const theirs = `${nameKey(body.user)} `
      const rest = [...inside].filter((one) => !one.startsWith(theirs))
      return rest.length === inside.size ? inside : new Set(rest)
    }
    default:
      return inside
  }
}
