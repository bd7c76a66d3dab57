/**
 * The part of the contract of `History` that is about inboxes: random exchanges between three accounts and a guest, held to
 * lists of entries, one for each inbox, in which every place is looked up by hand.
 */
import { assert, it } from "@effect/vitest"
import { Arbitrary, Array as Arr, Effect } from "effect"
import type { Inbox } from "../../../src/common/log/Conversation.ts"
import { AuthorId, type Body } from "../../../src/common/log/Entry.ts"
import { nameKey } from "../../../src/common/name/Name.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { MessageKey } from "../../../src/common/wire/RequestId.ts"
import { History, type NewEntry } from "../../../src/server/history/History.ts"
import { Partner } from "../../../src/server/history/Partner.ts"
import { holds, phrasesOf, termsOf } from "../../../src/server/search/SearchWords.ts"
import { oneOf, tries, troublesomeContent, wholeNumber } from "../../support/generators.ts"
import { entry, everything, findAll } from "./HistoryAsked.ts"
import type { Fresh } from "./HistoryProperties.ts"
import { lobby, NaiveHistory, someBytes, someRange } from "./NaiveHistory.ts"

const names = ["ada", "bob", "cleo", "dan"].map((name) => UserName.make(name))
/** Dan is a guest. */
const guest = 3
const nameOf = (who: number): UserName => names[who] ?? UserName.make("nobody")
const inboxOf = (who: number): Inbox => ({ _tag: "Inbox", user: nameOf(who), account: who + 1 })
const partnerOf = (who: number): Partner => Partner.make(who === guest ? nameKey(nameOf(who)) : `#${who + 1}`)
const accounts = [0, 1, 2]

/** `which`: of all that the pair has at that moment, in the inbox in which it is to be done. */
const someDeed = Arbitrary.all({
  from: wholeNumber(0, guest),
  to: wholeNumber(0, guest),
  kind: oneOf("Said", "Said", "Said", "Reply", "Edited", "Deleted", "Reacted", "Removed"),
  which: wholeNumber(0, 5),
  content: troublesomeContent,
  reaction: oneOf("👍", "ok"),
  at: wholeNumber(1, 1000),
  key: oneOf<MessageKey | undefined>(undefined, undefined, undefined, "key 1 ..........", "key 2 ..........")
})
type Deed = typeof someDeed extends Arbitrary.Arbitrary<infer Some> ? Some : never

/** Where it is stored, and where else. */
const placesOf = ({ from, to }: Pick<Deed, "from" | "to">): Pick<NewEntry, "conversation" | "twin"> => {
  if (from === guest) return { conversation: inboxOf(to) }
  return to === guest ? { conversation: inboxOf(from) } : { conversation: inboxOf(from), twin: inboxOf(to) }
}

const entryOf = (deed: Deed, naive: NaiveHistory): NewEntry | undefined => {
  const { at, content, from, key, kind, reaction, to, which } = deed
  if (from === to) return undefined
  const places = placesOf(deed)
  const partner = partnerOf(from === guest ? from : to)
  const said = naive
    .in(places.conversation)
    .filter((one) => one.partner === partner && one.entry.body._tag === "Said")
    .map((one) => one.entry.seq)
  const target = said[which % Math.max(said.length, 1)]
  const body = bodyOf(kind, content, reaction, target, places.twin !== undefined)
  return { ...places, from: nameOf(from), to: nameOf(to), author: AuthorId.make(`a${from}`), body, at, key }
}

const bodyOf = (
  kind: Deed["kind"],
  content: string,
  reaction: string,
  target: number | undefined,
  isPair: boolean
): Body => {
  if (target === undefined || kind === "Said") return { _tag: "Said", content }
  if (kind === "Reply" || !isPair) return { _tag: "Said", content, replyTo: target }
  if (kind === "Edited") return { _tag: "Edited", target, content }
  if (kind === "Deleted") return { _tag: "Deleted", target }
  return { _tag: "Reacted", target, reaction, ...(kind === "Removed" && { removed: true }) }
}

