/**
 * Who may govern a room, and whom they may act against: pure, part of deciding, and shared with clients so that they know what to
 * offer. These rules stand here alone; PROTOCOL.md has the table that is made of them.
 *
 * An admin of the server may do everywhere what the owner of a room may, and those two may act against each other. Moderators act
 * against members. What a guest made is the guest's for its connection; roles and invitations are for accounts.
 */
import type { UserName } from "../name/UserName.ts"
import type { Governing, GoverningTag, Role } from "./Governing.ts"

/** Why not, as the wire says it. */
export type GoverningRefusal =
  | { readonly _tag: "NotAllowed"; readonly action: string; readonly why: string }
  | { readonly _tag: "AccountRequired"; readonly action: string }
  | { readonly _tag: "UserNotFound"; readonly user: UserName }

/** Somebody, as far as it matters what they are in this room. */
export interface Party {
  readonly role: Role
  readonly isAdmin: boolean
  readonly isGuest: boolean
}

/** Whom an act is about. */
export interface Object extends Party {
  readonly isOneself: boolean
  /** Here or away. */
  readonly isMember: boolean
  readonly isBanned: boolean
  readonly isMuted: boolean
}

export interface Place {
  readonly isLobby: boolean
  readonly isPrivate: boolean
}

/** The request that asks for an entry of this kind. */
export const actionOf: Readonly<Record<GoverningTag, string>> = {
  TopicSet: "SetTopic",
  RoleSet: "SetRole",
  AccessSet: "SetAccess",
  Invited: "InviteUser",
  Kicked: "Kick",
  Banned: "Ban",
  Unbanned: "Unban",
  Muted: "Mute",
  Unmuted: "Unmute"
}

/** Nothing if it is allowed, otherwise why not. `object`: undefined if nobody of that name is an account, or here as a guest. */
export const mayGovern = (
  actor: Party,
  act: Governing,
  object: Object | undefined,
  place: Place
): GoverningRefusal | undefined => {
  const action = actionOf[act._tag]
  const no = (why: string): GoverningRefusal => ({ _tag: "NotAllowed", action, why })
  // Nobody could let others into a guest's private room.
  const isHiding = act._tag === "AccessSet" && act.private
  const isForAccounts = act._tag === "RoleSet" || act._tag === "Invited" || isHiding
  if (isForAccounts && actor.isGuest) return { _tag: "AccountRequired", action }
  const missing = lacks(actor, act, place)
  if (missing !== undefined) return no(missing)
  if (!("user" in act)) return undefined
  if (object === undefined) return { _tag: "UserNotFound", user: act.user }
  if (object.isOneself) return no(againstOneself[act._tag] ?? "You cannot do that to yourself. Ask another moderator.")
  if (isForAccounts && object.isGuest) return { _tag: "AccountRequired", action }
  switch (act._tag) {
    case "Kicked":
      if (!object.isMember) return { _tag: "UserNotFound", user: act.user }
      break
    case "Unbanned":
      if (!object.isBanned) return { _tag: "UserNotFound", user: act.user }
      break
    case "Unmuted":
      if (!object.isMuted) return { _tag: "UserNotFound", user: act.user }
      break
    case "Invited":
      return object.isBanned ? no(`${act.user} is banned from this room. Lift that first (Unban).`) : undefined
    case "RoleSet":
      return object.isBanned ? no(`${act.user} is banned from this room. Lift that first (Unban).`) : undefined
  }
  return mayActAgainst(actor, object) ? undefined : no(outranked(act.user, object))
}

/** Nothing if somebody may delete the room, with all that was said in it; otherwise why not. */
export const mayDelete = (actor: Party): GoverningRefusal | undefined =>
  rules(actor)
    ? undefined
    : {
        _tag: "NotAllowed",
        action: "DeleteRoom",
        why: "Only the owner of the room can delete it, or an admin of the server."
      }

/** Whether somebody who may kick, ban and mute may do so to this one. */
export const mayActAgainst = (actor: Party, object: Party): boolean => {
  if (rules(actor)) return true
  return !object.isAdmin && object.role === "member"
}

/** Whether somebody may do what owners do. */
export const rules = ({ isAdmin, role }: Party): boolean => isAdmin || role === "owner"

/** Whether somebody may do what moderators do. */
export const moderates = (party: Party): boolean => rules(party) || party.role === "moderator"

/** Who could do it, if not this one. */
const lacks = (actor: Party, act: Governing, { isLobby, isPrivate }: Place): string | undefined => {
  if (isLobby) return actor.isAdmin ? undefined : "In the lobby only admins of the server can do that."
  switch (act._tag) {
    case "RoleSet":
    case "AccessSet":
      return rules(actor) ? undefined : "Only the owner of the room can do that, or an admin of the server."
    case "Invited":
      return moderates(actor) || !isPrivate
        ? undefined
        : "Only the owner and the moderators of a private room can invite somebody, or an admin of the server."
    default:
      return moderates(actor)
        ? undefined
        : "Only the owner and the moderators of the room can do that, or an admin of the server."
  }
}

const againstOneself: Partial<Readonly<Record<GoverningTag, string>>> = {
  RoleSet:
    "You cannot change your own role. Ask the owner of the room or an admin of the server; an owner makes somebody else the owner.",
  Invited: "You cannot invite yourself.",
  Kicked: "You cannot kick yourself. Leave the room instead."
}

const outranked = (user: UserName, object: Party): string => {
  if (object.isAdmin)
    return `${user} is an admin of the server. Only the owner of the room can do that, or another admin.`
  return object.role === "owner"
    ? `${user} is the owner of the room. Only an admin of the server can do that.`
    : `${user} is a moderator of the room. Only the owner can do that, or an admin of the server.`
}
