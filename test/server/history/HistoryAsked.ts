/** What the contract of `History` asks of one, besides its own methods. */
import { assert } from "@effect/vitest"
import { Array as Arr, Effect } from "effect"
import type { Conversation } from "../../../src/common/log/Conversation.ts"
import type { Entry } from "../../../src/common/log/Entry.ts"
import type { View } from "../../../src/common/log/Timeline.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { type Findings, History, type NewEntry } from "../../../src/server/history/History.ts"
import type { Search } from "../../../src/server/history/Query.ts"

/** Everything a search finds, page by page. A store may take its time to learn what is new. */
export const findAll = Effect.fnUntraced(function* (
  history: History["Service"],
  conversations: Arr.NonEmptyReadonlyArray<Conversation>,
  asked: Omit<Search, "before">
) {
  const found: Array<{ readonly conversation: Conversation; readonly message: View }> = []
  let before: number | undefined
  do {
    const page: Findings<Conversation> = yield* history.search(conversations, { ...asked, before })
    assert.isAtMost(page.found.length, asked.limit)
    found.push(...page.found)
    before = page.next
  } while (before !== undefined)
  return found
})

/** The text of a message, nothing of anything else. */
export const textOf = ({ body }: Pick<Entry, "body">): string => (body._tag === "Said" ? body.content : "")

/** An entry with a content of its own, in the lobby unless it says otherwise. */
export const entry = (content: string, over: Partial<NewEntry> = {}): NewEntry => ({
  conversation: { _tag: "Lobby" },
  from: UserName.make("ada"),
  author: undefined,
  body: { _tag: "Said", content },
  at: 1,
  key: undefined,
  ...over
})
export const everything = { before: undefined, after: undefined, limit: 500 }
