/**
 * What is answered with `Sent`, as the model has it: an entry of a log at the place that the reply names, and what it makes of
 * the room or the message it is about. What the contract forbids is told as a breach, and done all the same.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import type { Json } from "./FuzzContract.ts"
import {
  type Account,
  type Bound,
  type Entry,
  Log,
  type Model,
  type Room,
  sameName,
  type Session,
  spelled
} from "./FuzzModel.ts"

interface Doing {
  readonly model: Model
  readonly session: Session
  readonly request: Json
  readonly reply: Json
}

const inAnyPlace = new Set(["EditMessage", "DeleteMessage", "React"])
const kindOf: Readonly<Record<string, string>> = {
  GlobalMessage: "Said",
  PrivateMessage: "Said",
  RoomMessage: "Said",
  EditMessage: "Edited",
  DeleteMessage: "Deleted",
  React: "Reacted",
  SetTopic: "TopicSet",
  SetRole: "RoleSet",
  SetAccess: "AccessSet",
  InviteUser: "Invited",
  Kick: "Kicked",
  Ban: "Banned",
  Unban: "Unbanned",
  Mute: "Muted",
  Unmute: "Unmuted"
}

export const applySent = (doing: Doing): void => {
  const { model, reply, request, session } = doing
  const tag = String(request["_tag"])
  const kind = kindOf[tag]
  if (kind === undefined) return model.breach("Sent for what makes no entry", request, reply)
  const partner = tag === "PrivateMessage" ? request["to"] : inAnyPlace.has(tag) ? request["with"] : undefined
  const room = request["room"] === undefined ? undefined : model.room(request["room"])
  if (request["room"] !== undefined && room === undefined) return model.breach("in a room that is not", request, reply)
  const log = room?.log ?? (partner === undefined ? model.lobby : session.inbox)
  const key =
    request["key"] === undefined
      ? undefined
      : `${nameKey(session.user ?? "")} ${partner === undefined ? "" : nameKey(spelled(partner))} ${String(request["key"])}`
  if (reply["repeated"] === true) return checkRepeat(doing, log, key, room)
  if (key !== undefined && log.keys.has(key)) model.breach("a key stored twice", request, reply)
  const seq = Number(reply["seq"])
  if (log.entries.has(seq)) return model.breach("a place taken twice", request, reply)
  checkAllowed(doing, kind, log, room)
  const entry = entryOf(doing, kind, log)
  log.add(entry)
  if (key !== undefined) log.keys.set(key, seq)
  if (partner !== undefined) deliver(doing, entry, spelled(partner))
  if (room !== undefined) govern(doing, kind, room, entry)
  else if (kind === "Muted" || kind === "Unmuted") bind(model.lobbyMutes, entry, kind === "Muted")
  takeEffect(log, entry)
}

const checkRepeat = (
  { model, reply, request, session }: Doing,
  log: Log,
  key: string | undefined,
  room: Room | undefined
) => {
  if (key !== undefined && log.keys.has(key)) {
    if (log.keys.get(key) !== reply["seq"]) model.breach("a repeat of another entry", request, reply)
    return
  }
  if (request["_tag"] === "React") {
    const there = log.standing(request["target"])?.reactions.has(reactionOf(session.user, request["reaction"])) === true
    if (!there) model.breach("called a repeat", request, reply)
    if (key !== undefined) log.keys.set(key, Number(reply["seq"]))
    return
  }
  const account = model.account(request["user"])
  const isKnown =
    account !== undefined && room !== undefined && (room.invited.has(account) || room.accounts.has(account))
  if (request["_tag"] !== "InviteUser" || !isKnown) model.breach("called a repeat", request, reply)
}

const reactionOf = (user: unknown, reaction: unknown): string => `${nameKey(spelled(user))} ${String(reaction)}`

const entryOf = ({ model, reply, request, session }: Doing, kind: string, log: Log): Entry => {
  const at = Number(reply["at"])
  const target = kind === "Said" ? request["replyTo"] : request["target"]
  const isElse = kind === "Deleted" && !isAuthor(log.standing(target), session)
  return {
    seq: Number(reply["seq"]),
    at,
    from: session.user ?? "?",
    kind,
    target: target === undefined ? undefined : Number(target),
    fields: fieldsOf(model, request, kind, at, isElse),
    session: session.id,
    account: session.account,
    versions: kind === "Said" ? [String(request["content"])] : [],
    reactions: new Set()
  }
}

const fieldsOf = (model: Model, request: Json, kind: string, at: number, isModerated: boolean): Json => {
  const { content, reason, seconds, user } = request
  const whom = {
    user: user === undefined ? undefined : (model.account(user)?.name ?? model.here(user)[0]?.user ?? spelled(user))
  }
  const why = reason === undefined ? {} : { reason }
  switch (kind) {
    case "Said":
    case "Edited":
      return { content }
    case "Deleted":
      return { ...why, ...(isModerated && { moderated: true }) }
    case "Reacted":
      return { reaction: request["reaction"], ...(request["remove"] === true && { removed: true }) }
    case "TopicSet":
      return { topic: request["topic"] }
    case "AccessSet":
      return { private: request["private"] }
    case "RoleSet":
      return { ...whom, role: request["role"] }
    case "Banned":
    case "Muted":
      return { ...whom, ...why, ...(seconds !== undefined && { until: at + Number(seconds) * 1000 }) }
    case "Kicked":
      return { ...whom, ...why }
    default:
      return whom
  }
}

/** An entry in private stands in the other's inbox, too, unless the other does not want to hear of it. */
const deliver = ({ model, session }: Doing, entry: Entry, partner: string) => {
  const account = model.account(partner)
  const [guest] = account === undefined ? model.here(partner) : []
  const other = account?.inbox ?? guest?.inbox
  const own = { ...entry, to: account?.name ?? guest?.user ?? partner }
  session.inbox.add(own)
  if (other === undefined || account?.blocked.has(nameKey(entry.from)) === true) return
  const twinOfTarget = entry.target === undefined ? undefined : session.inbox.entries.get(entry.target)?.twin
  const isElsewhere = entry.target !== undefined && twinOfTarget?.log !== other
  // What was never there cannot be changed.
  if (isElsewhere && entry.kind !== "Said") return
  const seq = other.newest + 1
  other.add({
    ...own,
    seq,
    target: isElsewhere ? undefined : twinOfTarget?.seq,
    versions: [...entry.versions],
    reactions: new Set(),
    twin: { log: session.inbox, seq: entry.seq }
  })
  own.twin = { log: other, seq }
}

