import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { AuthorId, maxReactions } from "../../../src/common/log/Entry.ts"
import type { Intent } from "../../../src/common/log/Entry.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Rejection } from "../../../src/common/wire/Rejection.ts"
import type { MessageKey } from "../../../src/common/wire/RequestId.ts"
import type { Act } from "../../../src/server/rooms/Act.ts"
import {
  decide,
  type Decision,
  evolve,
  isFree,
  questionOf,
  remember,
  stateOf
} from "../../../src/server/rooms/Decider.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"
import { PlainLog } from "./PlainLog.ts"

/** Two people, one of whom comes on two connections, one after the other. */
const authors = [
  { from: UserName.make("Ada"), author: AuthorId.make("start.1") },
  { from: UserName.make("ada"), author: AuthorId.make("start.2") },
  { from: UserName.make("Ben"), author: AuthorId.make("start.3") }
] as const
const [ada, adaAgain, ben] = authors
type Author = (typeof authors)[number]
const someTarget = wholeNumber(0, 12)

const someIntent: Arbitrary.Arbitrary<Intent> = Arbitrary.all({
  tag: oneOf("Said", "Said", "Reply", "Edited", "Deleted", "Reacted", "Reacted", "TakenBack"),
  target: someTarget,
  /** No two edits are the same. */
  number: wholeNumber(0, 1_000_000_000),
  reaction: oneOf("👍", "👎")
}).pipe(
  Arbitrary.map(({ number, reaction, tag, target }): Intent => {
    switch (tag) {
      case "Reply":
        return { _tag: "Said", content: "reply", replyTo: target }
      case "Edited":
        return { _tag: "Edited", target, content: `edited ${number}` }
      case "Deleted":
        return { _tag: "Deleted", target }
      case "Reacted":
        return { _tag: "Reacted", target, reaction }
      case "TakenBack":
        return { _tag: "Reacted", target, reaction, removed: true }
      default:
        return { _tag: "Said", content: "said" }
    }
  })
)
const someAct: Arbitrary.Arbitrary<Act> = Arbitrary.all({
  who: oneOf<Author>(...authors),
  body: someIntent,
  key: oneOf<MessageKey | undefined>(undefined, undefined, "first key ......", "second key .....")
}).pipe(Arbitrary.map(({ body, key, who }): Act => ({ ...who, body, key })))
const someRuns = Arbitrary.array(Arbitrary.array(someAct, { maxLength: 8 }), { maxLength: 8 })

const circumstances = { now: 1000, editWindow: 500 }

/** Decides on a run as the deciding half does: everything is looked up once, before. */
const decideRun = (log: PlainLog, run: ReadonlyArray<Act>): ReadonlyArray<Decision> => {
  let state = stateOf(log.facts(questionOf(run)))
  return run.map((act) => {
    const decision = decide(state, act, circumstances)
    if (decision._tag === "Accepted") state = evolve(state, log.add(act, circumstances.now), act)
    if (decision._tag === "Repeated" && decision.key !== undefined) {
      log.remember(act, decision.key, decision.seq)
      state = remember(state, act.from, decision.key, decision)
    }
    return decision
  })
}

/** The same, with everything looked up for each act. */
const decideOneByOne = (log: PlainLog, run: ReadonlyArray<Act>): ReadonlyArray<Decision> =>
  run.flatMap((act) => decideRun(log, [act]))

const say = (content = "said"): Intent => ({ _tag: "Said", content })
const by = (who: Author, body: Intent, key?: MessageKey): Act => ({ ...who, body, key })
const refused = (reason: Rejection): Decision => ({ _tag: "Refused", reason })

