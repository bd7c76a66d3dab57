/** Attacks by what is written: a key that SQLite gives back differently, and texts that take long to search. */
import { Effect } from "effect"
import { type Attack, sayAll } from "./Attack.ts"
import { atFullRate, type Field } from "./Field.ts"
import type { Foe } from "./Foe.ts"

/** JSON.stringify writes half a surrogate pair as an escape, which is what goes over the wire. */
const halfSurrogate = "\ud800"

const keys: Attack = {
  name: "keys",
  summary: "Half a surrogate pair as a message's key, each key sent twice, in a room of its own",
  run: (field) =>
    Effect.andThen(
      field.ordered,
      field.each((foe, index) => {
        const room = `keys-${index}`
        return Effect.andThen(
          field.enter([foe], room),
          atFullRate(foe, (number) => ({
            _tag: "RoomMessage",
            room,
            content: `${foe.name} ${number}`,
            key: `${halfSurrogate}${foe.name}-${number >> 1}`.padEnd(20, "k")
          }))
        )
      })
    )
}

const seeders = 4
const indexPatience = 600

/** Waits until the newest text is found: the index may lag behind the log. */
const awaitIndex = Effect.fnUntraced(function* (foe: Foe) {
  yield* foe.ask({ _tag: "GlobalMessage", content: "newestword" })
  for (let looks = 0; looks < indexPatience; looks++) {
    const found = yield* foe.ask({ _tag: "Search", query: "newestword", limit: 1 })
    if (found.includes('"content":"newestword"')) return
    yield* Effect.sleep(200)
  }
})

const seedTexts = (text: string) =>
  Effect.fnUntraced(function* (field: Field) {
    const writers = yield* field.gather("crowd", seeders)
    const share = Math.ceil(field.orders.count / seeders)
    yield* Effect.forEach(
      writers,
      (writer) => sayAll(writer, share, () => ({ _tag: "GlobalMessage", content: text })),
      { concurrency: "unbounded", discard: true }
    )
    for (const writer of writers.slice(0, 1)) yield* awaitIndex(writer)
  })

/** The pairs of the query stand in every text, but never in its order. */
const han = { text: `漢字${"漢".repeat(8180)}`, query: `${"漢".repeat(200)}字` }
const phrase = { text: `b ${"a ".repeat(4000)}`.trim(), query: `"${"a ".repeat(120)}b"` }

const searchFor =
  (query: string): Attack["run"] =>
  (field) =>
    Effect.andThen(
      field.ordered,
      field.each((foe) => atFullRate(foe, () => ({ _tag: "Search", query })))
    )

const searchProbes = ["ping", "message", "login", "search"] as const

const searchHan: Attack = {
  name: "search-han",
  summary: "A run of Han letters, searched for in so many long texts that nearly hold it",
  count: { usual: 2000, quick: 200 },
  probes: searchProbes,
  seed: seedTexts(han.text),
  run: searchFor(han.query)
}

const searchPhrase: Attack = {
  name: "search-phrase",
  summary: '"a a … b" in quotes, searched for in so many texts of "b a a a …"',
  count: { usual: 5000, quick: 500 },
  probes: searchProbes,
  seed: seedTexts(phrase.text),
  run: searchFor(phrase.query)
}

const sigtermSearch: Attack = {
  ...searchPhrase,
  name: "sigterm-search",
  summary: "The server is told to stop behind such searches",
  stopsBeside: true
}

export const textAttacks: ReadonlyArray<Attack> = [keys, searchHan, searchPhrase, sigtermSearch]
