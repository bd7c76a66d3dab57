/** What all conversations of a device have in common. */
import type { Effect } from "effect"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { Device } from "../crypto/Device.ts"
import type { Ask } from "./Ask.ts"
import type { Lists } from "./Lists.ts"
import type { Tell } from "./News.ts"
import type { SealedStore, StoreError } from "./SealedStore.ts"

export interface Workshop {
  readonly own: Device
  /** Given up after a while. */
  readonly ask: Ask
  readonly lists: Lists
  readonly store: SealedStore
  readonly tell: Tell
  /** By which the server knows what it is sent twice. */
  readonly newKey: Effect.Effect<MessageKey>
  /** The shortest pause before something that did not succeed is tried again, in milliseconds. */
  readonly patience: number
  /** How long the server is waited for, in milliseconds. */
  readonly lateness: number
  /** How many entries one page has. */
  readonly pageSize: number
  /** Whether a copy of this device's state is in use: then nothing is sealed or sent any more. */
  readonly isCopied: () => boolean
  /** Keeps that there is one, and tells of it once. */
  readonly copied: (room: RoomName) => Effect.Effect<void, StoreError>
  /** A key package was used up: there are to be enough of them. */
  readonly packageUsed: () => void
}
