/** What tests ask of a `Rejected`. */
import { assert } from "@effect/vitest"
import { Predicate } from "effect"
import type { Line } from "./RawClient.ts"

/** Why a line was refused, in full. */
export const reasonOf = (line: Line | undefined): object => {
  assert.strictEqual(line?._tag, "Rejected", `not a Rejected: ${JSON.stringify(line)}`)
  const reason = line?.["reason"]
  assert(Predicate.isObject(reason))
  // The sentence for a person is part of every refusal.
  assert(Predicate.isString(line?.["message"]) && line["message"].length > 0)
  return reason
}

/** What an InvalidMessage says is wrong: the field, then why. */
export const issueOf = (line: Line | undefined): string => {
  const reason = reasonOf(line)
  assert(Predicate.hasProperty(reason, "_tag") && reason._tag === "InvalidMessage", JSON.stringify(line))
  assert(Predicate.hasProperty(reason, "issue") && Predicate.isString(reason.issue))
  return reason.issue
}
