/** What the one fiber that owns a conversation is told: the lobby's or a room's manager. Plain data, as every command. */
import { Schema } from "effect"
import { Cursor } from "../../common/log/Cursor.ts"
import { Intent } from "../../common/log/Entry.ts"
import { base64, maxWelcomeBytes } from "../../common/log/Sealing.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { MessageKey } from "../../common/wire/RequestId.ts"
import { SharedRange } from "../history/Query.ts"
import { AccountId } from "../session/AccountId.ts"
import { Asker, SessionId } from "../session/Asker.ts"

/** Somebody by name: which account or guest that is, if it is here. */
export const About = Schema.Struct({
  user: UserName,
  account: Schema.optionalKey(AccountId),
  guest: Schema.optionalKey(SessionId)
})
export type About = typeof About.Type

export const RoomCommand = Schema.TaggedUnion({
  Join: { from: Asker, after: Schema.UndefinedOr(Cursor) },
  Leave: { from: Asker },
  /** The connection is gone: leave without a reply. A membership stays. */
  Gone: { session: SessionId },
  /** The guest of this connection is an account from now on: if it is in, that becomes a membership. */
  Own: { session: SessionId, account: AccountId, user: UserName },
  /** An account is gone, with its memberships. */
  Dismiss: { account: AccountId, user: UserName },
  /** Something is to be done in the log. `about`: whom, if somebody; `seconds`: for how long it binds, if not for good. */
  Act: {
    from: Asker,
    body: Intent,
    key: Schema.UndefinedOr(MessageKey),
    about: Schema.optionalKey(About),
    seconds: Schema.optionalKey(Schema.Natural),
    /** To the devices that a commit lets in. */
    welcome: Schema.optionalKey(base64(maxWelcomeBytes))
  },
  /** Somebody is about to say something. */
  Typing: { from: Asker },
  /** What the room is about, who governs it and who is bound in it. */
  Describe: { from: Asker },
  /** The room is to go, with all that was said in it. `isOutlived`: with who had a name before; nobody's right is asked, and no reply given. */
  Delete: { from: Asker, isOutlived: Schema.optionalKey(Schema.Literal(true)) },
  ListMembers: { from: Asker, after: Schema.UndefinedOr(UserName) },
  ReadHistory: { from: Asker, range: SharedRange },
  /** A room was made, of which the lobby's members are told. */
  RoomMade: { room: RoomName, by: Asker },
  /** There is something to be announced, when the time to gather is over. */
  Announce: {}
})
export type RoomCommand = typeof RoomCommand.Type
/** Nothing is begun or read for who is gone. A Leave is carried out: behind it comes no Gone. */
export const isForWhoIsHere = RoomCommand.isAnyOf(["Join", "ListMembers", "ReadHistory", "Typing"])

export type RoomCommandOf<Tag extends RoomCommand["_tag"]> = Extract<RoomCommand, { readonly _tag: Tag }>
