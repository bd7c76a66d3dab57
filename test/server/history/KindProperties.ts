/**
 * The part of the contract of `History` that is about what is done to messages: random runs of messages, edits, deletions and
 * reactions, held to a list of entries that `Timeline` folds anew for every question.
 */
import { assert, it } from "@effect/vitest"
import { Arbitrary, Array as Arr, Effect, Schema } from "effect"
import { conversationKey } from "../../../src/common/log/Conversation.ts"
import { AuthorId, type Body, maxReactions, targetOf } from "../../../src/common/log/Entry.ts"
import { Device } from "../../../src/common/log/Sealing.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { History, type NewEntry } from "../../../src/server/history/History.ts"
import { oneOf, tries, troublesomeContent, wholeNumber } from "../../support/generators.ts"
import type { Fresh } from "./HistoryProperties.ts"
import { lobby, NaiveHistory, room, someBytes, someRange } from "./NaiveHistory.ts"

const ada = UserName.make("ada")

/** More than are named, each in two spellings. */
const names = Arr.makeBy(25, (index) => UserName.make(`user${index}`))
const spelled = [...names, ...names.map((name) => UserName.make(name.toUpperCase()))]
const someName = Arbitrary.map(wholeNumber(0, spelled.length - 1), (index) => spelled[index] ?? UserName.make("ada"))
const someTarget = oneOf(1, 1, 1, 2, 3, 4, 5, 9, 30)
const someReaction = oneOf("👍", "👍", "👍", "ok", '"', "1")
const keys = ["key 1 ..........", "key 2 ..........", "key 3 .........."] as const

const someReacted = Arbitrary.map(
  Arbitrary.all([someTarget, someReaction, wholeNumber(0, 2)]),
  ([target, reaction, removed]): Body =>
    removed === 0 ? { _tag: "Reacted", target, reaction, removed: true } : { _tag: "Reacted", target, reaction }
)
const someSaid = Arbitrary.map(
  Arbitrary.all([troublesomeContent, oneOf(undefined, 1, 2)]),
  ([content, replyTo]): Body => ({ _tag: "Said", content, ...(replyTo === undefined ? {} : { replyTo }) })
)
const someEdited = Arbitrary.map(Arbitrary.all([troublesomeContent, someTarget]), ([content, target]): Body => ({
  _tag: "Edited",
  target,
  content
}))
const someDeleted = Arbitrary.map(
  Arbitrary.all([oneOf(2, 3, 4, 9, 9, 30), oneOf(undefined, "rude")]),
  ([target, reason]): Body => ({ _tag: "Deleted", target, ...(reason === undefined ? {} : { reason }) })
)
const device = Schema.decodeSync(Device)("7")
const someSealed = Arbitrary.map(oneOf("AAAA", "BBBB", "CCCCDDDD"), (data): Body => ({
  _tag: "Sealed",
  device,
  keyEpoch: 1,
  data
}))
const committed: Body = { _tag: "KeysCommitted", device, keyEpoch: 1, data: "AAAA", adds: [], removes: [] }
const someBody = Arbitrary.all([wholeNumber(0, 12), someSaid, someEdited, someDeleted, someReacted, someSealed]).pipe(
  Arbitrary.map(([which, said, edited, deleted, reacted, sealed]) => {
    const first = [said, edited, deleted, sealed, sealed, committed][which]
    return first ?? reacted
  })
)
const someAct: Arbitrary.Arbitrary<NewEntry> = Arbitrary.all({
  conversation: oneOf(lobby, lobby, lobby, room("dev")),
  from: someName,
  author: oneOf(undefined, AuthorId.make("a1"), AuthorId.make("a2")),
  body: someBody,
  at: wholeNumber(1, 1000),
  key: oneOf(undefined, undefined, undefined, undefined, ...keys)
})
/** Keys that are answered with entries of other runs, of the same, or with none. */
const someAnswered = Arbitrary.array(
  Arbitrary.all({
    conversation: oneOf(lobby, lobby, lobby, room("DEV")),
    from: someName,
    key: oneOf(...keys),
    seq: oneOf(1, 2, 5, 9, 35, 60)
  }),
  { maxLength: 4 }
)
const someRuns = Arbitrary.array(
  Arbitrary.all([Arbitrary.array(someAct, { minLength: 1, maxLength: 40 }), someAnswered]),
  { minLength: 1, maxLength: 10 }
)

