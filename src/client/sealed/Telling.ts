/**
 * What goes up to a screen or a script of what a client hears, where rooms are encrypted: in place of the server's sealed entries what
 * this device has opened of them, in the order of the log.
 *
 * Where one has just come to a room, what stood there before is no news (`quietUpTo`): it is in the pages that are asked for. If a page
 * was given before all of it was read, the rest is told as it is read.
 *
 * Owns what is remembered of each encrypted room: as many as one has been in.
 */
import { Effect } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import { isConversationRoom, partnerIn, type RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { isEntry } from "../core/Heard.ts"
import type { Keeping } from "./Keeping.ts"
import type { PlainRow } from "./Kept.ts"
import type { SealedNews } from "./News.ts"
import { noticeOf } from "./Notices.ts"
import type { SealedStore, StoreError } from "./SealedStore.ts"
import * as Shown from "./Shown.ts"
import type { View } from "./View.ts"

interface Room {
  readonly room: RoomName
  readonly with: UserName | undefined
  /** What stands up to here is told in pages alone. */
  readonly quietUpTo: number
  /** Read, and told, up to here. */
  readonly emitted: number
  /** Where the log stood on arrival. */
  readonly seq: number
  readonly state: View["state"]
  /** The server says that it is not encrypted. */
  readonly isExposed: boolean
}

export interface Teller {
  readonly offer: (event: ClientEvent) => void
  readonly keeping: Pick<Keeping, "isKnown" | "remember">
  readonly user: () => UserName
  /** The one that this is. */
  readonly device: () => string | undefined
  readonly store: () => SealedStore | undefined
  readonly isVerified: (user: UserName) => boolean
}

type RoomJoined = ServerMessageOf<"RoomJoined">

export interface Telling {
  readonly roomOf: (room: RoomName) => Room | undefined
  readonly isEncrypted: (room: RoomName) => boolean
  /** Whether there is, or has been, such a room: of two people there may be none. */
  readonly isKnown: (room: RoomName) => boolean
  /** One has made such a room. */
  readonly isToBe: (room: RoomName) => Effect.Effect<void>
  /** One has come to a room, as the reply said to who asked quietly. */
  readonly joined: (joined: RoomJoined) => Effect.Effect<void>
  /** What the connection told goes up, if it is to. */
  readonly event: (event: ClientEvent) => Effect.Effect<void>
  /** What the engine told. */
  readonly news: (news: SealedNews) => Effect.Effect<void, StoreError>
  /** A page was given of what was read up to there. */
  readonly paged: (room: RoomName, read: number) => void
  /** The keys of somebody were compared, or have changed. */
  readonly verifiedAnew: (user: UserName) => void
}

export const make = ({ device, isVerified, keeping, offer, store, user }: Teller): Telling => {
  const rooms = new Map<NameKey, Room>()
  /** Up to where pages were given of rooms that are in the welcome, and of which nothing else was heard yet. */
  const pagedEarly = new Map<NameKey, number>()

  const roomOf = (room: RoomName) => rooms.get(nameKey(room))
  const isKnown = (room: RoomName) => rooms.has(nameKey(room)) || keeping.isKnown(room)
  const isEncrypted = (room: RoomName) => isConversationRoom(room) || isKnown(room)

  const named = (room: RoomName) => {
    const other = partnerIn(room, user())
    return other === undefined ? {} : { with: other }
  }

  const change = (room: RoomName, next: Partial<Room>) => {
    const before = roomOf(room)
    if (before !== undefined) rooms.set(nameKey(room), { ...before, ...next })
  }

  const tellState = ({ room, state, with: other }: Room) =>
    offer({
      _tag: "EncryptionStands",
      room,
      ...(other !== undefined && { with: other }),
      state,
      isVerified: other !== undefined && isVerified(other)
    })

  const arrive = (joined: RoomJoined, isFirst: boolean) =>
    Effect.suspend(() => {
      const { missed, room, seq, with: other } = joined
      const isExposed = joined.encrypted !== true
      const before = roomOf(room)
      const early = Math.min(seq - missed, pagedEarly.get(nameKey(room)) ?? Infinity)
      const quietUpTo = isFirst ? early : (before?.quietUpTo ?? early)
      pagedEarly.delete(nameKey(room))
      const emitted = before?.emitted ?? 0
      const next: Room = { room, with: other, quietUpTo, emitted, seq, state: before?.state ?? "away", isExposed }
      rooms.set(nameKey(room), next)
      tellState(next)
      if (isExposed) offer({ _tag: "EncryptionTold", room, message: exposed(room), isAlarm: true })
      return keeping.remember([room], "told")
    })

  const event = (event: ClientEvent): Effect.Effect<void> => {
    switch (event._tag) {
      case "Received": {
        const { message } = event
        if (message._tag === "RoomJoined" && (message.encrypted === true || isEncrypted(message.room))) {
          offer(event)
          return arrive(message, true)
        }
        // What the server shows of it is sealed, or is not what it says.
        if (isEntry(message) && "room" in message && message.room !== undefined && isEncrypted(message.room)) {
          return Effect.void
        }
        offer(event)
        return Effect.void
      }
      case "Rejoined": {
        const { joined } = event
        offer(event)
        return joined.encrypted === true || isEncrypted(joined.room) ? arrive(joined, false) : Effect.void
      }
      case "Gap": {
        const { conversation, missing } = event
        // What was left out is read from the log. Of another log nothing was read yet.
        if (conversation._tag === "Room" && isEncrypted(conversation.room)) {
          if (missing !== undefined) return Effect.void
          change(conversation.room, { quietUpTo: 0, emitted: 0 })
        }
        offer(event)
        return Effect.void
      }
      case "RejoinRefused":
        offer(isEncrypted(event.room) ? { ...event, ...named(event.room), message: notIn } : event)
        return Effect.void
      case "Connected":
      case "Reconnected": {
        const { rooms: standing = [] } = event.welcome ?? {}
        offer(event)
        const told = standing.flatMap(({ encrypted, room }) => (encrypted === true ? [room] : []))
        return keeping.remember(told, "told")
      }
      default:
        offer(event)
        return Effect.void
    }
  }

  /** What an edit is about. */
  const targetIn = Effect.fnUntraced(function* (room: RoomName, { line }: PlainRow) {
    const here = store()
    if (here === undefined || line._tag !== "Opened" || line.saying._tag !== "Edited") return undefined
    const where = yield* here.where(room)
    return where === undefined ? undefined : yield* here.plainAt(where, line.saying.target)
  })

  const tellRow = Effect.fnUntraced(function* (room: RoomName, row: PlainRow) {
    const author = Shown.authorOf(yield* targetIn(room, row))
    const message = Shown.entryOf({ room, user: user() }, row, author)
    if (message !== undefined) offer({ _tag: "Received", message })
  })

  const news = Effect.fnUntraced(function* (news: SealedNews) {
    switch (news._tag) {
      case "Rows": {
        const { cursor, room, rows } = news
        const quietUpTo = roomOf(room)?.quietUpTo ?? pagedEarly.get(nameKey(room)) ?? Infinity
        for (const row of rows) if (row.seq > quietUpTo) yield* tellRow(room, row)
        return change(room, { emitted: cursor })
      }
      case "Stands": {
        const { room, state } = news
        if (state === "in") yield* keeping.remember([room], "own")
        change(room, { state })
        const now = roomOf(room)
        if (now !== undefined) tellState(now)
        return
      }
      // What goes up tells it by itself, see `exposed`.
      case "InTheOpen":
      case "Erased":
      case "Refused":
      case "FirstSeen":
        return
      case "DeviceAdded":
        // That it is in the list now, it was just told.
        if (news.device === device() && nameKey(news.user) === nameKey(user())) return
        return offer(noticeOf(news, user()))
      case "ChainReplaced":
        verifiedAnew(news.user)
        return offer(noticeOf(news, user()))
      default:
        return offer(noticeOf(news, user()))
    }
  })

  const verifiedAnew = (other: UserName) => {
    for (const room of rooms.values()) {
      if (room.with !== undefined && nameKey(room.with) === nameKey(other)) tellState(room)
    }
  }

  return {
    roomOf,
    isEncrypted,
    isKnown,
    isToBe: (room) => keeping.remember([room], "own"),
    joined: (joined) => (joined.encrypted === true || isEncrypted(joined.room) ? arrive(joined, true) : Effect.void),
    event,
    news,
    paged: (room, read) => {
      const now = roomOf(room)
      if (now !== undefined) change(room, { quietUpTo: Math.min(now.quietUpTo, read) })
      else if (!pagedEarly.has(nameKey(room))) pagedEarly.set(nameKey(room), read)
    },
    verifiedAnew
  }
}

const notIn = "this device takes part in no encrypted conversation yet; :link says what to do."

const exposed = (room: RoomName): string =>
  `The server says that ${room} is not encrypted, and it was. Nothing is said or shown there in the open. ` +
  "If it was made anew without encryption, use a room of another name; if not, the server lies: ask who runs it."
