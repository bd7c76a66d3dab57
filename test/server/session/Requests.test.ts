import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Fiber } from "effect"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { answerAtOnce, Requests } from "../../../src/server/session/Requests.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"

const pong = (nonce: number): ServerMessage => ({ _tag: "Pong", nonce })
const small = { about: undefined, characters: 0, isLarge: false }

const make = () => {
  const defects: Array<number> = []
  return { defects, requests: new Requests((request) => void defects.push(request)) }
}

/** What is said, line by line: by id, or else by nonce. */
const saidIn = (lines: string): ReadonlyArray<string> =>
  lines
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const { id, nonce } = JSON.parse(line)
      return `${id ?? nonce}`
    })

describe("A request that is under way", () => {
  it("gets one reply with its id, or without if it had none; a second is dropped and told as a defect", () => {
    const { defects, requests } = make()
    const one = requests.add({ ...small, id: "one" })
    const other = requests.add({ ...small, id: undefined })
    assert.deepStrictEqual(JSON.parse(requests.reply(one, pong(1))), { _tag: "Pong", nonce: 1, id: "one" })
    assert.deepStrictEqual(JSON.parse(requests.reply(other, pong(2))), { _tag: "Pong", nonce: 2 })
    assert.strictEqual(requests.count(), 0)
    assert.deepStrictEqual(defects, [])
    assert.strictEqual(requests.reply(one, pong(3)), "")
    assert.strictEqual(requests.begin(other, pong(3)), "")
    assert.lengthOf(requests.replyEncoded(one, "Pong", [Buffer.from('"nonce":3}\n')]), 0)
    assert.strictEqual(requests.reply(99, pong(3)), "")
    assert.deepStrictEqual(defects, [one, other, one, 99])
  })

  it("may have its reply in pieces, of which none gets another beginning, and is under way until it has all", () => {
    const { defects, requests } = make()
    const large = requests.add({ id: "large", about: "lobby", characters: 0, isLarge: true })
    assert.deepStrictEqual(saidIn(requests.begin(large, pong(1))), ["large"])
    assert.strictEqual(requests.count(), 1)
    assert.strictEqual(requests.reply(large, pong(2)), "")
    assert.deepStrictEqual(defects, [large])
    assert.strictEqual(requests.finish(large), "")
    assert.strictEqual(requests.count(), 0)
    assert.strictEqual(requests.finish(large), "", "whoever has left meanwhile is not answered")
    assert.deepStrictEqual(defects, [large])
  })

  it("is named by an id that holds anything, also in a reply that was encoded before", () => {
    const { requests } = make()
    const id = 'a "quoted" \\ id'
    const request = requests.add({ ...small, id })
    const pieces = requests.replyEncoded(request, "Pong", [Buffer.from('"nonce":'), Buffer.from("7}\n")])
    assert.deepStrictEqual(JSON.parse(Buffer.concat(pieces).toString()), { _tag: "Pong", id, nonce: 7 })
    assert.deepStrictEqual(JSON.parse(answerAtOnce(id, pong(7))), { _tag: "Pong", nonce: 7, id })
  })

  it("is not replied to when the connection has ended, and that is no defect", () => {
    const { defects, requests } = make()
    const request = requests.add({ ...small, id: "one" })
    requests.close()
    assert.strictEqual(requests.reply(request, pong(1)), "")
    assert.strictEqual(requests.finish(request), "")
    assert.strictEqual(requests.count(), 0)
    assert.deepStrictEqual(defects, [])
  })

  it("waits with a reply in pieces for those before it, too, if that is there as a whole", () => {
    const { requests } = make()
    const first = requests.add({ ...small, id: "first", about: "lobby" })
    const second = requests.add({ ...small, id: "second", about: "lobby" })
    assert.lengthOf(requests.replyEncoded(second, "Pong", [Buffer.from('"nonce":7}\n')]), 0)
    assert.deepStrictEqual(saidIn(requests.reply(first, pong(1))), ["first", "second"])
  })
})

/** Of requests about few conversations, in any order: which is asked, and which of those under way is answered. */
const step = Arbitrary.all({
  asks: oneOf(true, false),
  about: oneOf<string | undefined>("lobby", "room:dev", "user:ada", undefined),
  which: wholeNumber(0, 9),
  how: oneOf("reply", "encoded", "twice", "finish")
})

