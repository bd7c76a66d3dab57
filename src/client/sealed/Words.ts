/** Refusals of the client itself where something cannot be sealed, in words for people. Pure. */
import { Effect } from "effect"
import { isConversationRoom, type RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { RequestRejected } from "../core/ClientError.ts"
import { NotDone } from "../core/Encryption.ts"
import type { SealedNews } from "./News.ts"
import type { StoreError } from "./SealedStore.ts"

export const refused = (room: RoomName | undefined, message: string) =>
  new RequestRejected({
    reason: room === undefined ? { _tag: "DeviceRequired" } : { _tag: "EncryptionRequired", room },
    message
  })

export const onlyAccounts =
  "Encrypted conversations are for accounts: a guest has no keys. :register makes your name one; it takes a password."
export const slow = "The server has not said yet whether this device is in your account's list. Try again in a moment."

export const notInTheOpen = (room: RoomName) =>
  `${room} was encrypted, and the server says that it is not any more. Nothing was sent. Use a room of another name.`

export const stillReading = (room: RoomName) =>
  `What was missed in ${room} is being read still, and cannot be shown as a whole. Try again in a moment.`

export const saidInTheOpen = (user: UserName) =>
  `That was said before what you say to ${user} was encrypted, and stays as it is: a change of it would go in the open. Nothing was sent.`

export const asNotDone = <A>(effect: Effect.Effect<A, StoreError>): Effect.Effect<A, NotDone> =>
  Effect.mapError(effect, ({ message }) => new NotDone({ message }))

export const takenOut =
  "This device was taken out of your account's list: it reads nothing more. To take part again, :logout, log in, and :link it from another one."

export const noFreshKeys = (room: RoomName) =>
  `No fresh keys for ${room} yet: the server, or who else is there, has not answered. Look again in a moment.`

/** Of what was said by an earlier run of the program. */
export const notSent = ({ message, room, saying }: Extract<SealedNews, { readonly _tag: "Refused" }>) =>
  `Not sent in ${room}, and said before: ${saying._tag === "Reacted" ? saying.reaction : saying.content}. ${message}`

/** Of what is on its way when its keys can be kept no more. */
export const stoppedThere = ({ message, room }: Extract<SealedNews, { readonly _tag: "Stopped" }>) =>
  `Nothing more is done in ${room} until parley is started again; what was kept goes out then. ${message}`

/** Of what was not taken for long: it is not to be said again. */
export const waitsHere = (room: RoomName) =>
  `The server has not taken it yet. It is kept on this device, sealed, and goes out by itself; do not say it again. If it stays so, ${isConversationRoom(room) ? ":rekey, typed there," : `:rekey ${room}`} makes new keys.`

export const neverMet = (user: UserName) =>
  `No list of devices of ${user} was seen here yet: there is nothing to trust. :verify ${user} shows whether they have one.`

export const notThere = (room: RoomName) =>
  `${room} is not encrypted, or you are not in it: there are no keys of it here.`

export const goesInTheOpen = (user: UserName) =>
  `${user} has no device that can seal yet: what you say to ${user} goes in the open, and the server can read it.`
