/** A name for a new incarnation of the logs: one of 2^52, so that no two will ever be mistaken for each other. */
import { Effect, Random } from "effect"
import { Epoch } from "../../common/log/Cursor.ts"

export const randomEpoch = Effect.map(Random.nextIntBetween(0, 2 ** 52), (value) => Epoch.make(value.toString(36)))
