/** For what somebody may want to be called. Pure. */
import type { ClientEvent } from "../ClientEvent.ts"
import { type HeardEntry, isEntry, type Whereabouts, whereaboutsOf } from "../Heard.ts"
import { type ChatState, readerOf, standsIn } from "./ChatState.ts"
import * as Talk from "./Talk.ts"

export interface Call {
  readonly where: Whereabouts
  readonly entry: Extract<HeardEntry, { readonly content: string }>
  readonly is: "mention" | "private" | "message"
}

/** Whether somebody may want to be called for this, who reads what happens in this state. */
export const callFor = (state: ChatState, event: ClientEvent): Call | undefined => {
  if (event._tag !== "Received" || !isEntry(event.message)) return undefined
  const entry = event.message
  const is = Talk.meaningOf(entry, readerOf(state))
  if (is === "nothing" || !("content" in entry)) return undefined
  const where = whereaboutsOf(entry, state.user)
  const talk = state.talks.get(Talk.keyOf(where)) ?? { where, partner: standsIn(state, where).partner }
  return { where, entry, is: is === "mention" || !Talk.isPersonal(talk) ? is : "private" }
}
