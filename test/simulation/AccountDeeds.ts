/** What accounts do that guests cannot: to private messages, old ones too; and to say how far they have read. */
import type { EntryRequest, Request } from "../../src/client/core/Request.ts"
import { nameKey } from "../../src/common/name/Name.ts"
import type { RoomName } from "../../src/common/name/RoomName.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import type { Chance } from "./Chance.ts"
import { reactions, targetIn } from "./Deeds.ts"
import type { Disk } from "./Disk.ts"
import { lobbyKey, roomKey } from "./Entries.ts"
import type { Person } from "./Person.ts"

const kinds = ["edit", "delete", "react", "take back", "reply"] as const

/** Something is done to an entry of an inbox, mostly as one exchanged with whom it was exchanged with. */
export const privateDeed = (
  chance: Chance,
  disk: Disk,
  person: Person,
  inbox: string,
  others: readonly [UserName, ...Array<UserName>]
): EntryRequest => {
  const target = targetIn(chance, disk, inbox)
  const entry = disk.log(inbox)?.made[target - 1]
  const partner = entry !== undefined && nameKey(entry.from) === nameKey(person.name) ? entry.to : entry?.from
  const other = partner === undefined || chance.is(0.1) ? chance.pick(others) : partner
  const key = chance.is(0.5) ? { key: person.newKey(inbox) } : {}
  const where = { with: other, target, ...key }
  switch (chance.pick(kinds)) {
    case "edit":
      return { _tag: "EditMessage", ...where, content: person.words() }
    case "delete":
      return { _tag: "DeleteMessage", ...where }
    case "react":
      return { _tag: "React", ...where, reaction: chance.pick(reactions) }
    case "take back":
      return { _tag: "React", ...where, reaction: chance.pick(reactions), remove: true }
    case "reply":
      return { _tag: "PrivateMessage", to: other, content: person.words(), replyTo: target, ...key }
  }
}

/** Has read something, or says that it has read what is not there yet. */
export const reading = (
  chance: Chance,
  disk: Disk,
  inbox: string,
  rooms: readonly [RoomName, ...Array<RoomName>],
  others: readonly [UserName, ...Array<UserName>]
): Request => {
  const dice = chance.next()
  if (dice < 0.4) {
    const room = chance.pick(rooms)
    return { _tag: "MarkRead", room, seq: targetIn(chance, disk, roomKey(room)) }
  }
  if (dice < 0.6) return { _tag: "MarkRead", seq: targetIn(chance, disk, lobbyKey) }
  return { _tag: "MarkRead", with: chance.pick(others), seq: targetIn(chance, disk, inbox) }
}
