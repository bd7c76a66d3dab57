import { assert, describe, it } from "@effect/vitest"
import { UserName } from "../../../src/common/name/UserName.ts"
import { makeAnsweredKeys } from "../../../src/server/inbox/AnsweredKeys.ts"
import { type Asker, SessionId } from "../../../src/server/session/Asker.ts"

const ada = UserName.make("ada")
const ben = UserName.make("ben")
const cyd = UserName.make("cyd")
const asker = (user: UserName, session = 1): Asker => ({
  session: SessionId.make(session),
  user,
  request: 1
})
const keyOf = (index: number) => `a key of ${`${index}`.padStart(10, "0")}`
const sent = (seq: number) => ({ _tag: "Sent", seq, at: 5 }) as const

describe("The keys of private messages", () => {
  it("are known again in any spelling of the two names, and between these two alone", () => {
    const answered = makeAnsweredKeys()
    answered.remember(asker(ada), ben, keyOf(1), sent(7))
    assert.deepStrictEqual(answered.find(asker(UserName.make("ADA")), UserName.make("Ben"), keyOf(1)), {
      ...sent(7),
      repeated: true
    })
    assert.isUndefined(answered.find(asker(ada), cyd, keyOf(1)), "to somebody else it is another message")
    assert.isUndefined(answered.find(asker(ben), ada, keyOf(1)))
    assert.isUndefined(answered.find(asker(ada), ben, keyOf(2)))
    assert.isUndefined(answered.find(asker(ada), ben, undefined))
  })

  it("answer a repeat on another connection with no place, since the inbox of the first is gone", () => {
    const answered = makeAnsweredKeys()
    answered.remember(asker(ada, 1), ben, keyOf(1), sent(7))
    assert.deepStrictEqual(answered.find(asker(ada, 2), ben, keyOf(1)), { ...sent(0), repeated: true })
  })

  it("are the last hundred of each sender, and nobody's take the place of another's", () => {
    const answered = makeAnsweredKeys()
    answered.remember(asker(ben), ada, keyOf(0), sent(1))
    for (let index = 0; index < 20_000; index++) answered.remember(asker(ada), ben, keyOf(index), sent(index))
    assert.isDefined(answered.find(asker(ben), ada, keyOf(0)))
    assert.isUndefined(answered.find(asker(ada), ben, keyOf(19_899)))
    assert.isDefined(answered.find(asker(ada), ben, keyOf(19_900)))
    assert.strictEqual(answered.count(), 101)
  })

  it("are bounded in all: the sender who has been quiet longest is forgotten", () => {
    const answered = makeAnsweredKeys()
    const sender = (index: number) => asker(UserName.make(`guest-${index}`))
    for (let index = 0; index < 50_001; index++) answered.remember(sender(index), ada, keyOf(0), sent(1))
    assert.strictEqual(answered.count(), 50_000)
    assert.isUndefined(answered.find(sender(0), ada, keyOf(0)))
    assert.isDefined(answered.find(sender(1), ada, keyOf(0)))
  })
})
