/**
 * An entry of a conversation's log: what somebody did there, at its place in the one order everybody sees.
 *
 * `seq` counts all entries, whatever their kind. A kind is a case of `Body` and nothing else: how it reads on the wire, who
 * may make one and what it does to the messages before it are said in `wire/EntryMessage`, `Permission` and `Timeline`.
 */
import { Schema } from "effect"
import { UserName } from "../name/UserName.ts"
import { Content, line } from "../text/Content.ts"
import { Seq, Timestamp } from "./Cursor.ts"
import { governing, Governing, Reason } from "./Governing.ts"
import { sealing, Sealing } from "./Sealing.ts"

/** What is put beside a message: an emoji, or a short word. */
export const Reaction = line(32)
export type Reaction = typeof Reaction.Type

/** How many different reactions one message keeps. */
export const maxReactions = 50

const isTrue = Schema.optionalKey(Schema.Literal(true))

/** `target` and `replyTo` are places in the same log. */
export const Body = Schema.TaggedUnion({
  Said: { content: Content, replyTo: Schema.optionalKey(Seq) },
  Edited: { target: Seq, content: Content },
  /** `moderated`: by somebody else than its author. */
  Deleted: { target: Seq, reason: Schema.optionalKey(Reason), moderated: isTrue },
  Reacted: { target: Seq, reaction: Reaction, removed: isTrue },
  /** Where a message stood that was deleted, or an edit of it. `from` and `at` of the entry stay theirs. */
  Tombstone: { deletedBy: UserName, deletedAt: Timestamp },
  ...sealing,
  ...governing
})
export type Body = typeof Body.Type
export type BodyOf<Tag extends Body["_tag"]> = Extract<Body, { readonly _tag: Tag }>

/** What somebody may want to do: every kind but what only follows from others. */
export const Intent = Schema.Union([
  Body.cases.Said,
  Body.cases.Edited,
  Body.cases.Deleted,
  Body.cases.Reacted,
  Sealing,
  Governing
])
export type Intent = typeof Intent.Type

/** `to`: in an inbox, whom it is for. */
export const Entry = Schema.Struct({
  seq: Seq,
  at: Timestamp,
  from: UserName,
  to: Schema.optionalKey(UserName),
  body: Body
})
export type Entry = typeof Entry.Type

/** The place of the message that something is done to, if that is what it does. */
export const targetOf = (body: Body): Seq | undefined => ("target" in body ? body.target : undefined)

/** The place of what an entry is done or replies to. */
export const referenceOf = (body: Body): Seq | undefined => (body._tag === "Said" ? body.replyTo : targetOf(body))

/** The same body where what it refers to stands at another place; a reply to what is not there is none. */
export const referringTo = (body: Body, reference: Seq | undefined): Body => {
  if (body._tag === "Said") {
    const { replyTo: _, ...said } = body
    return reference === undefined ? said : { ...said, replyTo: reference }
  }
  // Place 0 is nothing's.
  return "target" in body ? { ...body, target: reference ?? 0 } : body
}

/**
 * Whose an entry is, for as long as it can be theirs: a guest's connection, of this start of the server, or an account. Two
 * people who come one after the other under one name are two authors. Never shown.
 */
export const AuthorId = Schema.String.check(Schema.isBetweenLength(1, 64)).pipe(Schema.brand("AuthorId"))
export type AuthorId = typeof AuthorId.Type
