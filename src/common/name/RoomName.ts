/**
 * The name of a room: 1 to 64 letters and digits, after the first also `_ . -`; or of the encrypted room of a private conversation,
 * `~` and the key of one user's name, and `~` and that of the other, which nobody gives to a room.
 */
import { Schema } from "effect"
import { nameKey, normalizedName, normalizing, typedName } from "./Name.ts"
import { UserName } from "./UserName.ts"

const maxCodePoints = 64
const Normalized = normalizedName(maxCodePoints, { isPaired: true }).pipe(Schema.brand("RoomName"))

/** Decodes what a client wrote; fails with a sentence that says what a name may hold. */
export const RoomName = typedName(maxCodePoints).pipe(Schema.decodeTo(Normalized, normalizing))
export type RoomName = typeof RoomName.Type

/** One that somebody may give to a room. */
export const NewRoomName = typedName(maxCodePoints).pipe(
  Schema.decodeTo(normalizedName(maxCodePoints).pipe(Schema.brand("RoomName")), normalizing)
)

/** The room of an encrypted conversation between these two; of two names it is always a name, so it is not looked at again. */
export const conversationRoom = (one: UserName, other: UserName): RoomName => {
  const [first, second] = [nameKey(one), nameKey(other)].toSorted()
  return RoomName.make(`~${first}~${second}`, { disableChecks: true })
}

/** With whom `user` is in the room of an encrypted conversation, by its name; undefined where it is another room. */
export const partnerIn = (room: RoomName, user: UserName): UserName | undefined => {
  const [, ...names] = nameKey(room).split("~")
  const own: string = nameKey(user)
  const other = names.find((name) => name !== own)
  return names.length === 2 && names.includes(own) && other !== undefined
    ? UserName.make(other, { disableChecks: true })
    : undefined
}

/** Whether it is the room of an encrypted conversation. */
export const isConversationRoom = (room: RoomName): boolean => room.startsWith("~")
