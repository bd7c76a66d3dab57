/** Turns what is said of rooms into lines to read. Pure; every piece of others' text passes `safeLine` first. */
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import { safeLine } from "../text/SafeText.ts"
import { aside, count, type Line, others, type Style } from "./Layout.ts"
import { because } from "./RenderGoverning.ts"

export type RoomMessage = ServerMessageOf<"RoomInfo" | "RoomDeleted" | "Invitation">

export const renderRoom = (message: RoomMessage, style: Style): ReadonlyArray<Line> => {
  const room = safeLine(message.room)
  switch (message._tag) {
    case "RoomInfo":
      return describeRoom(message, style).flatMap((line) => aside(style, `[${room}] ${line}`))
    case "RoomDeleted":
      return aside(
        style,
        message.id === undefined
          ? `[${room}] ← ${safeLine(message.by)} deleted the room, with all that was said in it`
          : `you deleted the room ${room}, with all that was said in it`
      )
    case "Invitation":
      return aside(style, `${safeLine(message.by)} invites you to the room ${room}; :jr ${room} joins it`)
  }
}

/** Whoever joins is told what they are there, if that is more than a member, and what it is about. */
export const renderRoomJoined = (message: ServerMessageOf<"RoomJoined">, style: Style): ReadonlyArray<Line> => {
  const { missed, role = "member", topic = "", users, with: other } = message
  if (other !== undefined) return joinedWith(safeLine(other), missed, style)
  const room = safeLine(message.room)
  const follow = missed === 0 ? "" : `; ${count(missed, "message")} to catch up`
  const here = `${users.map((user) => style.palette.user(safeLine(user))).join(", ")}${others(message, users)}`
  const as = role === "member" ? "" : ` as ${role}`
  const sealed = message.encrypted === true ? ", an encrypted room (unaudited)" : ""
  const access = `${message.private === true ? ", a private room" : ""}${sealed}`
  return [
    ...aside(style, `[${room}] → you joined${as}${access}; here: ${here}${follow}`),
    ...(topic === "" ? [] : aside(style, `[${room}] topic: ${safeLine(topic)}`))
  ]
}

const joinedWith = (other: string, missed: number, style: Style): ReadonlyArray<Line> =>
  aside(
    style,
    `what you and ${other} say is encrypted (unaudited)${missed === 0 ? "" : `; ${count(missed, "message")} to catch up`}`
  )

/** `putOutBy`: what ended it, which was told in a line of its own. */
export const renderRoomLeft = (
  { id, reason, room: left }: ServerMessageOf<"RoomLeft">,
  putOutBy: "Kicked" | "Banned" | undefined,
  style: Style
): ReadonlyArray<Line> => {
  const room = safeLine(left)
  const why = because(reason === undefined ? undefined : safeLine(reason))
  const what = id === undefined ? outcomes[putOutBy ?? "Left"](room, why) : `you left${why}`
  return aside(style, `[${room}] ← ${what}`)
}

const outcomes = {
  Kicked: (room: string, why: string) =>
    `you were kicked out${why}; :jr ${room} joins again, a private room with a new invitation`,
  Banned: (room: string, why: string) =>
    `you were banned${why}; who moderates the room can lift that, :room ${room} tells who they are`,
  Left: (room: string, why: string) => `you are out of it${why}; :jr ${room} joins again`
}

/** So many topics are told. */
const maxTopics = 20

export const renderRoomList = (list: ServerMessageOf<"RoomList">, style: Style): ReadonlyArray<Line> => {
  if (list.rooms.length === 0) return aside(style, "no rooms yet; :cr <room> creates one")
  const rooms = list.rooms.map(
    (one) => `${safeLine(one.room)} (${one.users}${one.private === true ? ", private" : ""})`
  )
  const topics = list.rooms.flatMap(({ room, topic = "" }) =>
    topic === "" ? [] : [`[${safeLine(room)}] topic: ${safeLine(topic)}`]
  )
  const left = topics.length - maxTopics
  const shown =
    left > 0 ? [...topics.slice(0, maxTopics), `… and ${count(left, "topic")} more; :topic <room> shows one`] : topics
  return [
    ...aside(style, `${count(list.count, "room")}: ${rooms.join(", ")}${others(list, rooms)}`),
    ...shown.flatMap((line) => aside(style, line))
  ]
}

const describeRoom = (info: ServerMessageOf<"RoomInfo">, style: Style): ReadonlyArray<string> => {
  const { bans = [], createdAt, members, moderators, mutes = [], owner, topic } = info
  const isEncrypted = info.encrypted === true ? "encrypted, " : ""
  const access = `${isEncrypted}${info.private ? "private, by invitation" : "open to everybody"}`
  const since = style.timestamp(createdAt, style.now)
  const ruled = owner === undefined ? "no owner" : `owner ${safeLine(owner)}`
  const helped = moderators.length === 0 ? "no moderators" : `moderators ${moderators.map(safeLine).join(", ")}`
  return [
    topic === undefined || topic === "" ? "no topic" : `topic: ${safeLine(topic)}`,
    `${access}, since ${since}, ${count(members, "member")}`,
    `${ruled}; ${helped}`,
    ...bans.map((ban) => `banned: ${describeBound(ban, style)}`),
    ...mutes.map((mute) => `muted: ${describeBound(mute, style)}`)
  ]
}

type Bound = NonNullable<ServerMessageOf<"RoomInfo">["bans"]>[number]

const describeBound = ({ by, reason, until, user }: Bound, { now, timestamp }: Style): string => {
  const term = until === undefined ? "for good" : `until ${timestamp(until, now)}`
  return `${safeLine(user)} by ${safeLine(by)}, ${term}${because(reason === undefined ? undefined : safeLine(reason))}`
}