describe("Requests", () => {
  it.prop(
    "give each exactly one reply, and keep the order of those about one conversation, in whatever order replies are made",
    [Arbitrary.array(step)],
    ([steps]) => {
      const { defects, requests } = make()
      const asked: Array<{ readonly number: number; readonly about: string | undefined }> = []
      const finished = new Set<number>()
      let open: Array<number> = []
      const said: Array<string> = []
      const reply = (number: number, how: string) => {
        if (how === "finish") {
          finished.add(number)
          said.push(...saidIn(requests.finish(number)))
        } else if (how === "encoded") {
          const pieces = requests.replyEncoded(number, "Pong", [Buffer.from('"nonce":0}\n')])
          said.push(...saidIn(Buffer.concat(pieces).toString()))
        } else said.push(...saidIn(requests.reply(number, pong(0))))
      }
      for (const { about, asks, how, which } of steps) {
        if (asks) {
          const number = requests.add({ ...small, id: `${asked.length + 1}`, about })
          asked.push({ number, about })
          open.push(number)
          continue
        }
        const number = open[which % Math.max(open.length, 1)]
        if (number === undefined) continue
        open = open.filter((other) => other !== number)
        reply(number, how)
        if (how !== "twice") continue
        const before = defects.length
        assert.strictEqual(requests.reply(number, pong(1)), "")
        assert.lengthOf(defects, before + 1)
      }
      for (const number of open.toReversed()) reply(number, "reply")

      const expected = asked.filter(({ number }) => !finished.has(number))
      assert.strictEqual(requests.count(), 0)
      assert.sameMembers(
        said,
        expected.map(({ number }) => `${number}`)
      )
      for (const about of ["lobby", "room:dev", "user:ada"]) {
        const theirs = expected.filter((request) => request.about === about).map(({ number }) => `${number}`)
        assert.deepStrictEqual(
          said.filter((id) => theirs.includes(id)),
          theirs
        )
      }
    },
    tries(300, 30)
  )

  it("hold nothing up that concerns another conversation, or none", () => {
    const { requests } = make()
    requests.add({ ...small, id: "slow", about: "lobby" })
    const other = requests.add({ ...small, id: "other", about: "room:dev" })
    const none = requests.add({ ...small, id: "none" })
    assert.deepStrictEqual(saidIn(requests.reply(none, pong(1))), ["none"])
    assert.deepStrictEqual(saidIn(requests.reply(other, pong(1))), ["other"])
  })

  it("are 128 at most, or as many as hold 128 Ki UTF-16 units; one that waits to add goes on with half, or with none", () => {
    const { requests } = make()
    const numbers = Array.from({ length: 128 }, () => {
      assert.isFalse(requests.isBusy())
      return requests.add({ ...small, id: undefined })
    })
    assert.isTrue(requests.isBusy())
    const waiting = Effect.runFork(requests.lessBusy())
    const isOver = () => waiting.pollUnsafe() !== undefined
    for (const number of numbers.slice(0, 64)) requests.reply(number, pong(1))
    requests.release()
    assert.isFalse(isOver())
    requests.reply(numbers[64] ?? 0, pong(1))
    assert.isFalse(isOver(), "not before it is on its way")
    requests.release()
    assert.isTrue(isOver())
    for (const number of numbers.slice(65)) requests.reply(number, pong(1))

    const long = requests.add({ ...small, id: undefined, characters: 128 * 1024 })
    assert.isTrue(requests.isBusy())
    requests.reply(long, pong(1))
    assert.isFalse(requests.isBusy())
  })

  it.effect("have one large reply at a time", () =>
    Effect.gen(function* () {
      const { requests } = make()
      const large = requests.add({ id: "large", about: undefined, characters: 0, isLarge: true })
      assert.isTrue(requests.isLarge(large))
      const waiting = yield* Effect.forkChild(requests.largeGiven(), { startImmediately: true })
      requests.begin(large, pong(1))
      requests.release()
      assert.isTrue(waiting.pollUnsafe() === undefined)
      requests.finish(large)
      requests.release()
      yield* Fiber.join(waiting)
    })
  )
})
