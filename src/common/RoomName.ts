/** The name of a room: 1 to 64 letters and digits, after the first also `_ . -`. */
import { Schema } from "effect"
import { normalizedName, normalizing } from "./Name.ts"

const Normalized = normalizedName(64).pipe(Schema.brand("RoomName"))

/** Decodes what a client wrote; fails with a sentence that says what a name may hold. */
export const RoomName = Schema.String.pipe(Schema.decodeTo(Normalized, normalizing))
export type RoomName = typeof RoomName.Type
