/** What somebody said that others complained of, as data: what `Reports` keeps for the admins. */
import { Schema } from "effect"
import { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { Reason } from "../../common/log/Governing.ts"
import { UserName } from "../../common/name/UserName.ts"
import { Content } from "../../common/text/Content.ts"
import { whereabouts } from "../../common/wire/EntryMessage.ts"
import { AccountId } from "../session/AccountId.ts"

/** Somebody, as far as it is known: an account, or a guest; and where the connection comes from (see `networkOf`). */
const Person = Schema.Struct({
  user: UserName,
  account: Schema.optionalKey(AccountId),
  network: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(64)))
})
export type Person = typeof Person.Type

export const NewReport = Schema.Struct({
  at: Timestamp,
  by: Person,
  reason: Reason,
  /** Where it was said, as who reports names it: in private, with whom, and by the place in that inbox. */
  where: Schema.Struct(whereabouts),
  seq: Seq,
  /** The message as it stood then. */
  said: Schema.Struct({ at: Timestamp, from: Person, content: Content })
})
export type NewReport = typeof NewReport.Type

/** `id` counts from 1 and never comes twice. */
export const Report = Schema.Struct({ id: Schema.Natural, isHandled: Schema.Boolean, ...NewReport.fields })
export type Report = typeof Report.Type
