/** The commands by which people govern rooms. The room comes first, as in every command about a room. */
import { Schema } from "effect"
import { Reason, type Role, Topic } from "../../common/log/Governing.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { HistoryLimit } from "../../common/wire/ClientMessage.ts"
import { ask } from "./Action.ts"
import { type Command, define } from "./Definition.ts"
import { Place, placeOf } from "./Place.ts"
import { Term } from "./Term.ts"

/** Stands for the lobby, where a room could stand. */
const lobby = "*"
const Anywhere = Schema.Union([Schema.Literal(lobby), RoomName])
const inRoom = (where: typeof Anywhere.Type) => (where === lobby ? {} : { room: where })

/** What takes a topic away. */
const noTopic = "-"

const room = Schema.Struct({ room: RoomName })
const somebody = Schema.Struct({ room: RoomName, user: UserName })
const because = (reason: string | undefined) => (reason === undefined ? {} : { reason })

const term = "The time is a number and s, m, h, d, w or y, from 1 second to 1 year; without one it is for good."
const who =
  "Moderators and the owner may, against members; against moderators the owner; everywhere whoever runs the server."

const appointing = (
  name: string,
  role: Exclude<Role, "owner">,
  told: { readonly summary: string; readonly alsoKnownAs: ReadonlyArray<string> }
): Command =>
  define({
    name,
    parameters: somebody,
    kinds: { room: "here", user: "member" },
    ...told,
    example: `:${name} dev bob`,
    notes: ["Only the owner of the room may, or whoever runs the server. Roles are for accounts."],
    action: ({ room, user }) => ask({ _tag: "SetRole", room, user, role })
  })

