/**
 * The list of rooms, as those are told of it who ask: open rooms are everybody's, private ones those of whom each is known to
 * whoever asks. Made anew when something in it has changed.
 */
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { NameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { maxNames } from "../../common/wire/ServerMessage.ts"
import type { Governances } from "../history/Governances.ts"
import { type Numbered, pageOf } from "../lists/NamePage.ts"
import { aboutRoom } from "./Governing.ts"

interface Listed {
  readonly key: NameKey
  readonly name: RoomName
  readonly conversation: SharedConversation
  readonly users: number
  readonly isBeingMade: boolean
}

export const makeDirectory = <One extends Listed>(
  /** All rooms, in the order of their names. */
  sorted: () => ReadonlyArray<One>,
  governances: Pick<Governances["Service"], "get">
) => {
  let parted: { readonly open: ReadonlyArray<One>; readonly hidden: ReadonlyArray<One> } | undefined
  const isPrivate = ({ conversation, isBeingMade }: One) =>
    isBeingMade || governances.get(conversation)?.isPrivate === true

  const parts = () => {
    if (parted === undefined) {
      const hidden = sorted().filter(isPrivate)
      parted = { open: hidden.length === 0 ? [...sorted()] : sorted().filter((room) => !isPrivate(room)), hidden }
    }
    return parted
  }

  const shown = ({ conversation, key, name, users }: One, own: ReadonlySet<NameKey> | undefined) => {
    const governance = governances.get(conversation)
    return {
      room: name,
      users,
      ...(own?.has(key) === true && { member: true as const }),
      ...(governance !== undefined && aboutRoom(governance))
    }
  }

  return {
    forget: () => {
      parted = undefined
    },
    /** The private rooms, in the order of their names. */
    hidden: () => parts().hidden,
    /** A page: the rooms that are `own` are marked so, `hidden` are those of the private ones that are to be told of. */
    listed: (after: string | undefined, own?: ReadonlySet<NameKey>, hidden: ReadonlyArray<One> = []) => {
      const { open } = parts()
      const [page, numbered] = pageOf(open, ({ key }) => key, after)
      if (hidden.length === 0)
        return fitting(
          page.map((room) => shown(room, own)),
          numbered
        )
      const [others, ofOthers] = pageOf(hidden, ({ key }) => key, after)
      const all = [...page, ...others].toSorted((one, other) => (one.key < other.key ? -1 : 1))
      const more = numbered.more === true || ofOthers.more === true || all.length > maxNames
      const count = numbered.count + ofOthers.count
      const rooms = all.slice(0, maxNames).map((room) => shown(room, own))
      return fitting(rooms, more ? { more: true, count } : { count })
    }
  }
}

/** No reply is larger than 1 MiB; in UTF-8 no UTF-16 unit takes more than three bytes, and nothing in a name or a topic is escaped by more. */
const maxBytes = 900_000
const bytesOf = ({ room, topic = "" }: { readonly room: string; readonly topic?: string }): number =>
  96 + 3 * (room.length + topic.length)

/** As many of these as fit into one line. */
const fitting = <One extends { readonly room: string; readonly topic?: string }>(
  rooms: ReadonlyArray<One>,
  numbered: Numbered
) => {
  let bytes = 0
  const count = rooms.findIndex((room) => (bytes += bytesOf(room)) > maxBytes)
  return count < 0 ? { rooms, ...numbered } : { rooms: rooms.slice(0, count), ...numbered, more: true as const }
}
