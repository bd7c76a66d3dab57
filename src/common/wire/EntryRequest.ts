/**
 * Requests that make entries beside messages: each asks for one kind, in a conversation of any kind (a room, the private one
 * with a user, or the lobby), and is answered with Sent.
 */
import { Schema } from "effect"
import { Body, type Intent } from "../log/Entry.ts"
import { whereabouts } from "./EntryMessage.ts"
import { MessageKey, RequestId } from "./RequestId.ts"

const { Deleted, Edited, Reacted } = Body.cases
const any = { id: Schema.optionalKey(RequestId), ...whereabouts, key: Schema.optionalKey(MessageKey) }

export const entryRequests = {
  EditMessage: { ...any, target: Edited.fields.target, content: Edited.fields.content },
  DeleteMessage: { ...any, target: Deleted.fields.target, reason: Deleted.fields.reason },
  React: {
    ...any,
    target: Reacted.fields.target,
    reaction: Reacted.fields.reaction,
    remove: Reacted.fields.removed
  }
}

export const EntryRequest = Schema.TaggedUnion(entryRequests)
export type EntryRequest = typeof EntryRequest.Type

const tags: ReadonlySet<string> = new Set(Object.keys(entryRequests))
export const isEntryRequest = <Message extends { readonly _tag: string }>(
  message: Message
): message is Extract<Message, { readonly _tag: EntryRequest["_tag"] }> => tags.has(message._tag)

/** What it asks for. */
export const intentOf: (request: EntryRequest) => Intent = EntryRequest.match({
  EditMessage: ({ content, target }): Intent => ({ _tag: "Edited", target, content }),
  DeleteMessage: ({ reason, target }): Intent => ({
    _tag: "Deleted",
    target,
    ...(reason !== undefined && { reason })
  }),
  React: ({ reaction, remove, target }): Intent => ({
    _tag: "Reacted",
    target,
    reaction,
    ...(remove === true && { removed: true })
  })
})
