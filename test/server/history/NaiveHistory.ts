/** What the properties of every History are made of: what is done to it, and a history that does the same in lists. */
import { Arbitrary, type Array as Arr } from "effect"
import { type Conversation, conversationKey } from "../../../src/common/log/Conversation.ts"
import type { Entry } from "../../../src/common/log/Entry.ts"
import { nameKey } from "../../../src/common/name/Name.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { NewEntry, Stored } from "../../../src/server/history/History.ts"
import { oneOf, someUser, troublesomeContent, wholeNumber } from "../../support/generators.ts"

/** Conversations that are easily taken for each other, some of them in two spellings. */
export const someConversation = oneOf<Conversation>(
  { _tag: "Lobby" },
  { _tag: "Room", room: RoomName.make("dev") },
  { _tag: "Room", room: RoomName.make("DEV") },
  { _tag: "Room", room: RoomName.make("lobby") },
  { _tag: "Room", room: RoomName.make("straße") },
  { _tag: "Room", room: RoomName.make("STRASSE") },
  { _tag: "Inbox", user: UserName.make("dev") },
  { _tag: "Inbox", user: UserName.make("Dev") }
)

const someEntry: Arbitrary.Arbitrary<NewEntry> = Arbitrary.all({
  conversation: someConversation,
  from: someUser,
  content: troublesomeContent,
  at: wholeNumber(0, 9_007_199_254_740),
  key: oneOf(undefined, undefined, "key 1 ..........", "key 2 ..........", "KEY 1 ..........")
})
const someBatch = Arbitrary.array(someEntry, { minLength: 1, maxLength: 8 })
export const someBatches = Arbitrary.array(someBatch, { maxLength: 10 })
export const someRange = Arbitrary.all({
  before: Arbitrary.map(wholeNumber(-1, 30), (seq) => (seq < 0 ? undefined : seq)),
  after: Arbitrary.map(wholeNumber(-10, 30), (seq) => (seq < 0 ? undefined : seq)),
  limit: oneOf(1, 2, 3, 5, 500)
})
export const someBytes = oneOf(undefined, undefined, 0, 1, 5, 20, 100)

export const lobby: Conversation = { _tag: "Lobby" }
export const room = (name: string): Conversation => ({ _tag: "Room", room: RoomName.make(name) })

/** Strings of every kind that some layer below might give back as another one. */
const oddCharacters = oneOf(
  "a",
  "b",
  "é",
  "e\u0301",
  "😀",
  "\ud800",
  "\udc00",
  "\udfff",
  "\u0000",
  "\u0001",
  "\ufeff",
  "\ufffd",
  "\ufffe",
  "\uffff",
  "\u{1fffe}",
  "\u2028",
  '"',
  "\\",
  "\n",
  " "
)
const oddText = Arbitrary.array(oddCharacters, { maxLength: 4 }).pipe(
  Arbitrary.map((characters) => characters.join(""))
)
/** Where they stand, and nothing else. */
export const oddRoom = room("odd")
export const oddEntry: Arbitrary.Arbitrary<NewEntry> = Arbitrary.all({
  conversation: oneOf(oddRoom),
  from: Arbitrary.all([oneOf("", "", "ada", "bob"), oneOf("", "", "", "\ud800", "\u0000", " ", "\ufeff")]).pipe(
    Arbitrary.map(([name, end]) => UserName.make(`${name}${end}`, { disableChecks: true }))
  ),
  content: Arbitrary.all([oddText, oneOf("", "", "", "x".repeat(8190), "😀".repeat(8190))]).pipe(
    Arbitrary.map(([odd, rest]) => `${odd}${rest}`)
  ),
  at: oneOf(1, 2, 3),
  key: Arbitrary.map(oddText, (odd) => (odd === "" ? undefined : odd))
})

/** Two conversations, this one among them, each once. */
export const withOthers = (conversation: Conversation): Arr.NonEmptyReadonlyArray<Conversation> =>
  conversation._tag === "Lobby"
    ? [conversation, { _tag: "Room", room: RoomName.make("Dev") }]
    : [{ _tag: "Lobby" }, conversation]
export const someQuery = oneOf("a", "é", "漢", '"a a"', "a 漢", "b", 'a" AND (', "ss", "NEAR(a ss)", "content:a", "a*")

/** History as one would write it down. */
export class NaiveHistory {
  readonly logs = new Map<string, Array<Entry>>()
  readonly all: Array<{ readonly conversation: Conversation; readonly content: string; readonly entry: Entry }> = []
  readonly #keys = new Map<string, Stored>()

  log(conversation: Conversation): Array<Entry> {
    const key = conversationKey(conversation)
    const log = this.logs.get(key) ?? []
    this.logs.set(key, log)
    return log
  }

  append({ at: now, content, conversation, from, key }: NewEntry): Stored {
    const identity = key === undefined ? undefined : `${conversationKey(conversation)} ${nameKey(from)} ${key}`
    const first = identity === undefined ? undefined : this.#keys.get(identity)
    if (first !== undefined) return { ...first, repeated: true }
    const log = this.log(conversation)
    const at = Math.max(now, log.at(-1)?.at ?? 0)
    const stored = { seq: log.length + 1, at, repeated: false }
    const entry = { seq: stored.seq, at, from, content }
    log.push(entry)
    this.all.push({ conversation, content, entry })
    if (identity !== undefined) this.#keys.set(identity, stored)
    return stored
  }
}
