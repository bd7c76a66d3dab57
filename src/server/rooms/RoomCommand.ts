/** What the one fiber that owns a conversation is told: the lobby's or a room's manager. Plain data, as every command. */
import { Schema } from "effect"
import { Cursor } from "../../common/log/Cursor.ts"
import { UserName } from "../../common/name/UserName.ts"
import { Content } from "../../common/text/Content.ts"
import { MessageKey } from "../../common/wire/ClientMessage.ts"
import { Range } from "../history/Query.ts"
import { Asker, SessionId } from "../session/Asker.ts"

export const RoomCommand = Schema.TaggedUnion({
  Join: { from: Asker, after: Schema.UndefinedOr(Cursor) },
  Leave: { from: Asker },
  /** The connection is gone: leave without a reply. */
  Gone: { session: SessionId },
  Publish: { from: Asker, content: Content, key: Schema.UndefinedOr(MessageKey) },
  ListMembers: { from: Asker, after: Schema.UndefinedOr(UserName) },
  ReadHistory: { from: Asker, range: Range },
  /** The time to gather presence changes is over: tell the members. */
  AnnouncePresence: {},
  /** The log may be empty by now: see whether anybody needs the room. */
  CheckVacancy: {}
})
export type RoomCommand = typeof RoomCommand.Type
export type RoomCommandOf<Tag extends RoomCommand["_tag"]> = Extract<RoomCommand, { readonly _tag: Tag }>
