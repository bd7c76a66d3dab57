/**
 * Who may do what in a conversation: pure, part of deciding, and shared with clients so that they know what to offer.
 *
 * This is about messages and their authors; who may govern a room is said in `RoomPermission`. Whether a target is there at all
 * is said here as well, for that is the first thing one may need.
 */
import type { Seq, Timestamp } from "./Cursor.ts"
import type { AuthorId, Body } from "./Entry.ts"
import type { Governing } from "./Governing.ts"
import type { Sealing } from "./Sealing.ts"

/** Why not, as the wire says it. */
export type Refusal =
  | { readonly _tag: "MessageNotFound"; readonly seq: Seq }
  | { readonly _tag: "NotAllowed"; readonly action: "EditMessage" | "DeleteMessage" }

/** Who acts. */
export interface Actor {
  readonly author: AuthorId
  /** Whether it may delete what others wrote: a moderator of the room, or an admin. */
  readonly moderates?: boolean
}

/** What is known of the entry that something is done to, or that is replied to. */
export interface Target {
  readonly seq: Seq
  /** `Gone`: RETENTION took it. `Other`: it was never a message. */
  readonly is: "Message" | "Tombstone" | "Other" | "Gone"
  readonly at: Timestamp
  /** Nobody's, if it is older than authors are remembered. */
  readonly author: AuthorId | undefined
}

/** When, and how long after a message was sent its author may edit it, both in milliseconds. */
export interface Circumstances {
  readonly now: Timestamp
  readonly editWindow: number
}

/** Nothing if it is allowed, otherwise why not. */
export const may = (
  actor: Actor,
  act: Exclude<Body, Governing | Sealing>,
  target: Target | undefined,
  { editWindow, now }: Circumstances
): Refusal | undefined => {
  switch (act._tag) {
    case "Said":
      // What is replied to may have been deleted, or have become too old.
      return act.replyTo === undefined || (target !== undefined && target.is !== "Other")
        ? undefined
        : { _tag: "MessageNotFound", seq: act.replyTo }
    case "Edited":
      if (target?.is !== "Message") return { _tag: "MessageNotFound", seq: act.target }
      // A clock that went back makes no message younger than new.
      return target.author === actor.author && Math.max(now - target.at, 0) < editWindow
        ? undefined
        : { _tag: "NotAllowed", action: "EditMessage" }
    case "Deleted":
      if (target?.is !== "Message") return { _tag: "MessageNotFound", seq: act.target }
      return target.author === actor.author || actor.moderates === true
        ? undefined
        : { _tag: "NotAllowed", action: "DeleteMessage" }
    case "Reacted":
      return target?.is === "Message" ? undefined : { _tag: "MessageNotFound", seq: act.target }
    case "Tombstone":
      // Nobody makes one: it is what a deletion leaves.
      return { _tag: "NotAllowed", action: "DeleteMessage" }
  }
}
