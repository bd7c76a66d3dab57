/** The name of a user: 1 to 32 letters and digits, after the first also `_ . -`. */
import { Schema } from "effect"
import { normalizedName, normalizing } from "./Name.ts"

const Normalized = normalizedName(32).pipe(Schema.brand("UserName"))

/** Decodes what a client wrote; fails with a sentence that says what a name may hold. */
export const UserName = Schema.String.pipe(Schema.decodeTo(Normalized, normalizing))
export type UserName = typeof UserName.Type