/** What an entry does to the message it is about, and to the same in the other's inbox. */
const takeEffect = (log: Log, entry: Entry) => {
  if (entry.target === undefined || entry.kind === "Said") return
  const target = log.standing(entry.target)
  if (target === undefined) return
  const twin = target.twin?.log.standing(target.twin.seq)
  const isTold = log.entries.get(entry.seq)?.twin !== undefined
  change(target, entry, log)
  if (twin !== undefined && target.twin !== undefined && (isTold || entry.kind === "Deleted")) {
    change(twin, entry, target.twin.log)
  }
}

const change = (target: Entry, { at, fields, from, kind }: Entry, log: Log) => {
  const reaction = reactionOf(from, fields["reaction"])
  if (kind === "Edited") target.versions.push(String(fields["content"]))
  else if (kind === "Reacted" && fields["removed"] === true) target.reactions.delete(reaction)
  else if (kind === "Reacted") target.reactions.add(reaction)
  else if (kind === "Deleted") {
    target.kind = "Tombstone"
    target.target = undefined
    target.fields = { deletedBy: from, deletedAt: at }
    // Its edits hold nothing any more.
    for (const edit of log.entries.values()) {
      if (edit.kind === "Edited" && edit.target === target.seq) edit.fields = { content: "" }
    }
  }
}

const govern = ({ model, reply, request, session }: Doing, kind: string, room: Room, entry: Entry) => {
  const { fields } = entry
  const whom = fields["user"]
  const account = model.account(whom)
  const [guest] = account === undefined ? model.here(whom) : []
  switch (kind) {
    case "TopicSet":
      room.topic = fields["topic"] === "" ? undefined : String(fields["topic"])
      break
    case "AccessSet":
      room.isPrivate = fields["private"] === true
      break
    case "RoleSet":
      if (account === undefined) model.breach("a role for nobody", request, reply)
      else setRole(room, account, String(fields["role"]))
      break
    case "Invited":
      if (account === undefined) model.breach("nobody invited", request, reply)
      // Whom it has blocked lets it in nowhere.
      else if (!account.blocked.has(nameKey(session.user ?? ""))) room.invited.set(account, session.user ?? "?")
      break
    case "Kicked":
    case "Banned":
      if (account !== undefined) {
        room.moderators.delete(account)
        room.invited.delete(account)
        if (kind === "Banned" && room.owner === account) room.owner = undefined
      }
      if (kind === "Banned" && guest !== undefined && room.owner === guest.id) room.owner = undefined
      for (const one of [account, guest]) if (one !== undefined) model.putOut(room, one)
      if (kind === "Banned") bind(room.bans, entry, true)
      break
    case "Unbanned":
      bind(room.bans, entry, false)
      break
    case "Muted":
    case "Unmuted":
      bind(room.mutes, entry, kind === "Muted")
      break
  }
}

