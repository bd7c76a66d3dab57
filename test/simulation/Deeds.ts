/**
 * What somebody may do to messages: edit, delete, react, take a reaction back, reply; to their own and others', recent and
 * old ones, to what is no message, and to what is only about to be one; with keys of their own, new ones and used ones.
 */
import type { EntryRequest } from "../../src/client/core/Request.ts"
import type { RoomName } from "../../src/common/name/RoomName.ts"
import type { Chance } from "./Chance.ts"
import type { Disk } from "./Disk.ts"
import { lobbyKey, roomKey } from "./Entries.ts"
import type { Person } from "./Person.ts"

/** Few, so that several people use the same. */
export const reactions = ["👍", "+1", "no"] as const

const kinds = ["edit", "edit", "delete", "react", "react", "take back", "reply"] as const

/** More than a message keeps. */
const manyReactions = 55

/** One deed, in a room or in the lobby; who has nothing to do anything to says something first. */
export const deed = (chance: Chance, disk: Disk, person: Person, room: RoomName | undefined): EntryRequest => {
  const log = room === undefined ? lobbyKey : roomKey(room)
  const where = { ...(room && { room }), ...keyFor(chance, person, log) }
  const any = () => targetIn(chance, disk, log)
  const own = ownIn(chance, disk, log, person.name)
  if (own === undefined) {
    const said = { content: person.words(), ...(where.key !== undefined && { key: where.key }) }
    return room === undefined ? { _tag: "GlobalMessage", ...said } : { _tag: "RoomMessage", room, ...said }
  }
  switch (chance.pick(kinds)) {
    case "edit":
      return { _tag: "EditMessage", ...where, target: chance.is(0.8) ? own : any(), content: person.words() }
    case "delete": {
      const target = chance.is(0.8) ? own : any()
      return { _tag: "DeleteMessage", ...where, target, ...(chance.is(0.5) && { reason: "it was wrong" }) }
    }
    case "react":
      return { _tag: "React", ...where, target: any(), reaction: chance.pick(reactions) }
    case "take back":
      return { _tag: "React", ...where, ...takenBack(chance, disk, log, person.name), remove: true }
    case "reply": {
      const content = person.words()
      const replyTo = any()
      const { key } = where
      const said = { content, replyTo, ...(key !== undefined && { key }) }
      return room === undefined ? { _tag: "GlobalMessage", ...said } : { _tag: "RoomMessage", room, ...said }
    }
  }
}

/** Says something and does all there is to it before it can be known where it stands. */
export const flurry = (
  chance: Chance,
  disk: Disk,
  person: Person,
  room: RoomName | undefined
): ReadonlyArray<EntryRequest> => {
  const where = room === undefined ? {} : { room }
  const target = disk.newest(room === undefined ? lobbyKey : roomKey(room)) + 1
  const content = person.words()
  const reaction = reactions[0]
  const key = person.newKey(room === undefined ? lobbyKey : roomKey(room))
  const kept: ReadonlyArray<EntryRequest> = [
    room === undefined ? { _tag: "GlobalMessage", content } : { _tag: "RoomMessage", room, content },
    { _tag: "EditMessage", ...where, target, content: person.words(), key },
    { _tag: "React", ...where, target, reaction },
    { _tag: "React", ...where, target, reaction },
    { _tag: "React", ...where, target, reaction, remove: true },
    { _tag: "React", ...where, target, reaction },
    // The key is used already, so this is not done.
    { _tag: "DeleteMessage", ...where, target, key }
  ]
  const deleted: ReadonlyArray<EntryRequest> = [
    { _tag: "DeleteMessage", ...where, target },
    { _tag: "EditMessage", ...where, target, content: person.words() }
  ]
  return chance.is(0.5) ? kept : [...kept, ...deleted]
}

/** More different reactions to one message than it keeps. */
export const manyOf = (chance: Chance, disk: Disk, room: RoomName | undefined): ReadonlyArray<EntryRequest> => {
  const name = room === undefined ? lobbyKey : roomKey(room)
  const target = disk.log(name)?.messages.at(chance.between(-3, -1)) ?? targetIn(chance, disk, name)
  return Array.from({ length: manyReactions }, (_, index) => ({
    _tag: "React",
    ...(room && { room }),
    target,
    reaction: `r${index}`
  }))
}

const keyFor = (chance: Chance, person: Person, log: string) => {
  const [first, ...others] = person.keysOf(log)
  if (first !== undefined && chance.is(0.1)) return { key: chance.pick([first, ...others]) }
  return chance.is(0.5) ? { key: person.newKey(log) } : {}
}

/** Mostly a place of something recent. */
export const targetIn = (chance: Chance, disk: Disk, log: string): number => {
  const newest = disk.newest(log)
  const dice = chance.next()
  if (dice < 0.6) return chance.between(Math.max(1, newest - 4), Math.max(1, newest))
  return dice < 0.9 ? chance.between(1, Math.max(1, newest)) : chance.pick([0, newest + 1, newest + 2, newest + 1000])
}

/** One of the last messages under a name, if there are any; mostly the last of all. */
const ownIn = (chance: Chance, disk: Disk, log: string, name: string): number | undefined => {
  const { made = [], messages = [] } = disk.log(log) ?? {}
  const [last, ...others] = messages
    .toReversed()
    .slice(0, 40)
    .filter((seq) => made[seq - 1]?.from === name)
  return last === undefined ? undefined : chance.pick([last, last, ...others.slice(0, 4)])
}

/** A reaction of somebody's to something recent, if there is any. */
const takenBack = (chance: Chance, disk: Disk, log: string, name: string) => {
  const recent = (disk.log(log)?.messages ?? []).slice(-20).flatMap((seq) => {
    const standing = disk.log(log)?.standing(seq)
    const known = standing?._tag === "Message" ? standing.reactions : []
    return known.flatMap(({ by, reaction }) =>
      by.some(({ user }) => user === name) ? [{ target: seq, reaction }] : []
    )
  })
  const [first, ...others] = recent
  if (first === undefined || chance.is(0.2)) {
    return { target: targetIn(chance, disk, log), reaction: chance.pick(reactions) }
  }
  return chance.pick([first, ...others])
}
