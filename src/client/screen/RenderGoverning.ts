/**
 * Turns what was done to a room, or to somebody in it, into words: whom, until when and why. Pure. What is given back holds
 * others' text as it is: whoever shows it makes it safe.
 */
import type { GoverningTag } from "../../common/log/Governing.ts"
import type { Sealing, UserDevice } from "../../common/log/Sealing.ts"
import type { EntryMessage } from "../../common/wire/EntryMessage.ts"
import { isNoted } from "../core/Noted.ts"
import type { Style } from "./Layout.ts"

export type GoverningMessage = Extract<EntryMessage, { readonly _tag: GoverningTag | Sealing["_tag"] }>

/** What somebody did, to stand behind their name: `banned bob for 2 h (until 14:04): spam`. */
export const deedOf = (entry: GoverningMessage, style: Style): string => {
  switch (entry._tag) {
    case "TopicSet":
      return entry.topic === "" ? "took the topic away" : `set the topic: ${entry.topic}`
    case "RoleSet":
      return `made ${entry.user} ${roleName[entry.role]}`
    case "AccessSet":
      return entry.private
        ? "made the room private: who is not in it needs an invitation"
        : "opened the room to everybody"
    case "Invited":
      return `invited ${entry.user}`
    case "Kicked":
      return `kicked ${entry.user}${because(entry.reason)}`
    case "Banned":
      return `banned ${entry.user}${termOf(entry, style)}${because(entry.reason)}`
    case "Unbanned":
      return `lifted the ban of ${entry.user}`
    case "Muted":
      return `muted ${entry.user}${termOf(entry, style)}${because(entry.reason)}`
    case "Unmuted":
      return `lifted the mute of ${entry.user}`
    case "Sealed":
      return isNoted(entry) ? entry.note : "said something that this client cannot read: it is encrypted"
    case "KeysCommitted": {
      const deeds = [letIn(entry.adds), ...(entry.removes.length > 0 ? [`took out ${devices(entry.removes)}`] : [])]
      return deeds.filter((deed) => deed !== "").join(", and ") || "renewed the keys of this encrypted room"
    }
    case "KeysReset":
      return "made new keys for this encrypted room"
  }
}

const letIn = (adds: ReadonlyArray<UserDevice>): string => (adds.length > 0 ? `let in ${devices(adds)}` : "")

const devices = (list: ReadonlyArray<UserDevice>): string =>
  list.map(({ device, user }) => `${user} (device ${device})`).join(", ")

const roleName = { owner: "the owner", moderator: "a moderator", member: "a plain member" } as const

export const because = (reason: string | undefined): string => (reason === undefined ? "" : `: ${reason}`)

const termOf = ({ at, until }: { readonly at: number; readonly until?: number }, { now, timestamp }: Style): string =>
  until === undefined ? " for good" : ` for ${lasting(until - at)} (until ${timestamp(until, now)})`

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** So long, in the largest unit that tells it within a twentieth: `45 s`, `90 min`, `2 h`, `7 days`. */
export const lasting = (milliseconds: number): string => {
  const whole = Math.max(1, Math.round(milliseconds / second)) * second
  if (whole >= day && isNearly(whole, day))
    return Math.round(whole / day) === 1 ? "1 day" : `${Math.round(whole / day)} days`
  if (whole >= hour && isNearly(whole, hour)) return `${Math.round(whole / hour)} h`
  if (whole >= minute && isNearly(whole, minute)) return `${Math.round(whole / minute)} min`
  return `${whole / second} s`
}

const isNearly = (time: number, unit: number): boolean => {
  const amount = time / unit
  return Math.abs(amount - Math.round(amount)) < 0.05 * amount
}
