/** A refusal as the server says it: the facts for a program and the sentence for a person. */
import { describe, type Rejection } from "../../common/wire/Rejection.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"

export const rejected = (reason: Rejection): ServerMessageOf<"Rejected"> => ({
  _tag: "Rejected",
  reason,
  message: describe(reason)
})
