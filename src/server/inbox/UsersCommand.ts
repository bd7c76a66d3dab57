/** What the UserProcessor is told, which owns the inboxes. */
import { Schema } from "effect"
import { Body } from "../../common/log/Entry.ts"
import { UserName } from "../../common/name/UserName.ts"
import { MessageKey } from "../../common/wire/RequestId.ts"
import { Range, Search } from "../history/Query.ts"
import { Asker, SessionId } from "../session/Asker.ts"

export const UsersCommand = Schema.TaggedUnion({
  Deliver: {
    from: Asker,
    to: UserName,
    receivers: Schema.Array(SessionId),
    body: Body.cases.Said,
    key: Schema.UndefinedOr(MessageKey)
  },
  ReadInbox: { from: Asker, with: UserName, range: Range },
  SearchInbox: { from: Asker, with: UserName, search: Search },
  /** A connection is gone: a guest's inbox goes with it. */
  Gone: { session: SessionId }
})
export type UsersCommand = typeof UsersCommand.Type
export type UsersCommandOf<Tag extends UsersCommand["_tag"]> = Extract<UsersCommand, { readonly _tag: Tag }>