export const roomCommands: ReadonlyArray<Command> = [
  define({
    name: "room",
    parameters: room,
    kinds: { room: "here" },
    summary: "tell what a room is about, and who governs it",
    example: ":room dev",
    notes: ["Whoever moderates it is told who is banned or muted there, until when and why."],
    alsoKnownAs: ["roominfo", "about", "mode"],
    action: ({ room }) => ask({ _tag: "GetRoom", room })
  }),
  define({
    name: "topic",
    parameters: Schema.Struct({ room: RoomName, topic: Schema.optionalKey(Topic) }),
    kinds: { room: "here", topic: "words" },
    summary: "say what a room is about, or look",
    example: ":topic dev Release on Friday",
    notes: [
      `Without a topic it is shown; ${noTopic} in its place takes it away. Moderators and the owner may set it.`,
      "In a room, at a terminal, all of the text is its topic: :topic Release on Friday. in:ops before it names another room."
    ],
    alsoKnownAs: ["subject", "settopic"],
    action: ({ room, topic }) =>
      topic === undefined
        ? ask({ _tag: "GetRoom", room })
        : ask({ _tag: "SetTopic", room, topic: topic === noTopic ? "" : topic })
  }),
  define({
    name: "invite",
    parameters: somebody,
    kinds: { room: "here", user: "user" },
    summary: "let somebody into a room, and tell them",
    example: ":invite dev bob",
    notes: ["In a private room moderators and the owner may, elsewhere every member. Invitations are for accounts."],
    action: ({ room, user }) => ask({ _tag: "InviteUser", room, user })
  }),
  define({
    name: "kick",
    parameters: Schema.Struct({ room: RoomName, user: UserName, reason: Schema.optionalKey(Reason) }),
    kinds: { room: "here", user: "member", reason: "words" },
    summary: "put somebody out of a room",
    example: ":kick dev bob This is the wrong room.",
    notes: ["They may come back, unless the room is private; :ban keeps them out.", who],
    alsoKnownAs: ["remove"],
    action: ({ reason, room, user }) => ask({ _tag: "Kick", room, user, ...because(reason) })
  }),
  define({
    name: "ban",
    parameters: Schema.Struct({
      room: RoomName,
      user: UserName,
      time: Schema.optionalKey(Term),
      reason: Schema.optionalKey(Reason)
    }),
    kinds: { room: "here", user: "member", time: "time", reason: "words" },
    summary: "put somebody out of a room and keep them out, for a time or for good",
    example: ":ban dev bob 2h spam",
    notes: [term, "A guest is kept out by name and address. :room dev shows the bans, :unban lifts one.", who],
    alsoKnownAs: ["kickban"],
    action: ({ reason, room, time, user }) =>
      ask({ _tag: "Ban", room, user, ...(time !== undefined && { seconds: time }), ...because(reason) })
  }),
  define({
    name: "unban",
    parameters: somebody,
    kinds: { room: "here", user: "bound" },
    summary: "lift a ban",
    example: ":unban dev bob",
    notes: ["They may join again, a private room if they are invited. :room dev shows who is banned."],
    alsoKnownAs: ["pardon"],
    action: ({ room, user }) => ask({ _tag: "Unban", room, user })
  }),
  define({
    name: "mute",
    parameters: Schema.Struct({
      room: Anywhere,
      user: UserName,
      time: Schema.optionalKey(Term),
      reason: Schema.optionalKey(Reason)
    }),
    kinds: { room: "here", user: "member", time: "time", reason: "words" },
    summary: "let somebody only read in a room, for a time or for good",
    example: ":mute dev bob 30m flood",
    notes: [term, "With * for the room: in the lobby, for whoever runs the server. :unmute lifts it.", who],
    alsoKnownAs: ["silence", "quiet", "gag"],
    action: ({ reason, room, time, user }) =>
      ask({ _tag: "Mute", ...inRoom(room), user, ...(time !== undefined && { seconds: time }), ...because(reason) })
  }),
  define({
    name: "unmute",
    parameters: Schema.Struct({ room: Anywhere, user: UserName }),
    kinds: { room: "here", user: "bound" },
    summary: "lift a mute",
    example: ":unmute dev bob",
    notes: ["With * for the room: in the lobby. :room dev shows who is muted."],
    alsoKnownAs: ["unsilence", "voice"],
    action: ({ room, user }) => ask({ _tag: "Unmute", ...inRoom(room), user })
  }),
  appointing("op", "moderator", { summary: "make somebody a moderator of a room", alsoKnownAs: ["promote", "mod"] }),
  appointing("deop", "member", { summary: "make a moderator a plain member", alsoKnownAs: ["demote", "unmod"] }),
  define({
    name: "owner",
    parameters: somebody,
    kinds: { room: "here", user: "member" },
    summary: "hand a room over to somebody",
    example: ":owner dev bob",
    notes: ["Who owned it is a moderator from then on, and cannot take it back. A terminal asks first."],
    alsoKnownAs: ["transfer", "handover"],
    action: ({ room, user }) =>
      ask({ _tag: "SetRole", room, user, role: "owner" }, `hand the room ${room} over to ${user}`)
  }),
  define({
    name: "private",
    parameters: room,
    kinds: { room: "here" },
    summary: "let into a room only who is invited",
    example: ":private dev",
    notes: ["Who is in it stays. To everybody else, the room is not there at all. Only its owner may."],
    alsoKnownAs: ["lock", "hide"],
    action: ({ room }) => ask({ _tag: "SetAccess", room, private: true })
  }),
  define({
    name: "open",
    parameters: room,
    kinds: { room: "here" },
    summary: "let everybody into a room",
    example: ":open dev",
    notes: ["Everybody sees it then, and can read what was said in it. Only its owner may."],
    alsoKnownAs: ["public", "unlock"],
    action: ({ room }) => ask({ _tag: "SetAccess", room, private: false })
  }),
  define({
    name: "rmroom",
    parameters: room,
    kinds: { room: "here" },
    summary: "delete a room with all that was said in it",
    example: ":rmroom dev",
    notes: ["That cannot be undone. A terminal asks first. Only its owner may, or whoever runs the server."],
    alsoKnownAs: ["deleteroom", "destroy", "drop"],
    action: ({ room }) =>
      ask({ _tag: "DeleteRoom", room }, `delete the room ${room} with all that was said in it, for everybody`)
  }),
  define({
    name: "audit",
    parameters: Schema.Struct({
      room: Schema.optionalKey(Place),
      n: Schema.optionalKey(Schema.FiniteFromString.pipe(Schema.decodeTo(HistoryLimit)))
    }),
    kinds: { room: "here", n: "count" },
    summary: "show what was done in a room by those who govern it",
    example: ":audit dev",
    notes: ["Every member may look. Without a room, it is about the lobby. :more shows what is older."],
    alsoKnownAs: ["auditlog", "modlog"],
    action: ({ n, room }) =>
      ask({ _tag: "GetHistory", ...placeOf(room), only: "moderation", ...(n !== undefined && { limit: n }) })
  })
]
