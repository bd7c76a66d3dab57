/** What the server is to be told of what was read. Pure. */
import type { Whereabouts } from "../Heard.ts"
import type { ChatState } from "./ChatState.ts"

/** What the server is to be told was read. */
export const due = (state: ChatState): ReadonlyArray<{ readonly where: Whereabouts; readonly seq: number }> =>
  state.isAccount && state.connection.is === "there"
    ? [...state.talks.values()]
        .filter(({ isIn, marked, unread }) => isIn && unread.read > marked)
        .map(({ unread, where }) => ({ where, seq: unread.read }))
    : []

/** It is being told all that is due. */
export const told = (state: ChatState): ChatState => {
  const talks = new Map(state.talks)
  for (const [key, talk] of talks) {
    if (talk.unread.read > talk.marked) talks.set(key, { ...talk, marked: talk.unread.read })
  }
  return { ...state, talks }
}
