/**
 * What was said and not sent when a sitting ends, for the next one: there it stands as refused, to be sent again by whoever said it or
 * thrown away. Nothing of it is ever sent by itself. Pure.
 *
 * What it was to answer is forgotten: the log may be another one by then.
 */
import { Schema } from "effect"
import { Timestamp } from "../../../common/log/Cursor.ts"
import { RoomName } from "../../../common/name/RoomName.ts"
import { UserName } from "../../../common/name/UserName.ts"
import { type ChatState, opened, standsIn, withTalk } from "./ChatState.ts"
import * as Outgoing from "./Outgoing.ts"
import * as Talk from "./Talk.ts"

export const Unsent = Schema.Struct({
  room: Schema.optionalKey(RoomName),
  with: Schema.optionalKey(UserName),
  content: Schema.String,
  at: Schema.optionalKey(Timestamp)
})
export type Unsent = typeof Unsent.Type

/**
 * Conversation by conversation, in the order in which it was said. What is under way in an encrypted room may be stored by what seals it,
 * which sends it then the next time: it goes from here when it comes (see Outgoing.found). Lost would be worse than seen twice.
 */
export const unsentIn = ({ talks }: ChatState): ReadonlyArray<Unsent> => {
  const all: Array<Unsent> = []
  for (const { outbox, where } of talks.values()) {
    for (const { at, content } of Outgoing.shown(outbox)) {
      all.push({ ...where, content, ...(at !== undefined && { at }) })
    }
  }
  return all
}

const message = "Not sent before you left."

/** With what was not sent in a sitting before; where there is no such conversation, with that. */
export const withUnsent = (before: ChatState, unsent: ReadonlyArray<Unsent>): ChatState =>
  unsent.reduce((state, { at, content, ...where }) => {
    const key = Talk.keyOf(where)
    const said: Outgoing.Outgoing = {
      number: state.nextNumber,
      content,
      ...(at !== undefined && { at, isOfBefore: true }),
      state: { _tag: "Failed", message }
    }
    const next = withTalk(withPlace(state, where), key, (talk) => ({ ...talk, outbox: [...talk.outbox, said] }))
    return { ...next, nextNumber: said.number + 1 }
  }, before)

const withPlace = (state: ChatState, where: Talk.Talk["where"]): ChatState => {
  const key = Talk.keyOf(where)
  if (state.talks.has(key)) return state
  if (where.room === undefined) return opened(state, where)
  const talk = { ...Talk.make(where, 0), ...standsIn(state, where), isIn: false }
  return { ...state, talks: new Map(state.talks).set(key, talk) }
}
