/** A key; what comes of it on the screen; and what it asks for that the screen cannot do: whoever runs it sees to it. */
import type { Seq } from "../../common/log/Cursor.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Action } from "../command/Action.ts"
import type { Submission } from "../core/chat/Intention.ts"
import type { Whereabouts } from "../core/Heard.ts"
import type { EntryRequest } from "../core/Request.ts"
import type { View } from "./View.ts"

export type Wish =
  | { readonly _tag: "Send"; readonly submission: Submission }
  | { readonly _tag: "Command"; readonly action: Action; readonly line: string }
  /** What is said to somebody goes where it is encrypted, if it can be: to find out, and to go there. */
  | { readonly _tag: "Place"; readonly user: UserName }
  /** Something that is done to a message. */
  | { readonly _tag: "Do"; readonly request: EntryRequest }
  | { readonly _tag: "Page"; readonly key: string; readonly is: "newer" | "older" | "recalled" }
  | { readonly _tag: "Search"; readonly query: string; readonly where: Whereabouts | undefined }
  | { readonly _tag: "GoTo"; readonly where: Whereabouts; readonly seq: Seq }
  /** The answer to what was asked unseen; none if the person gave up. */
  | { readonly _tag: "Answer"; readonly text: string | undefined }
  | { readonly _tag: "Copy"; readonly text: string }
  /** A link is followed, as `Links` makes its target. */
  | { readonly _tag: "Open"; readonly target: string }
  | { readonly _tag: "Mouse"; readonly isOn: boolean }
  /** To show another server: the one of this name, or the next one. */
  | { readonly _tag: "Server"; readonly name: string | undefined }
  | { readonly _tag: "Redraw" }
  | { readonly _tag: "Suspend" }
  | { readonly _tag: "Quit" }

export type Pointer =
  | { readonly _tag: "Click"; readonly x: number; readonly y: number }
  | { readonly _tag: "Wheel"; readonly isUp: boolean; readonly x: number; readonly y: number }

export interface Key {
  /** As in `Keys`. */
  readonly name: string
  /** What is typed by it, if anything is. */
  readonly text?: string
}

export interface Step {
  readonly view: View
  readonly wishes: ReadonlyArray<Wish>
}

export const only = (view: View, ...wishes: ReadonlyArray<Wish>): Step => ({ view, wishes })
