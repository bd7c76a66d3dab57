/** The name of a user: 1 to 32 letters and digits, after the first also `_ . -`. */
import { Schema } from "effect"
import { normalizedName, normalizing, typedName } from "./Name.ts"

const maxCodePoints = 32
const Normalized = normalizedName(maxCodePoints).pipe(Schema.brand("UserName"))

/** Decodes what a client wrote; fails with a sentence that says what a name may hold. */
export const UserName = typedName(maxCodePoints).pipe(Schema.decodeTo(Normalized, normalizing))
export type UserName = typeof UserName.Type
