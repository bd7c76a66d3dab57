import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import type { Entry } from "../../../src/common/log/Entry.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import * as Told from "../../../src/server/rooms/Told.ts"
import { tries, wholeNumber } from "../../support/generators.ts"

const entryAt = (seq: number): Entry => ({
  seq,
  at: 1000 + seq,
  from: UserName.make("ada"),
  body: { _tag: "Said", content: `entry ${seq}` }
})

const log = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => entryAt(from + 1 + index))

/** Where a log stood after each commit, and whether this half heard of it, how late, and with which answers. */
const someCommits = Arbitrary.array(
  Arbitrary.all({
    count: wholeNumber(0, 4),
    isHeard: Arbitrary.map(wholeNumber(0, 3), (chance) => chance > 0),
    isDoubled: Arbitrary.map(wholeNumber(0, 3), (chance) => chance === 0),
    repeats: Arbitrary.array(wholeNumber(1, 40), { maxLength: 3 })
  })
)

describe("What members have been told", () => {
  it.prop(
    "is the log, every entry once and in order, whatever was missed, came twice or was answered without an entry",
    [someCommits],
    ([commits]) => {
      const heard: Array<number> = []
      let told = 0
      let stands = 0
      const hear = (entries: ReadonlyArray<Entry>, answered: ReadonlyArray<number>) => {
        const news = Told.news(told, entries, answered)
        const missed = news.gap === undefined ? [] : log(news.gap.after, news.gap.before - 1)
        heard.push(...[...missed, ...news.entries].map(({ seq }) => seq))
        told = news.seq
        for (const seq of answered) assert.include(heard, seq, "nobody is answered before the entry was told")
      }
      for (const { count, isDoubled, isHeard, repeats } of commits) {
        const entries = log(stands, stands + count)
        stands += count
        const answered = repeats.filter((seq) => seq <= stands)
        if (!isHeard) continue
        hear(entries, answered)
        if (isDoubled) hear(entries, [])
      }
      hear([], stands === 0 ? [] : [stands])
      assert.deepStrictEqual(
        heard,
        log(0, stands).map(({ seq }) => seq)
      )
    },
    tries(500, 30)
  )
})
