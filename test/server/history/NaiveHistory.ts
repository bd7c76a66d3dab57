/** What the properties of every History are made of: what is done to it, and a history that does the same in lists. */
import { Arbitrary, type Array as Arr } from "effect"
import { type Conversation, conversationKey } from "../../../src/common/log/Conversation.ts"
import { type AuthorId, type Body, type Entry, targetOf } from "../../../src/common/log/Entry.ts"
import { isGoverning } from "../../../src/common/log/Governing.ts"
import * as Timeline from "../../../src/common/log/Timeline.ts"
import { nameKey } from "../../../src/common/name/Name.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import {
  type AnsweredKey,
  type Facts,
  keyOf,
  type NewEntry,
  type Page,
  type Question,
  type StandingPage,
  type Stored,
  type TargetFacts,
  reactorName
} from "../../../src/server/history/History.ts"
import { Partner } from "../../../src/server/history/Partner.ts"
import { oneOf, someUser, troublesomeContent, wholeNumber } from "../../support/generators.ts"
import { type PageRange, pageOf } from "../../support/ReferencePage.ts"

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
  author: oneOf(undefined),
  body: Arbitrary.map(troublesomeContent, (content) => ({ _tag: "Said" as const, content })),
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
  author: oneOf(undefined),
  body: Arbitrary.all([oddText, oneOf("", "", "", "x".repeat(8190), "😀".repeat(8190))]).pipe(
    Arbitrary.map(([odd, rest]) => ({ _tag: "Said" as const, content: `${odd}${rest}` }))
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
  readonly all: Array<{
    readonly conversation: Conversation
    readonly entry: Entry
    readonly author: AuthorId | undefined
    /** In an inbox, with whom it was exchanged, and where it stands in their inbox. */
    readonly partner: string | undefined
    readonly twin: number | undefined
  }> = []
  readonly #keys = new Map<string, Stored>()

  log(conversation: Conversation): Array<Entry> {
    const key = conversationKey(conversation)
    const log = this.logs.get(key) ?? []
    this.logs.set(key, log)
    return log
  }

  append(entry: NewEntry): Stored {
    const { author, body, conversation, from, key, to, twin } = entry
    const partner = partnerOf(entry)
    const identity = key === undefined ? undefined : identityOf(conversation, from, key, partner)
    const first = identity === undefined ? undefined : this.#keys.get(identity)
    if (first !== undefined) return { seq: first.seq, at: first.at, repeated: true }
    const others = twin === undefined ? [] : this.log(twin)
    const at = Math.max(entry.at, this.log(conversation).at(-1)?.at ?? 0, others.at(-1)?.at ?? 0)
    const seq = this.log(conversation).length + 1
    const there = others.length + 1
    const add = (
      where: Conversation,
      place: number,
      what: Body,
      who: string | undefined,
      other: number | undefined
    ) => {
      const stands: Entry = { seq: place, at, from, ...(to !== undefined && { to }), body: what }
      this.log(where).push(stands)
      this.all.push({ conversation: where, entry: stands, author, partner: who, twin: other })
    }
    const reference = body._tag === "Said" ? body.replyTo : targetOf(body)
    const target = reference === undefined ? undefined : this.in(conversation)[reference - 1]?.twin
    add(conversation, seq, body, partner, twin === undefined ? undefined : there)
    const stored: Stored = { seq, at, repeated: false }
    if (identity !== undefined) this.#keys.set(identity, stored)
    if (twin === undefined) return stored
    add(twin, there, translated(body, target), `#${conversation._tag === "Inbox" ? conversation.account : ""}`, seq)
    return { ...stored, twin: target === undefined ? { seq: there } : { seq: there, target } }
  }

  /** All of a log, with what is remembered of each. */
  in(conversation: Conversation) {
    return this.all.filter((one) => conversationKey(one.conversation) === conversationKey(conversation))
  }

  remember({ conversation, from, key, seq, with: partner }: AnsweredKey): void {
    const identity = identityOf(conversation, from, key, partner)
    const entry = this.log(conversation)[seq - 1]
    if (entry === undefined || this.#keys.has(identity)) return
    this.#keys.set(identity, { seq, at: entry.at, repeated: false })
  }

  /** Where the entry stands that this key was answered with. */
  answered(
    conversation: Conversation,
    from: UserName,
    key: string,
    partner?: string
  ): Pick<Stored, "at" | "seq"> | undefined {
    const stored = this.#keys.get(identityOf(conversation, from, key, partner))
    return stored === undefined ? undefined : { seq: stored.seq, at: stored.at }
  }

  timeline(conversation: Conversation): Timeline.Timeline {
    return Timeline.of(this.log(conversation))
  }

  /** The log as it is read: what was deleted is a tombstone, and so are its edits. */
  asRead(conversation: Conversation): ReadonlyArray<Entry> {
    const timeline = this.timeline(conversation)
    return this.log(conversation).map((entry) => {
      const { body, seq } = entry
      const isText = body._tag === "Said" || body._tag === "Edited" || body._tag === "Sealed"
      const stands = isText ? timeline.get(targetOf(body) ?? seq) : undefined
      if (stands?._tag !== "Tombstone") return entry
      const { deletedAt, deletedBy } = stands
      return Object.assign({}, entry, { body: { _tag: "Tombstone" as const, deletedBy, deletedAt } })
    })
  }

  /** As `History.read`. */
  page(conversation: Conversation, range: PageRange, maxBytes?: number): Page {
    const found = pageOf(
      this.asRead(conversation).map((entry) => ({ seq: entry.seq, entry, content: counted(entry.body) })),
      range,
      maxBytes
    )
    return { entries: found.entries.map(({ entry }) => entry), more: found.more }
  }

  /** As `History.standing`. */
  standing(conversation: Conversation, range: PageRange, maxBytes?: number, partner?: string): StandingPage {
    const all = this.in(conversation)
    const stands = [...this.timeline(conversation).values()]
      .filter(({ seq }) => partner === undefined || all[seq - 1]?.partner === partner)
      .toSorted((a, b) => a.seq - b.seq)
    const found = pageOf(
      stands.map((standing) => ({ seq: standing.seq, standing, content: countedOf(standing) })),
      range,
      maxBytes
    )
    return { messages: found.entries.map(({ standing }) => Timeline.viewOf(standing)), more: found.more }
  }

  /** As `History.facts`. */
  facts(conversation: Conversation, { keys, reactors: asked, targets }: Question): Facts {
    const log = this.log(conversation)
    const timeline = this.timeline(conversation)
    const names = new Set(asked.map(({ reaction, target, user }) => reactorName(target, user, reaction)))
    const authors = this.in(conversation)
    const answered = keys.flatMap(({ from, key, with: partner }) => {
      const stored = this.answered(conversation, from, key, partner)
      return stored === undefined ? [] : [[keyOf(from, key, partner), stored] as const]
    })
    const known = targets.flatMap((seq) => {
      const entry = log[seq - 1]
      const standing = timeline.get(seq)
      if (entry === undefined) return []
      const isMessage = standing?._tag === "Message"
      const is =
        standing === undefined || isGoverning(standing)
          ? "Other"
          : standing._tag === "Sealed"
            ? "Message"
            : standing._tag
      const reactions = isMessage ? standing.reactions : []
      const exchanged = authors[seq - 1]?.partner
      const facts: TargetFacts = {
        ...(exchanged !== undefined && { with: Partner.make(exchanged) }),
        seq,
        at: entry.at,
        is,
        author: standing?._tag === "Tombstone" ? undefined : authors[seq - 1]?.author,
        reactions: reactions.map(({ by, reaction }) => ({ reaction, count: by.length })),
        reactors: reactions
          .flatMap(({ by, reaction }) =>
            by.flatMap((one) =>
              names.has(reactorName(seq, one.user, reaction))
                ? [
                    {
                      reaction,
                      user: nameKey(one.user),
                      author: authors[one.seq - 1]?.author,
                      seq: one.seq,
                      at: log[one.seq - 1]?.at ?? 0
                    }
                  ]
                : []
            )
          )
          .toSorted((a, b) => a.seq - b.seq)
      }
      return [[seq, facts] as const]
    })
    return { answered: new Map(answered), targets: new Map(known) }
  }
}

/** The same as it is done in the other inbox, where its target stands elsewhere. */
const translated = (body: Body, target: number | undefined): Body => {
  if (body._tag === "Said")
    return target === undefined ? { _tag: "Said", content: body.content } : { ...body, replyTo: target }
  return "target" in body ? { ...body, target: target ?? 0 } : body
}

/** With whom an entry of an inbox is exchanged. */
const partnerOf = ({ conversation, from, to, twin }: NewEntry): string | undefined => {
  if (conversation._tag !== "Inbox" || to === undefined) return undefined
  if (twin !== undefined) return `#${twin.account}`
  return nameKey(nameKey(from) === nameKey(conversation.user) ? to : from)
}

const identityOf = (conversation: Conversation, from: UserName, key: string, partner: string | undefined): string =>
  JSON.stringify([conversationKey(conversation), nameKey(from), partner ?? "", key])

/** What counts of an entry: its text, or as JSON what it holds beside its target. */
const counted = (body: Body): string => {
  if (body._tag === "Tombstone") return ""
  if ("content" in body) return body.content
  const { _tag: _, target: __, ...fields } = { target: undefined, ...body }
  return JSON.stringify(fields)
}

/** And of what stands: of a message its text, and the reactions that are named or counted; of an act all that it says. */
const countedOf = (standing: Timeline.Standing): string => {
  if (standing._tag === "Tombstone") return ""
  if (isGoverning(standing)) {
    const { at: _, from: __, seq: ___, ...act } = standing
    return JSON.stringify(act)
  }
  if (standing._tag === "Sealed") {
    const { data, device, keyEpoch } = standing
    return JSON.stringify({ device, keyEpoch, data })
  }
  const { content, reactions } = standing
  const shown = reactions.map(({ by, reaction }) => [
    reaction,
    by.length,
    by.slice(0, 20).map(({ seq, user }) => [user, seq])
  ])
  return shown.length === 0 ? content : `${content}${JSON.stringify(shown)}`
}
