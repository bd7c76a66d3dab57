/** What the UserProcessor is told, which owns the inboxes. */
import { Schema } from "effect"
import { Body, Intent } from "../../common/log/Entry.ts"
import { UserName } from "../../common/name/UserName.ts"
import { MessageKey } from "../../common/wire/RequestId.ts"
import { Range, Search } from "../history/Query.ts"
import { Asker, SessionId } from "../session/Asker.ts"

/** Those of the other user, none if it is not here, and the asker's others. */
const connections = { receivers: Schema.Array(SessionId), siblings: Schema.Array(SessionId) }
const key = Schema.UndefinedOr(MessageKey)

export const UsersCommand = Schema.TaggedUnion({
  Deliver: { from: Asker, to: UserName, ...connections, body: Body.cases.Said, key },
  /** Something is to be done to what stands in the private messages with somebody. */
  Act: { from: Asker, with: UserName, ...connections, body: Intent, key },
  ReadInbox: { from: Asker, with: UserName, range: Range },
  SearchInbox: { from: Asker, with: UserName, search: Search },
  /** A connection is gone: a guest's inbox goes with it. */
  Gone: { session: SessionId }
})
export type UsersCommand = typeof UsersCommand.Type
export type UsersCommandOf<Tag extends UsersCommand["_tag"]> = Extract<UsersCommand, { readonly _tag: Tag }>
