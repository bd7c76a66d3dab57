/** Something that is to be stored in the inbox of an account: data, and what can be said of it without looking anything up. */
import type { Inbox } from "../../common/log/Conversation.ts"
import type { Intent, AuthorId } from "../../common/log/Entry.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import { type Partner, partnerOf } from "../history/Partner.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Holder } from "./PrivatePlaces.ts"

export interface Exchange {
  readonly from: Asker
  readonly author: AuthorId
  readonly to: UserName
  /** Which account that is; no guest's exchange with a guest is stored. */
  readonly account: AccountId | undefined
  /** Whether anybody answers to the name. A repeat is answered all the same, and what one said may be deleted. */
  readonly isThere: boolean
  /** The connection of a guest who is to have it. */
  readonly guests: ReadonlyArray<SessionId>
  readonly body: Intent
  readonly key: MessageKey | undefined
}

export const inboxOf = (user: UserName, account: AccountId): Inbox => ({ _tag: "Inbox", user, account })

/** Where it is stored, whose place the sender's side names, and in which other inbox it stands as well. */
export interface Home {
  readonly conversation: Inbox
  readonly partner: Partner
  readonly twin: Inbox | undefined
}

/** The sender's inbox, if it is an account's, and otherwise the receiver's. */
export const homeOf = ({ account, from, to }: Exchange): Home | undefined => {
  const theirs = account === undefined ? undefined : inboxOf(to, account)
  if (from.account !== undefined) {
    const conversation = inboxOf(from.user, from.account)
    return { conversation, partner: partnerOf(theirs ?? { user: to }), twin: theirs }
  }
  return theirs && { conversation: theirs, partner: partnerOf({ user: from.user }), twin: undefined }
}

export const senderOf = ({ from }: Exchange): Holder =>
  from.account === undefined ? from.session : partnerOf({ user: from.user, account: from.account })

export const receiverOf = ({ account, guests, to }: Exchange): Holder =>
  account === undefined ? (guests[0] ?? partnerOf({ user: to })) : partnerOf({ user: to, account })

/** Whether it depends on what stands. Its key is seen to when it is stored. */
export const isDependent = ({ body, isThere }: Exchange): boolean =>
  body._tag !== "Said" || body.replyTo !== undefined || !isThere
