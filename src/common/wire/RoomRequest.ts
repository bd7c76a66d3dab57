/**
 * Requests by which people govern a room: each asks for one entry of its log, and is answered with Sent. Those that bind for a
 * while say for how long; the entry says until when.
 */
import { Schema } from "effect"
import { governing, type Governing } from "../log/Governing.ts"
import { RoomName } from "../name/RoomName.ts"
import { MessageKey, RequestId } from "./RequestId.ts"

/** For how long a ban or a mute binds: a second to a year. */
export const maxSeconds = 31_536_000
const seconds = Schema.optionalKey(
  Schema.Int.check(
    Schema.isBetween(
      { minimum: 1, maximum: maxSeconds },
      { message: `must be a whole number of seconds from 1 to ${maxSeconds}` }
    )
  )
)

const { AccessSet, Invited, Kicked, RoleSet, TopicSet } = governing
const asked = { id: Schema.optionalKey(RequestId), key: Schema.optionalKey(MessageKey) }
const inRoom = { ...asked, room: RoomName }
/** The lobby, if no room is named. */
const anywhere = { ...asked, room: Schema.optionalKey(RoomName) }

export const roomRequests = {
  SetTopic: { ...inRoom, ...TopicSet },
  SetRole: { ...inRoom, ...RoleSet },
  SetAccess: { ...inRoom, ...AccessSet },
  InviteUser: { ...inRoom, ...Invited },
  Kick: { ...inRoom, ...Kicked },
  Ban: { ...inRoom, ...Kicked, seconds },
  Unban: { ...inRoom, ...Invited },
  Mute: { ...anywhere, ...Kicked, seconds },
  Unmute: { ...anywhere, ...Invited }
}

export const RoomRequest = Schema.TaggedUnion(roomRequests)
export type RoomRequest = typeof RoomRequest.Type

const tags: ReadonlySet<string> = new Set(Object.keys(roomRequests))
export const isRoomRequest = <Message extends { readonly _tag: string }>(
  message: Message
): message is Extract<Message, { readonly _tag: RoomRequest["_tag"] }> => tags.has(message._tag)

/** What it asks for, without until when it binds. */
export const governingOf: (request: RoomRequest) => Governing = RoomRequest.match({
  SetTopic: ({ topic }): Governing => ({ _tag: "TopicSet", topic }),
  SetRole: ({ role, user }): Governing => ({ _tag: "RoleSet", user, role }),
  SetAccess: (request): Governing => ({ _tag: "AccessSet", private: request.private }),
  InviteUser: ({ user }): Governing => ({ _tag: "Invited", user }),
  Kick: ({ reason, user }): Governing => ({ _tag: "Kicked", user, ...because(reason) }),
  Ban: ({ reason, user }): Governing => ({ _tag: "Banned", user, ...because(reason) }),
  Unban: ({ user }): Governing => ({ _tag: "Unbanned", user }),
  Mute: ({ reason, user }): Governing => ({ _tag: "Muted", user, ...because(reason) }),
  Unmute: ({ user }): Governing => ({ _tag: "Unmuted", user })
})

const because = (reason: string | undefined) => (reason === undefined ? {} : { reason })
