/** Turns what is said of rooms into lines to read. Pure; every piece of others' text passes `safeLine` first. */
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import { safeLine } from "../text/SafeText.ts"
import { aside, count, type Line, type Style } from "./Layout.ts"
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

const describeRoom = (info: ServerMessageOf<"RoomInfo">, style: Style): ReadonlyArray<string> => {
  const { bans = [], createdAt, members, moderators, mutes = [], owner, topic } = info
  const access = info.private ? "private, by invitation" : "open to everybody"
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