/** So that there is something to be done something to. */
const first = Arr.makeBy(5, (index): NewEntry => ({
  conversation: lobby,
  from: UserName.make("ada"),
  author: AuthorId.make("a1"),
  body: { _tag: "Said", content: `message ${index + 1}` },
  at: 1,
  key: undefined
}))

/** So many that not all are named, so that it matters who is next when one of the first thinks better of it. */
const crowd = names.map((from): NewEntry => ({
  conversation: lobby,
  from,
  author: undefined,
  body: { _tag: "Reacted", target: 1, reaction: "👍" },
  at: 1,
  key: undefined
}))

/** Nothing is ever done to what is not there yet. What has a key may stand nowhere, so it is not counted. */
const withinReach = (run: ReadonlyArray<NewEntry>, naive: NaiveHistory): ReadonlyArray<NewEntry> => {
  const newest = new Map<string, number>()
  return run.filter(({ body, conversation, key }) => {
    const name = conversationKey(conversation)
    const stands = newest.get(name) ?? naive.log(conversation).length
    if ((targetOf(body) ?? 0) > stands) return false
    newest.set(name, key === undefined ? stands + 1 : stands)
    return true
  })
}

export const kindProperties = <LayerError>(fresh: Fresh<LayerError>, runs: number): void => {
  it.effect.prop(
    "reads, shows as it stands, and knows of what is decided on, the same as a log that is folded",
    [someRuns, Arbitrary.array(Arbitrary.all([someRange, someBytes]), { minLength: 1, maxLength: 4 })],
    Effect.fnUntraced(function* ([acts, ranges]) {
      const history = yield* History
      const naive = new NaiveHistory()
      for (const [some, answered] of [[first, []] as const, [crowd, []] as const, ...acts]) {
        const run = withinReach(some, naive)
        const stored = yield* history.append(run, answered)
        assert.deepStrictEqual(
          stored,
          run.map((one) => naive.append(one))
        )
        for (const one of answered) naive.remember(one)
      }
      const whole = [{ before: undefined, after: 0, limit: 500 }, undefined] as const
      for (const conversation of [lobby, room("DEV")]) {
        for (const [range, maxBytes] of [whole, ...ranges]) {
          assert.deepStrictEqual(
            yield* history.read(conversation, range, maxBytes),
            naive.page(conversation, range, maxBytes)
          )
          assert.deepStrictEqual(
            yield* history.standing(conversation, range, maxBytes),
            naive.standing(conversation, range, maxBytes)
          )
        }
        const question = {
          keys: keys.flatMap((key) => names.map((from) => ({ from, key }))),
          targets: Arr.makeBy(40, (seq) => seq),
          reactors: names.flatMap((user, index) =>
            index % 2 === 0
              ? [1, 2, 3, 9].flatMap((target) => ["👍", "ok"].map((reaction) => ({ target, user, reaction })))
              : []
          )
        }
        assert.deepStrictEqual(yield* history.facts(conversation, question), naive.facts(conversation, question))
      }
    }, fresh),
    tries(runs, 40)
  )

  it.effect("does nothing to what comes later, be it in the same run, and keeps 50 ways to react to a message", () =>
    Effect.gen(function* () {
      const history = yield* History
      const act = (body: Body): NewEntry => ({
        conversation: lobby,
        from: ada,
        author: undefined,
        body,
        at: 1,
        key: undefined
      })
      yield* history.append([
        act({ _tag: "Reacted", target: 2, reaction: "early" }),
        act({ _tag: "Said", content: "a" }),
        act({ _tag: "Edited", target: 3, content: "itself" }),
        ...Arr.makeBy(51, (index) => act({ _tag: "Reacted", target: 2, reaction: `r${index}` }))
      ])
      const { messages } = yield* history.standing(lobby, { before: undefined, after: undefined, limit: 10 })
      const [message] = messages
      assert(message?._tag === "Message")
      assert.deepStrictEqual(
        message.reactions.map(({ reaction }) => reaction),
        Arr.makeBy(maxReactions, (index) => `r${index}`)
      )
    }).pipe(fresh)
  )
}
