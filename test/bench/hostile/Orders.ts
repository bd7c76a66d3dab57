/** What the process that measures and the process of those who attack say to each other. */
import { Schema } from "effect"

/** What the attackers' process is told when it starts. */
export const Orders = Schema.Struct({
  attack: Schema.String,
  /** The first fills a server without limits with what the attack needs. */
  part: Schema.Literals(["seed", "attack"]),
  port: Schema.Int,
  /** How many hostile connections at once. */
  k: Schema.Int,
  /** The size of what the attack needs: rooms, texts, people, connections; its summary says which. */
  count: Schema.Int
})
export type Orders = typeof Orders.Type

/** What the attackers have done and what came of it. */
export const Tally = Schema.Struct({
  /** Hostile connections made, and those that stand. */
  hostile: Schema.Int,
  hostileOpen: Schema.Int,
  crowd: Schema.Int,
  bytesIn: Schema.Int,
  bytesOut: Schema.Int,
  refusals: Schema.Int,
  /** Closed by the server, by reason. */
  cut: Schema.Record(Schema.String, Schema.Int),
  /** How much of what is counted is done, 0 to 1. */
  done: Schema.Finite
})
export type Tally = typeof Tally.Type

export const FromAttackers = Schema.Union([
  Schema.TaggedStruct("Armed", {}),
  Schema.TaggedStruct("Tally", { tally: Tally }),
  /** The attack has ended by itself. */
  Schema.TaggedStruct("Done", {}),
  Schema.TaggedStruct("Failed", { message: Schema.String })
])
export type FromAttackers = typeof FromAttackers.Type
