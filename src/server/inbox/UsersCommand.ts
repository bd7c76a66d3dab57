/** What the UserProcessor is told, which owns the inboxes. */
import { Schema } from "effect"
import { Cursor, Seq } from "../../common/log/Cursor.ts"
import { Body, Intent } from "../../common/log/Entry.ts"
import { Reason } from "../../common/log/Governing.ts"
import { UserName } from "../../common/name/UserName.ts"
import { MessageKey } from "../../common/wire/RequestId.ts"
import { Range, Search } from "../history/Query.ts"
import { Asker, SessionId } from "../session/Asker.ts"

/** The connections of the other user, and the sender's own others. */
const connections = { receivers: Schema.Array(SessionId), siblings: Schema.Array(SessionId) }

export const UsersCommand = Schema.TaggedUnion({
  Deliver: { from: Asker, to: UserName, ...connections, body: Body.cases.Said, key: Schema.UndefinedOr(MessageKey) },
  /** Something is done to a private message. */
  Act: {
    from: Asker,
    with: UserName,
    ...connections,
    body: Intent,
    key: Schema.UndefinedOr(MessageKey)
  },
  /** Somebody is about to write to another user, who has these connections. */
  Typing: { from: Asker, with: UserName, receivers: Schema.Array(SessionId) },
  /** A connection of an account comes to its inbox: behind from now on. */
  CatchUp: { from: Asker, after: Schema.UndefinedOr(Cursor) },
  ReadInbox: { from: Asker, with: UserName, range: Range },
  SearchInbox: { from: Asker, with: UserName, search: Search },
  /** What was said in private is to be kept for the admins. */
  Report: { from: Asker, with: UserName, target: Seq, reason: Reason },
  /** A connection is gone: a guest's inbox goes with it. */
  Gone: { session: SessionId }
})
export type UsersCommand = typeof UsersCommand.Type
export type UsersCommandOf<Tag extends UsersCommand["_tag"]> = Extract<UsersCommand, { readonly _tag: Tag }>