/** Each run as one append, its entries made of what stood before it; and the same into the lists. */
const exchangeAll = Effect.fnUntraced(function* (runs: ReadonlyArray<ReadonlyArray<Deed>>) {
  const history = yield* History
  const naive = new NaiveHistory()
  for (const run of runs) {
    const entries = run.flatMap((deed) => entryOf(deed, naive) ?? [])
    if (!Arr.isReadonlyArrayNonEmpty(entries)) continue
    assert.deepStrictEqual(
      yield* history.append(entries),
      entries.map((one) => naive.append(one))
    )
  }
  return { history, naive }
})

const someRuns = Arbitrary.array(Arbitrary.array(someDeed, { minLength: 1, maxLength: 12 }), { maxLength: 10 })

export const inboxProperties = <LayerError>(fresh: Fresh<LayerError>, runs: number): void => {
  it.effect.prop(
    "stores a private message in both inboxes, each with its own places, and reads each as a log that is folded",
    [someRuns, Arbitrary.array(Arbitrary.all([someRange, someBytes]), { minLength: 1, maxLength: 3 })],
    Effect.fnUntraced(function* ([deeds, ranges]) {
      const { history, naive } = yield* exchangeAll(deeds)
      const whole = [{ before: undefined, after: 0, limit: 500 }, undefined] as const
      for (const conversation of accounts.map(inboxOf)) {
        assert.strictEqual((yield* history.newest(conversation)).seq, naive.log(conversation).length)
        for (const [range, maxBytes] of [whole, ...ranges]) {
          assert.deepStrictEqual(
            yield* history.read(conversation, range, maxBytes),
            naive.page(conversation, range, maxBytes)
          )
          for (const partner of [undefined, ...[0, 1, 2, guest].map(partnerOf)]) {
            assert.deepStrictEqual(
              yield* history.standing(
                conversation,
                { ...range, ...(partner !== undefined && { with: partner }) },
                maxBytes
              ),
              naive.standing(conversation, range, maxBytes, partner)
            )
          }
        }
      }
    }, fresh),
    tries(runs)
  )

  it.effect.prop(
    "shows both sides of an exchange the same, but for the places",
    [someRuns],
    Effect.fnUntraced(function* ([deeds]) {
      const { history, naive } = yield* exchangeAll(deeds)
      for (const [one, other] of [
        [0, 1],
        [1, 2],
        [2, 0]
      ] as const) {
        const [mine, theirs] = yield* Effect.forEach([one, other], (who) =>
          history.standing(inboxOf(who), { ...everything, with: partnerOf(who === one ? other : one) })
        )
        const twins = naive.in(inboxOf(one))
        const placeOf = (seq: number) => twins[seq - 1]?.twin
        const inTheirs = mine?.messages.map((message) => {
          const replyTo = "replyTo" in message && message.replyTo !== undefined ? placeOf(message.replyTo) : undefined
          const reply = replyTo === undefined ? {} : { replyTo }
          return Object.assign({}, message, { seq: placeOf(message.seq) }, reply)
        })
        assert.deepStrictEqual<unknown>(inTheirs, theirs?.messages)
      }
    }, fresh),
    tries(runs / 2)
  )

  it.effect.prop(
    "knows what is decided on, with whom each was exchanged, and which keys were answered to whom",
    [someRuns],
    Effect.fnUntraced(function* ([deeds]) {
      const { history, naive } = yield* exchangeAll(deeds)
      for (const who of accounts) {
        const conversation = inboxOf(who)
        const targets = naive.log(conversation).map(({ seq }) => seq)
        const question = {
          targets,
          keys: [0, 1, 2, guest].flatMap((other) =>
            (["key 1 ..........", "key 2 .........."] as const).flatMap((key) =>
              [nameOf(who), nameOf(other)].map((from) => ({ from, key, with: partnerOf(other) }))
            )
          ),
          reactors: targets.map((target) => ({ target, user: nameOf(who), reaction: "👍" }))
        }
        assert.deepStrictEqual(yield* history.facts(conversation, question), naive.facts(conversation, question))
      }
    }, fresh),
    tries(runs / 2)
  )

  it.effect.prop(
    "finds words in an inbox, and in what it has with one partner, and nowhere else",
    [someRuns, oneOf("a", "é", "漢", "ss")],
    Effect.fnUntraced(function* ([deeds, query]) {
      const { history, naive } = yield* exchangeAll(deeds)
      yield* history.append([entry("a é 漢 ss")])
      const isFound = (content: string) => holds(termsOf(content), phrasesOf(query))
      for (const who of accounts) {
        for (const partner of [undefined, ...[0, 1, 2, guest].map(partnerOf)]) {
          const found = yield* findAll(history, [inboxOf(who)], { query, limit: 2, ...(partner && { with: partner }) })
          const { messages } = naive.standing(inboxOf(who), everything, undefined, partner)
          assert.deepStrictEqual(
            found.map(({ message }) => message),
            messages.filter((one) => one._tag === "Message" && isFound(one.content)).toReversed()
          )
        }
      }
      const both = yield* findAll(history, [lobby, inboxOf(0)], { query, limit: 3 })
      const { messages } = naive.standing(inboxOf(0), everything)
      assert.lengthOf(both, 1 + messages.filter((one) => one._tag === "Message" && isFound(one.content)).length)
    }, fresh),
    tries(runs / 2)
  )

  it.effect("keeps an account's inbox apart from that of whoever has its name later, and from a guest's", () =>
    Effect.gen(function* () {
      const history = yield* History
      const user = nameOf(0)
      const [old, now, asGuest]: ReadonlyArray<Inbox> = [
        { _tag: "Inbox", user, account: 1 },
        { _tag: "Inbox", user, account: 11 },
        { _tag: "Inbox", user }
      ]
      if (old === undefined || now === undefined || asGuest === undefined) return assert.fail("there are three")
      const secret = entry("secret", { conversation: old, from: nameOf(1), to: user, twin: inboxOf(1) })
      yield* history.append([secret])
      for (const other of [now, asGuest]) {
        assert.lengthOf((yield* history.read(other, everything)).entries, 0)
        assert.strictEqual((yield* history.newest(other)).seq, 0)
      }
      assert.lengthOf((yield* history.read(old, everything)).entries, 1)
    }).pipe(fresh)
  )

  it.effect("names what is replied or done to by the other side's place, also within one commit", () =>
    Effect.gen(function* () {
      const history = yield* History
      const say = (from: number, to: number, body: Body) =>
        entry("", { conversation: inboxOf(from), from: nameOf(from), to: nameOf(to), twin: inboxOf(to), body })
      const said = (content: string, replyTo?: number): Body =>
        replyTo === undefined ? { _tag: "Said", content } : { _tag: "Said", content, replyTo }
      // Ada's inbox is two ahead of bob's.
      yield* history.append([say(2, 0, said("x")), say(2, 0, said("y"))])
      const [, reply, edit] = yield* history.append([
        say(0, 1, said("one")),
        say(0, 1, said("two", 3)),
        say(0, 1, { _tag: "Edited", target: 3, content: "1" })
      ])
      assert.deepStrictEqual(
        [reply?.twin, edit?.twin],
        [
          { seq: 2, target: 1 },
          { seq: 3, target: 1 }
        ]
      )
      // Alone in its commit, and nothing else in it: as most are.
      const [later] = yield* history.append([say(1, 0, said("three", 2))])
      assert.deepStrictEqual(later?.twin, { seq: 6, target: 4 })
      // Of one with whom nothing was said since, although there is much in between.
      const page = yield* history.standing(inboxOf(0), { ...everything, with: partnerOf(2) }, 1000)
      assert.deepStrictEqual(
        page.messages.map(({ seq }) => seq),
        [1, 2]
      )
      yield* history.append([say(2, 0, said("z"))])
      const wide = yield* history.standing(inboxOf(0), { ...everything, with: partnerOf(2) }, 1000)
      assert.deepStrictEqual(
        wide.messages.map(({ seq }) => seq),
        [1, 2, 7]
      )
    }).pipe(fresh)
  )

  it.effect("stores an exchange in both inboxes or in none", () =>
    Effect.gen(function* () {
      const history = yield* History
      const good = entry("good", { conversation: inboxOf(0), from: nameOf(0), to: nameOf(1), twin: inboxOf(1) })
      for (const bad of [
        { ...good, body: { _tag: "Said" as const, content: "a\ud800" } },
        { ...good, to: UserName.make("a\u0000", { disableChecks: true }) }
      ]) {
        yield* Effect.flip(history.append([good, bad]))
        for (const who of [0, 1]) assert.lengthOf((yield* history.read(inboxOf(who), everything)).entries, 0)
      }
    }).pipe(fresh)
  )
}
