/** What is at hand of a log is what its fold says, whichever pages came when. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as Window from "../../../../src/client/core/chat/Window.ts"
import type { Conversation } from "../../../../src/common/log/Conversation.ts"
import type { Body, Entry } from "../../../../src/common/log/Entry.ts"
import * as Timeline from "../../../../src/common/log/Timeline.ts"
import { entryMessage, standingMessage, type StandingMessage } from "../../../../src/common/wire/EntryMessage.ts"
import { oneOf, tries, wholeNumber } from "../../../support/generators.ts"
import { ada, bob, dev } from "../ModelServer.ts"

const conversation: Conversation = { _tag: "Room", room: dev }
const onTheWire = entryMessage(conversation)
const asItStands = standingMessage(conversation)

/** The log as it stands, as the server would tell it. */
const standing = (log: ReadonlyArray<Entry>): ReadonlyArray<StandingMessage> =>
  [...Timeline.of(log).values()]
    .toSorted((one, other) => one.seq - other.seq)
    .map((message) => asItStands(Timeline.viewOf(message)))

/** Which kind of reaction was the earliest, once one was taken back, only the server knows. */
const inAnyOrder = (message: StandingMessage): StandingMessage =>
  "reactions" in message && message.reactions !== undefined
    ? { ...message, reactions: message.reactions.toSorted((one, other) => (one.reaction < other.reaction ? -1 : 1)) }
    : message

type Kind = "Deleted" | "Edited" | "Reacted" | "Said" | "TopicSet" | "taken back"

/** Something is done; a page is asked for; or one comes that was asked for, read from the log as it stood at that moment. */
type Step =
  | {
      readonly do: "entry"
      readonly kind: Kind
      readonly back: number
      readonly from: typeof ada
      readonly word: string
    }
  | { readonly do: "ask" | "come" | "read" }

const someStep: Arbitrary.Arbitrary<Step> = Arbitrary.all({
  do: oneOf<Step["do"]>("entry", "entry", "entry", "entry", "ask", "read", "come"),
  kind: oneOf<Kind>("Said", "Said", "Said", "Edited", "Deleted", "Reacted", "Reacted", "taken back", "TopicSet"),
  back: wholeNumber(1, 12),
  from: oneOf(ada, bob),
  word: oneOf("a", "b", "c")
})

const bodyOf = (
  { back, kind, word }: Extract<Step, { readonly do: "entry" }>,
  log: ReadonlyArray<Entry>
): Body | undefined => {
  if (kind === "Said") return { _tag: "Said", content: `${log.length + 1} ${word}` }
  if (kind === "TopicSet") return { _tag: "TopicSet", topic: word }
  const said = [...Timeline.of(log).values()].filter(({ _tag }) => _tag === "Message").toReversed()
  const target = said[(back - 1) % Math.max(1, said.length)]
  if (target?._tag !== "Message") return undefined
  if (kind === "Edited") return { _tag: "Edited", target: target.seq, content: `edited ${log.length + 1}` }
  if (kind === "Deleted") return { _tag: "Deleted", target: target.seq }
  return {
    _tag: "Reacted",
    target: target.seq,
    reaction: word,
    ...(kind === "taken back" && { removed: true as const })
  }
}

/** The server makes no entry of a reaction that changes nothing. */
const isNews = (log: ReadonlyArray<Entry>, entry: Entry) => {
  if (entry.body._tag !== "Reacted") return true
  const at = (all: ReadonlyArray<Entry>) => Timeline.of(all).get(Timeline.placeOf(entry) ?? 0)
  return at(log) !== at([...log, entry]) && JSON.stringify(at(log)) !== JSON.stringify(at([...log, entry]))
}

const pageSize = 3