const bind = (bounds: Map<string, Bound>, { fields, from }: Entry, isOn: boolean) => {
  const { reason, until, user } = fields
  bounds.delete(nameKey(String(user)))
  if (!isOn) return
  bounds.set(nameKey(String(user)), {
    user: String(user),
    by: from,
    ...(until !== undefined && { until: Number(until) }),
    ...(reason !== undefined && { reason: String(reason) })
  })
}

const setRole = (room: Room, account: Account, role: string) => {
  room.moderators.delete(account)
  if (role === "owner") {
    if (typeof room.owner === "object" && room.owner !== account) room.moderators.add(room.owner)
    room.owner = account
    return
  }
  if (room.owner === account) room.owner = undefined
  if (role === "moderator") room.moderators.add(account)
}

const isAuthor = (entry: Entry | undefined, { account, id }: Session): boolean =>
  entry !== undefined && (entry.session === id || (account !== undefined && entry.account === account))

/** What must be so of whoever it was done by, if it was done. */
const checkAllowed = (doing: Doing, kind: string, log: Log, room: Room | undefined) => {
  const { model, reply, request, session } = doing
  const target = log.standing(request["target"])
  const isAdmin = session.account?.isAdmin === true
  const must = (isSo: boolean, why: string) => {
    if (!isSo) model.breach(why, request, reply)
  }
  const { replyTo, user } = request
  if (replyTo !== undefined)
    must(["Said", "Tombstone"].includes(log.entries.get(Number(replyTo))?.kind ?? ""), "replied to nothing")
  if (["Edited", "Deleted", "Reacted"].includes(kind)) must(target !== undefined, "done to no message")
  if (kind === "Edited") must(isAuthor(target, session), "edited by another")
  if (kind === "Reacted")
    must(
      request["remove"] !== true || target?.reactions.has(reactionOf(session.user, request["reaction"])) === true,
      "took back nothing"
    )
  const isModerator = isAdmin || (room !== undefined && model.governs(room, session))
  if (kind === "Deleted") must(isAuthor(target, session) || isModerator, "deleted by another")
  if (request["with"] !== undefined)
    must(session.account !== undefined && model.account(request["with"]) !== undefined, "a guest, in private")
  if (request["to"] !== undefined) must(!sameName(request["to"], session.user), "to oneself")
  if (user !== undefined) must(!sameName(user, session.user), "against oneself")
  const mutes = room?.mutes ?? model.lobbyMutes
  const writes =
    ["Said", "Edited", "Reacted"].includes(kind) && request["to"] === undefined && request["with"] === undefined
  if (writes)
    must(
      !mutes.has(nameKey(session.user ?? "")) || isOver(mutes.get(nameKey(session.user ?? "")), reply),
      "by one who is muted"
    )
  if (room === undefined) return must(!(kind in governing) || isAdmin, "governs the lobby")
  const isIn = model.isIn(room, session)
  const needsNoPlace = isAdmin && !writes
  must(isIn || needsNoPlace, "by an outsider")
  if (!(kind in governing)) return
  const isOwner = isAdmin || model.isOwner(room, session)
  if (kind === "Invited")
    must(session.account !== undefined && (isModerator || !room.isPrivate), "invited by a stranger")
  else must(governing[kind] === "owner" ? isOwner : isModerator, "governed by a stranger")
  if (kind === "RoleSet") must(session.account !== undefined, "a role by a guest")
  if (kind === "Unbanned") must(room.bans.has(nameKey(spelled(user))), "unbanned who was not")
  if (kind === "Unmuted") must(mutes.has(nameKey(spelled(user))), "unmuted who was not")
}

const isOver = (bound: Bound | undefined, { at }: Json): boolean =>
  bound?.until !== undefined && bound.until <= Number(at)

const governing: Readonly<Record<string, "owner" | "moderator">> = {
  TopicSet: "moderator",
  RoleSet: "owner",
  AccessSet: "owner",
  Invited: "moderator",
  Kicked: "moderator",
  Banned: "moderator",
  Unbanned: "moderator",
  Muted: "moderator",
  Unmuted: "moderator"
}
