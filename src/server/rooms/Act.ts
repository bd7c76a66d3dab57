/** What somebody wants to do in a conversation's log: data, as the delivering half hands it to the deciding half. */
import { Schema } from "effect"
import { AuthorId, Body } from "../../common/log/Entry.ts"
import { UserName } from "../../common/name/UserName.ts"
import { MessageKey } from "../../common/wire/ClientMessage.ts"

const { Deleted, Edited, Reacted, Said } = Body.cases

/** What may be asked for: every kind of entry but what only follows from others. */
export const Intent = Schema.Union([Said, Edited, Deleted, Reacted])
export type Intent = typeof Intent.Type

export const Act = Schema.Struct({
  from: UserName,
  author: AuthorId,
  body: Intent,
  /** Done once, however often it is asked for with the same key. */
  key: Schema.UndefinedOr(MessageKey)
})
export type Act = typeof Act.Type