describe("Deciding", () => {
  it.prop(
    "comes to the same on a run of acts as on each alone, in their order",
    [someRuns],
    ([runs]) => {
      const together = new PlainLog()
      const apart = new PlainLog()
      for (const run of runs) {
        assert.deepStrictEqual(decideRun(together, run), decideOneByOne(apart, run))
        assert.deepStrictEqual(together.entries, apart.entries)
      }
    },
    tries(500, 40)
  )

  it.prop(
    "lets nobody but its author touch a message, and nobody touch what is no message",
    [someRuns],
    ([runs]) => {
      const log = new PlainLog()
      for (const act of runs.flat()) {
        const before = log.timeline()
        const [decision] = decideRun(log, [act])
        const target = "target" in act.body ? act.body.target : undefined
        if (decision?._tag !== "Accepted" || target === undefined) continue
        assert.strictEqual(before.get(target)?._tag, "Message")
        if (act.body._tag === "Reacted") continue
        assert.strictEqual(log.entries[target - 1]?.act.author, act.author)
      }
    },
    tries(500, 40)
  )

  it.prop(
    "accepts what changes what stands, or says something, and nothing else",
    [someRuns],
    ([runs]) => {
      const log = new PlainLog()
      for (const act of runs.flat()) {
        const before = JSON.stringify([...log.timeline()])
        const [decision] = decideRun(log, [act])
        const changed = JSON.stringify([...log.timeline()]) !== before
        assert.strictEqual(changed, decision?._tag === "Accepted")
      }
    },
    tries(300, 40)
  )

  it.prop(
    "does with one key one thing, whatever it is used for afterwards",
    [someRuns],
    ([runs]) => {
      const log = new PlainLog()
      const all = runs.flat()
      const decisions = decideRun(log, all)
      for (const [index, act] of all.entries()) {
        const first = decisions[index]?._tag
        if (act.key === undefined || (first !== "Accepted" && first !== "Repeated")) continue
        const [again] = decideRun(log, [{ ...by(ada, say(), act.key), from: act.from }])
        assert.strictEqual(again?._tag, "Repeated")
      }
    },
    tries(200, 40)
  )

  it("knows whose a message is by the connection, not by the name", () => {
    const log = new PlainLog()
    decideRun(log, [by(ada, say())])
    const edit: Intent = { _tag: "Edited", target: 1, content: "mine" }
    assert.deepStrictEqual(decideRun(log, [by(adaAgain, edit), by(ben, edit), by(ada, edit)]), [
      refused({ _tag: "NotAllowed", action: "EditMessage" }),
      refused({ _tag: "NotAllowed", action: "EditMessage" }),
      { _tag: "Accepted" }
    ])
  })

  it("lets an author edit within the window, and not from its end on; deleting has none", () => {
    const at = (age: number, body: Intent) => {
      const log = new PlainLog()
      log.add(by(ada, say()), circumstances.now - age)
      return decideRun(log, [by(ada, body)])[0]?._tag
    }
    assert.strictEqual(at(499, { _tag: "Edited", target: 1, content: "x" }), "Accepted")
    assert.strictEqual(at(500, { _tag: "Edited", target: 1, content: "x" }), "Refused")
    assert.strictEqual(at(500, { _tag: "Deleted", target: 1 }), "Accepted")
  })

  it("keeps so many different reactions, of which any number of people may choose", () => {
    const log = new PlainLog()
    decideRun(log, [by(ada, say())])
    const react = (reaction: string, removed?: true): Intent => ({
      _tag: "Reacted",
      target: 1,
      reaction,
      ...(removed && { removed })
    })
    const all = Array.from({ length: maxReactions }, (_, index) => by(ada, react(`r${index}`)))
    assert.isTrue(decideRun(log, all).every(({ _tag }) => _tag === "Accepted"))
    assert.deepStrictEqual(
      decideRun(log, [
        by(ben, react("one more")),
        by(ben, react("r0")),
        by(ada, react("r1", true)),
        by(ben, react("one more"))
      ]),
      [
        refused({ _tag: "TooManyReactions", limit: maxReactions }),
        { _tag: "Accepted" },
        { _tag: "Accepted" },
        { _tag: "Accepted" }
      ]
    )
  })

  it("answers a reaction that is there with the entry that made it, and takes back only one's own", () => {
    const log = new PlainLog()
    const react = (removed?: true): Intent => ({
      _tag: "Reacted",
      target: 1,
      reaction: "👍",
      ...(removed && { removed })
    })
    decideRun(log, [by(ada, say()), by(ada, react())])
    assert.deepStrictEqual(decideRun(log, [by(adaAgain, react()), by(adaAgain, react(true)), by(ben, react(true))]), [
      { _tag: "Repeated", seq: 2, at: 1000, key: undefined },
      refused({ _tag: "MessageNotFound", seq: 1 }),
      refused({ _tag: "MessageNotFound", seq: 1 })
    ])
  })

  it("remembers the key of a reaction that was there, once, and answers it also when that was taken back", () => {
    const log = new PlainLog()
    const key = "a key ..........."
    const react: Intent = { _tag: "Reacted", target: 1, reaction: "👍" }
    decideRun(log, [by(ada, say()), by(ada, react)])
    assert.deepStrictEqual(
      decideRun(log, [by(ada, react, key), by(ada, { ...react, removed: true }), by(ada, react, key), by(ada, react)]),
      [
        { _tag: "Repeated", seq: 2, at: 1000, key },
        { _tag: "Accepted" },
        { _tag: "Repeated", seq: 2, at: 1000, key: undefined },
        { _tag: "Accepted" }
      ]
    )
  })

  it("looks nothing up for what depends on nothing", () => {
    assert.isTrue(isFree(by(ada, say(), "first key ......")))
    for (const body of [
      { _tag: "Said", content: "x", replyTo: 1 },
      { _tag: "Deleted", target: 1 }
    ] satisfies ReadonlyArray<Intent>) {
      assert.isFalse(isFree(by(ada, body)))
    }
  })

  it("accepts a reply to what was deleted or has become too old, and refuses one to what was never a message", () => {
    const log = new PlainLog()
    decideRun(log, [
      by(ada, say()),
      by(ada, { _tag: "Reacted", target: 1, reaction: "👍" }),
      by(ada, { _tag: "Deleted", target: 1 })
    ])
    const reply = (replyTo: number) => decideRun(log, [by(ben, { _tag: "Said", content: "re", replyTo })])[0]
    assert.deepStrictEqual(reply(1), { _tag: "Accepted" })
    for (const seq of [0, 2, 3, 99]) assert.deepStrictEqual(reply(seq), refused({ _tag: "MessageNotFound", seq }))
    const state = stateOf({
      answered: new Map(),
      targets: new Map([[1, { seq: 1, at: 0, author: undefined, is: "Gone" as const, reactions: [], reactors: [] }]])
    })
    assert.deepStrictEqual(decide(state, by(ben, { _tag: "Said", content: "re", replyTo: 1 }), circumstances), {
      _tag: "Accepted"
    })
    assert.deepStrictEqual(
      decide(state, by(ben, { _tag: "Reacted", target: 1, reaction: "👍" }), circumstances),
      refused({ _tag: "MessageNotFound", seq: 1 })
    )
  })
})
