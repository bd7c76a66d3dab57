/** What the UserProcessor is told, which owns the inboxes. */
import { Schema } from "effect"
import { UserName } from "../../common/name/UserName.ts"
import { Content } from "../../common/text/Content.ts"
import { MessageKey } from "../../common/wire/ClientMessage.ts"
import { Range, Search } from "../history/Query.ts"
import { Asker, SessionId } from "../session/Asker.ts"

export const UsersCommand = Schema.TaggedUnion({
  Deliver: {
    from: Asker,
    to: UserName,
    receivers: Schema.Array(SessionId),
    content: Content,
    key: Schema.UndefinedOr(MessageKey)
  },
  ReadInbox: { from: Asker, with: UserName, range: Range },
  SearchInbox: { from: Asker, with: UserName, search: Search },
  /** A connection is gone: a guest's inbox goes with it. */
  Gone: { session: SessionId }
})
export type UsersCommand = typeof UsersCommand.Type
export type UsersCommandOf<Tag extends UsersCommand["_tag"]> = Extract<UsersCommand, { readonly _tag: Tag }>
