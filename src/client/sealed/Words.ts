/** Refusals of the client itself where something cannot be sealed, in words for people. Pure. */
import type { RoomName } from "../../common/name/RoomName.ts"
import { RequestRejected } from "../core/ClientError.ts"

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
