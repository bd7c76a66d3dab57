/**
 * What is done to a room itself, or to somebody in it: the entries by which people govern a room. The lobby knows `Muted` and
 * `Unmuted` alone. Who may do which is said in `RoomPermission`.
 */
import { Schema } from "effect"
import { UserName } from "../name/UserName.ts"
import { line } from "../text/Content.ts"
import { Timestamp } from "./Cursor.ts"

/** What somebody is in a room. Admins of the server may do everywhere what an owner may. */
export const Role = Schema.Literals(["owner", "moderator", "member"])
export type Role = typeof Role.Type

/** What a room is about; none if it is empty. */
export const Topic = line(300, 0)

/** Why something was done, for those who see it. */
export const Reason = line(300)

const user = { user: UserName }
const reason = { reason: Schema.optionalKey(Reason) }
/** Until when it binds; for good if nothing is said. */
const until = { until: Schema.optionalKey(Timestamp) }

export const governing = {
  TopicSet: { topic: Topic },
  /** `owner`: the room is handed over, and who owned it is a moderator. */
  RoleSet: { ...user, role: Role },
  AccessSet: { private: Schema.Boolean },
  Invited: user,
  Kicked: { ...user, ...reason },
  Banned: { ...user, ...until, ...reason },
  Unbanned: user,
  Muted: { ...user, ...until, ...reason },
  Unmuted: user
}
export const Governing = Schema.TaggedUnion(governing)
export type Governing = typeof Governing.Type
export type GoverningTag = Governing["_tag"]

const tags: ReadonlySet<string> = new Set(Object.keys(governing))
export const isGoverning = <Body extends { readonly _tag: string }>(
  body: Body
): body is Extract<Body, { readonly _tag: GoverningTag }> => tags.has(body._tag)

/** Whether somebody who reads what the moderators did is shown it. */
export const isModeration = <Body extends { readonly _tag: string }>(
  body: Body
): body is Extract<Body, { readonly _tag: GoverningTag | "Deleted" }> =>
  isGoverning(body) || (body._tag === "Deleted" && "moderated" in body && body.moderated === true)
