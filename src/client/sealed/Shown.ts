/**
 * What is kept of an encrypted conversation, as the entries and messages that every screen knows. Pure.
 *
 * Who wrote what is what this device found when it opened it. Of what its author alone may change, this is where others' changes are
 * refused: no server looks into what is sealed. An edit counts if it is by who said it.
 */
import type { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { maxReactions } from "../../common/log/Entry.ts"
import { Device } from "../../common/log/Sealing.ts"
import { maxReactors } from "../../common/log/Timeline.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { EntryMessage, StandingMessage } from "../../common/wire/EntryMessage.ts"
import type { Noted } from "../core/Noted.ts"
import type { PlainLine, PlainRow } from "./Kept.ts"

export interface Reader {
  readonly room: RoomName
  readonly user: UserName
}

type LineOf<Tag extends PlainLine["_tag"]> = Extract<PlainLine, { readonly _tag: Tag }>

const isSame = (one: string, other: string): boolean => nameKey(one) === nameKey(other)

/** The author of something that was said, of which an edit may be; undefined of anything else. */
export const authorOf = (row: PlainRow | undefined): UserName | undefined =>
  row?.line._tag === "Opened" && row.line.saying._tag === "Said" ? row.line.from : undefined

interface Place {
  readonly seq: Seq
  readonly at: Timestamp
  readonly from: UserName
}

const noted = (room: RoomName, { at, from, seq }: Place, note: string, isAlarm = false, device = ""): Noted => ({
  _tag: "Sealed",
  room,
  seq,
  at,
  from,
  device: Device.make(device, { disableChecks: true }),
  keyEpoch: 0,
  data: "",
  note,
  isAlarm
})

/** How a row is told when it comes; `author`: of what it is about. None where there is nothing to tell. */
export const entryOf = (
  reader: Reader,
  row: PlainRow,
  author: UserName | undefined
): EntryMessage | Noted | undefined => {
  const { line, seq } = row
  if (line._tag !== "Opened" || line.saying._tag === "Said") return messageOf(reader, row)
  const { at, from, saying } = line
  const head = { room: reader.room, seq, at, from, target: saying.target }
  if (saying._tag === "Reacted") {
    const { reaction, removed } = saying
    return { _tag: "Reacted", ...head, reaction, ...(removed === true && { removed }) }
  }
  // Of what this device has not read there is nothing to change.
  if (author === undefined) return undefined
  if (isSame(author, from)) return { _tag: "Edited", ...head, content: saying.content }
  return noted(
    reader.room,
    { seq, at, from },
    `tried to change what ${author} said (#${saying.target}): it is as it was`,
    true
  )
}

/** What a row stands for by itself. */
const messageOf = (reader: Reader, { line, seq }: PlainRow): (StandingMessage & EntryMessage) | Noted | undefined => {
  const { room, user } = reader
  switch (line._tag) {
    case "Opened": {
      if (line.saying._tag !== "Said") return undefined
      const { content, replyTo } = line.saying
      const { at, from } = line
      return { _tag: "RoomMessage", room, seq, at, from, content, ...(replyTo !== undefined && { replyTo }) }
    }
    case "Unreadable":
      return noted(
        room,
        { ...line, seq },
        `sent something that cannot be read here. ${line.message}`,
        true,
        line.device
      )
    case "Changed": {
      const { added: adds, at, device, from, removed: removes } = line
      return { _tag: "KeysCommitted", room, seq, at, from, device, keyEpoch: 0, data: "", adds, removes }
    }
    case "PutOut":
      return noted(room, { ...line, seq }, outNote(line, user))
    case "LetIn":
      return noted(room, { seq, at: line.at, from: user }, inNote(line))
    case "Erased": {
      const { at: deletedAt, by: deletedBy, from, saidAt: at } = line
      return { _tag: "Tombstone", room, seq, at, from, deletedBy, deletedAt }
    }
    case "Stood":
      return line.entry._tag === "Deleted" ? { ...line.entry, room } : { ...line.entry, room }
  }
}

const outNote = ({ from, how }: LineOf<"PutOut">, user: UserName): string => {
  switch (how) {
    case "kicked":
      return "put you out: what follows cannot be read here until you are let in again"
    case "removed":
      return "made keys without this device: what follows cannot be read here until it is let in again"
    case "reset":
      return isSame(from, user)
        ? "made new keys on another device: this one waits to be let in again"
        : "made new keys: this device waits to be let in again by a member"
  }
}

const inNote = ({ how }: LineOf<"LetIn">): string =>
  how === "made"
    ? "made the keys on this device: only the members' devices can read what is said from here on"
    : "was let in on this device: what was said before this device was added cannot be read here"

/** How it stands with all that was done to it, `changes` in their order. */
export const standing = (
  reader: Reader,
  row: PlainRow,
  changes: ReadonlyArray<PlainRow>
): StandingMessage | undefined => {
  const message = messageOf(reader, row)
  if (message?._tag !== "RoomMessage") return message?._tag === "Deleted" ? undefined : message
  let content = message.content
  let edited: Timestamp | undefined
  const reactors = new Map<string, Map<string, UserName>>()
  for (const { line } of changes) {
    if (line._tag !== "Opened" || line.saying._tag === "Said") continue
    if (line.saying._tag === "Edited") {
      if (!isSame(line.from, message.from)) continue
      ;({ content } = line.saying)
      edited = line.at
      continue
    }
    const { reaction, removed } = line.saying
    const users = reactors.get(reaction) ?? new Map<string, UserName>()
    if (users.size === 0 && reactors.size >= maxReactions) continue
    if (removed === true) users.delete(nameKey(line.from))
    else users.set(nameKey(line.from), line.from)
    reactors.set(reaction, users)
  }
  const reactions = [...reactors].flatMap(([reaction, users]) =>
    users.size === 0 ? [] : [{ reaction, users: [...users.values()].slice(0, maxReactors), count: users.size }]
  )
  return {
    ...message,
    content,
    ...(edited !== undefined && { edited }),
    ...(reactions.length > 0 && { reactions })
  }
}
