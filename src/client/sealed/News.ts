/** What people are to be told beside what was said: see `SealedRooms.news`. Rows are in the store by the time they are told. */
import type { Seq, Timestamp } from "../../common/log/Cursor.ts"
import type { UserDevice } from "../../common/log/Sealing.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { PlainRow } from "./Kept.ts"
import type { Saying } from "./Payload.ts"
import type { PinNews } from "./Pin.ts"
import type { View } from "./View.ts"

export type SealedNews =
  | PinNews
  /** Read up to `cursor`; of what this device said, `echoes` tells under which key it was and where it stands. */
  | {
      readonly _tag: "Rows"
      readonly room: RoomName
      readonly rows: ReadonlyArray<PlainRow>
      readonly cursor: Seq
      readonly echoes: ReadonlyMap<MessageKey, { readonly seq: Seq; readonly at: Timestamp }>
    }
  | { readonly _tag: "Erased"; readonly room: RoomName; readonly seqs: ReadonlyArray<Seq> }
  /** Said, stored and refused: it is not on its way any more. */
  | {
      readonly _tag: "Refused"
      readonly room: RoomName
      readonly key: MessageKey
      readonly saying: Saying
      readonly message: string
    }
  /** A conversation stands otherwise than before: see `View`. */
  | { readonly _tag: "Stands"; readonly room: RoomName; readonly state: View["state"] }
  /** The server shows others something else than this device, or an account fewer devices than it has. */
  | {
      readonly _tag: "Withheld"
      readonly room: RoomName
      readonly user: UserName
      readonly what: "messages" | "devices"
    }
  /** What this device is said to have sealed, it has not: a copy of its state is in use, and nothing is sent from here any more. */
  | { readonly _tag: "Cloned"; readonly room: RoomName; readonly message: string }
  /** `by`: the device whose change of keys it was, as the server says. */
  | {
      readonly _tag: "OutOfStep"
      readonly room: RoomName
      readonly message: string
      readonly by?: UserDevice
    }
  /** A room that this device knows as encrypted is said not to be: nothing may be said there as in any other. */
  | { readonly _tag: "InTheOpen"; readonly room: RoomName; readonly message: string }
  /** There are more than this device follows: of further ones nothing is asked, or shown. Told once. */
  | { readonly _tag: "NotFollowed"; readonly what: "conversations" | "rooms"; readonly most: number }
  /** The server has given nothing of places in a room's log, however often it was asked. */
  | { readonly _tag: "Withheld"; readonly room: RoomName; readonly what: "places"; readonly count: number }
  /** Nothing more is done there in this run. */
  | { readonly _tag: "Stopped"; readonly room: RoomName; readonly message: string }

export type Tell = (news: SealedNews) => void
