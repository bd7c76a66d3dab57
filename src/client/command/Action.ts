/** What a typed line asks for, as data: read by `Command`, carried out by `line/Errand`. */
import { Schema } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import type { Reaction } from "../../common/log/Entry.ts"
import type { Device } from "../../common/log/Sealing.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Whereabouts } from "../core/Heard.ts"
import type { Request } from "../core/Request.ts"

export type Action =
  /** Plain text, for the conversation that the person has before them. */
  | { readonly _tag: "Say"; readonly content: string }
  /** Plain text is to go there from now on. */
  | Go
  /** `sure`: what cannot be undone, in words for a person who is asked whether to. */
  | { readonly _tag: "Ask"; readonly request: Request; readonly sure?: string }
  /** Something is to be done to a message, which `Meaning` finds. */
  | About
  | AboutAccount
  /** The page of history or findings behind the one shown last. */
  | { readonly _tag: "More" }
  /** A link that was shown: the newest, or one before it. */
  | { readonly _tag: "Link"; readonly number: number }
  | { readonly _tag: "Help"; readonly command: string | undefined }
  | { readonly _tag: "Quit" }
  | { readonly _tag: "Nothing" }

export interface Go {
  readonly _tag: "Go"
  readonly where: Whereabouts
}

export interface About {
  readonly _tag: "About"
  readonly mention: Mention
  readonly act: Act
}

/** Something about one's own account that takes more than one request, or what is typed unseen. */
interface AboutAccount {
  readonly _tag: "Account"
  readonly act: AccountAct
}

/** `which`: by its number in the list shown last, or by its name for programs. */
export type AccountAct =
  | { readonly _tag: "Register" }
  | { readonly _tag: "Unregister" }
  | { readonly _tag: "Login"; readonly user: UserName }
  | { readonly _tag: "Logout" }
  | { readonly _tag: "ChangePassword" }
  | { readonly _tag: "RemoveDevice"; readonly which: string | undefined }
  | { readonly _tag: "AddKey"; readonly path: string | undefined }
  | { readonly _tag: "RemoveKey"; readonly which: string | undefined }
  | { readonly _tag: "Unread" }
  | { readonly _tag: "Encryption"; readonly act: EncryptionAct }

/** Something about keys, and the devices that have them. */
export type EncryptionAct =
  | { readonly _tag: "Verify"; readonly user: UserName; readonly isSame: boolean }
  | { readonly _tag: "Trust"; readonly user: UserName }
  | { readonly _tag: "Rekey"; readonly room: RoomName }
  | { readonly _tag: "Status" }
  | { readonly _tag: "SignIn"; readonly device: Device }
  | { readonly _tag: "SignOut"; readonly device: Device }
  | { readonly _tag: "Link"; readonly code: string }
  | { readonly _tag: "BeginAnew" }

/** Which message is meant, as far as the line says so. */
export interface Mention {
  readonly where?: Whereabouts
  readonly number?: Seq
}

export type Act =
  /** Without `content`, the text is yet to be changed. */
  | { readonly _tag: "Edit"; readonly content?: string }
  | { readonly _tag: "Delete"; readonly reason?: string }
  | { readonly _tag: "React"; readonly reaction: Reaction; readonly isTakenBack: boolean }
  | { readonly _tag: "Reply"; readonly content: string }
  | { readonly _tag: "Report"; readonly reason: string }

/**
 * The line asks for nothing that can be done; `message` says what is wrong and what to type instead. `instead` is the
 * line that says for certain what this one may have meant.
 */
export class NotUnderstood extends Schema.TaggedError<NotUnderstood>()("NotUnderstood", {
  message: Schema.String,
  instead: Schema.optionalKey(Schema.String)
}) {}

export const ask = (request: Request, sure?: string) =>
  ({ _tag: "Ask", request, ...(sure !== undefined && { sure }) }) as const

export const account = (act: AccountAct) => ({ _tag: "Account", act }) as const

export const go = (where: Whereabouts): Go => ({ _tag: "Go", where })
