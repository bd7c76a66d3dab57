/**
 * Names who an entry of an inbox was exchanged with: an account for good, or a guest by name. A name that an account had, and
 * somebody else has now, is another partner.
 */
import { Schema } from "effect"
import type { Conversation, Inbox } from "../../common/log/Conversation.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"

export const Partner = Schema.String.pipe(Schema.brand("Partner"))
export type Partner = typeof Partner.Type

/** No name holds a number sign. */
export const partnerOf = ({ account, user }: Omit<Inbox, "_tag">): Partner =>
  Partner.make(account === undefined ? nameKey(user) : `#${account}`)

/** An entry that may be one of an inbox (see NewEntry). */
interface Addressed {
  readonly conversation: Conversation
  readonly from: UserName
  readonly to?: UserName
  readonly twin?: Inbox
}

/** With whom it is exchanged, if it is one of an inbox. */
export const partnerIn = ({ conversation, from, to, twin }: Addressed): Partner | undefined => {
  if (conversation._tag !== "Inbox" || to === undefined) return undefined
  return partnerOf(twin ?? { user: isFromOwner(conversation, from) ? to : from })
}

/** Whether it is its owner's own. */
export const isFromOwner = ({ user }: Inbox, from: UserName): boolean => nameKey(from) === nameKey(user)
