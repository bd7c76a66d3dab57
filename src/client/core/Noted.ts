/**
 * What of an encrypted room stands in its log and is nothing that was said: why something cannot be read, and that this device was let
 * in or put out. It has the place of the sealed entry it is about, and a sentence for people, to stand behind the name.
 *
 * No server says it: decoding leaves out what the schema of the wire does not name.
 */
import type { EntryMessage, StandingMessage } from "../../common/wire/EntryMessage.ts"

type Sealed = Extract<EntryMessage, { readonly _tag: "Sealed" }>

export interface Noted extends Sealed {
  readonly note: string
  /** Whether it is a reason to look. */
  readonly isAlarm: boolean
}

export const isNoted = (entry: EntryMessage | StandingMessage): entry is Noted =>
  entry._tag === "Sealed" && "note" in entry
