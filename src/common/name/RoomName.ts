/** The name of a room: 1 to 64 letters and digits, after the first also `_ . -`. */
import { Schema } from "effect"
import { normalizedName, normalizing, typedName } from "./Name.ts"

const maxCodePoints = 64
const Normalized = normalizedName(maxCodePoints).pipe(Schema.brand("RoomName"))

/** Decodes what a client wrote; fails with a sentence that says what a name may hold. */
export const RoomName = typedName(maxCodePoints).pipe(Schema.decodeTo(Normalized, normalizing))
export type RoomName = typeof RoomName.Type