describe("what is at hand of a log", () => {
  it.prop(
    "is a piece of it as it stands, up to its end, whichever pages were asked for, read and heard of when",
    [wholeNumber(0, 8), Arbitrary.array(someStep, { maxLength: 60 })],
    ([before, steps]) => {
      let log: ReadonlyArray<Entry> = []
      let window = Window.make({ room: dev })
      /** Where a page was asked for, and the page once it was read. Entries of one conversation do not overtake it. */
      let asked: number | undefined
      let read: Window.Page | undefined
      const add = (step: Step): Entry | undefined => {
        if (step.do !== "entry") return undefined
        const body = bodyOf(step, log)
        const entry = body && { seq: log.length + 1, at: log.length + 1, from: step.from, body }
        if (entry === undefined || !isNews(log, entry)) return undefined
        log = [...log, entry]
        return entry
      }
      for (const [index, step] of steps.entries()) {
        const entry = add(step)
        if (index < before) continue
        if (entry !== undefined) window = Window.follow(window, onTheWire(entry), "newest")
        if (step.do === "ask" && asked === undefined && window.hasOlder) {
          asked = window.entries[0]?.seq ?? Infinity
        }
        if (step.do === "read" && asked !== undefined && read === undefined) {
          const older = standing(log).filter(({ seq }) => seq < (asked ?? 0))
          read = { messages: older.slice(-pageSize), more: older.length > pageSize }
        }
        if (step.do === "come" && read !== undefined) {
          window = Window.olderPage(window, read)
          asked = read = undefined
        }
      }
      const all = standing(log)
      const last = all.slice(all.length - window.entries.length)
      assert.deepStrictEqual(window.entries.map(inAnyOrder), last.map(inAnyOrder))
      if (!window.hasOlder) assert.lengthOf(window.entries, all.length)
      if (window.entries.length > 0) assert.strictEqual(window.newest, all.at(-1)?.seq)
    },
    tries(400, 40)
  )

  it.prop(
    "reaches the end again from anywhere, page by page, with nothing left out",
    [wholeNumber(1, 30), Arbitrary.array(someStep, { maxLength: 40 }), wholeNumber(1, 10)],
    ([from, steps, behind]) => {
      const log: Array<Entry> = []
      const say = (count: number) => {
        for (let more = 0; more < count; more++) {
          const seq = log.length + 1
          const entry: Entry = { seq, at: seq, from: bob, body: { _tag: "Said", content: `${seq}` } }
          log.push(entry)
          window = Window.follow(window, onTheWire(entry), "oldest")
        }
      }
      let window = Window.make({ room: dev })
      say(30)
      const pageFrom = (place: number) => {
        const newer = standing(log).filter(({ seq }) => seq > place)
        return { messages: newer.slice(0, pageSize), more: newer.length > pageSize }
      }
      const older = standing(log).filter(({ seq }) => seq < from)
      const before = { messages: older.slice(-pageSize), more: older.length > pageSize }
      window = Window.goneTo(window, before, pageFrom(from - 1))
      for (const step of steps) {
        if (step.do === "entry") say(1)
        else window = Window.newerPage(window, pageFrom(window.entries.at(-1)?.seq ?? 0))
      }
      say(behind)
      for (let pages = 0; !window.isAtEnd && pages < 100; pages++) {
        window = Window.newerPage(window, pageFrom(window.entries.at(-1)?.seq ?? 0))
      }
      assert.isTrue(window.isAtEnd)
      assert.deepStrictEqual(
        window.entries,
        standing(log).filter(({ seq }) => seq >= (before.messages[0]?.seq ?? from))
      )
    },
    tries(200, 40)
  )

  it("keeps as many as it may, of those at the end or of those that are looked at", () => {
    const said = (seq: number) => onTheWire({ seq, at: seq, from: bob, body: { _tag: "Said", content: "x" } })
    const all = Array.from({ length: Window.maxEntries + 5 }, (_, index) => said(index + 1))
    const full = (kept: Window.Kept) =>
      all.reduce((window, entry) => Window.follow(window, entry, kept), Window.make({ room: dev }, false))
    const newest = full("newest")
    assert.deepInclude(newest, { isAtEnd: true, hasOlder: true, newest: Window.maxEntries + 5 })
    assert.deepStrictEqual([newest.entries.length, newest.entries[0]?.seq], [Window.maxEntries, 6])
    const oldest = full("oldest")
    assert.deepInclude(oldest, { isAtEnd: false, hasOlder: false, newest: Window.maxEntries + 5 })
    assert.deepStrictEqual([oldest.entries[0]?.seq, oldest.entries.at(-1)?.seq], [1, Window.maxEntries])
    assert.deepStrictEqual(Window.toEnd(oldest), { ...oldest, entries: [], isAtEnd: true, hasOlder: true })
  })

  it("is read on once its log is another one, and counts from the beginning", () => {
    const said = (seq: number, content: string) =>
      onTheWire({ seq, at: seq, from: bob, body: { _tag: "Said", content } })
    const first = Window.follow(Window.make({ room: dev }), said(7, "old"), "newest")
    const again = Window.follow(Window.ended(first), said(1, "new"), "newest")
    assert.deepStrictEqual(
      [...again.past, ...again.entries].map((message) => Window.isSaid(message) && message.content),
      ["old", "new"]
    )
    assert.deepInclude(again, { isAtEnd: true, hasOlder: false, newest: 1 })
    const many = Array.from({ length: Window.maxPast + 1 }, () => 0).reduce(
      (window) => Window.ended(Window.follow(window, said(1, "x"), "newest")),
      again
    )
    assert.lengthOf(many.past, Window.maxPast)
  })
})
