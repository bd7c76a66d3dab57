/** Attacks by how connections begin and end: reset, half-closed, silent, refused, or closed within their TLS handshake. */
import { resolve } from "node:path"
import { Array as Arr, Effect } from "effect"
import type { BenchError } from "../Crowd.ts"
import { type Attack, longEmoji, sayAll } from "./Attack.ts"
import { closed, type Field, opened } from "./Field.ts"
import type { Foe, FoeOptions } from "./Foe.ts"

const seedLobby = Effect.fnUntraced(function* (field: Field) {
  const writers = yield* field.gather("crowd", 1)
  for (const writer of writers) {
    yield* sayAll(writer, 100, () => ({ _tag: "GlobalMessage", content: longEmoji }))
  }
})

const page = { _tag: "GetHistory", limit: 100 }

/** One connection from its start to its end, and what it does in between. */
const withFoe = <A>(
  field: Field,
  options: Partial<FoeOptions>,
  use: (foe: Foe) => Effect.Effect<A, BenchError>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const foe = field.dial("hostile", options)
    return opened(foe).pipe(
      Effect.andThen(Effect.suspend(() => use(foe))),
      Effect.ignore,
      Effect.ensuring(
        Effect.sync(() => {
          if (!foe.isClosed) foe.leave()
          field.retire(foe)
        })
      )
    )
  })

/** How long the server has to fill the kernel's buffer with what nobody reads. */
const fillMillis = 150

const resetWhileWritten = (field: Field) =>
  withFoe(field, { pace: 0 }, (foe) =>
    Effect.sync(() => foe.send({ _tag: "Handshake", user: foe.name }, page, page, page)).pipe(
      Effect.andThen(Effect.sleep(fillMillis)),
      Effect.andThen(Effect.sync(() => foe.reset()))
    )
  )

/** Does it so many times, some at once, and tells how far it is. */
const counted = (field: Field, concurrency: number, once: (index: number) => Effect.Effect<void>) =>
  Effect.forEach(
    Arr.range(0, field.orders.count - 1),
    (index) =>
      Effect.andThen(
        once(index),
        Effect.sync(() => {
          field.done += 1 / field.orders.count
        })
      ),
    { concurrency, discard: true }
  )

const resets: Attack = {
  name: "resets",
  summary: "So many connections that are reset while they are written to",
  count: { usual: 2000, quick: 200 },
  isCounted: true,
  seed: seedLobby,
  run: (field) =>
    Effect.andThen(
      field.ordered,
      counted(field, field.orders.k, () => resetWhileWritten(field))
    )
}

const talk = (field: Field) => withFoe(field, {}, (foe) => talkOn(foe))

const talkOn = (foe: Foe) =>
  Effect.andThen(
    foe.line('"_tag":"Welcome"', () => foe.send({ _tag: "Handshake", user: foe.name })),
    foe.ask({ _tag: "GetHistory", limit: 5 })
  )

const lookMillis = 20

const kinds: ReadonlyArray<(field: Field) => Effect.Effect<void>> = [
  talk,
  resetWhileWritten,
  // Asks, says that it will write no more, and reads until the server closes.
  (field) =>
    withFoe(field, { allowHalfOpen: true }, (foe) =>
      Effect.sync(() => {
        foe.send({ _tag: "Handshake", user: foe.name }, page)
        foe.halfClose()
      }).pipe(Effect.andThen(closed(foe)), Effect.timeoutOption("2 seconds"))
    ),
  // Says nothing.
  (field) => withFoe(field, {}, () => Effect.sleep(lookMillis)),
  // Says what is no message, and is gone before it is told so.
  (field) =>
    withFoe(field, {}, (foe) =>
      Effect.andThen(
        Effect.sync(() => foe.write("{]\n")),
        Effect.sleep(lookMillis)
      )
    ),
  // Begins a line that is too long.
  (field) =>
    withFoe(field, {}, (foe) =>
      Effect.sync(() => foe.write(`"${"x".repeat(70_000)}`)).pipe(
        Effect.andThen(closed(foe)),
        Effect.timeoutOption("2 seconds")
      )
    ),
  // Joins a room, is told nothing, and is reset.
  (field) =>
    withFoe(field, {}, (foe) =>
      Effect.sync(() => {
        const room = `mixed-${field.name()}`
        foe.send({ _tag: "Handshake", user: foe.name }, { _tag: "CreateRoom", room }, { _tag: "JoinRoom", room })
      }).pipe(Effect.andThen(Effect.sleep(lookMillis)), Effect.andThen(Effect.sync(() => foe.reset())))
    ),
  // Asks for more than it reads, and closes.
  (field) =>
    withFoe(field, { pace: 0 }, (foe) =>
      Effect.andThen(
        Effect.sync(() => foe.send({ _tag: "Handshake", user: foe.name }, page, page)),
        Effect.sleep(fillMillis)
      )
    )
]

const mixedConcurrency = 40

const mixed: Attack = {
  name: "mixed",
  summary: "So many connections of mixed kinds: what of them is left after a time of quiet",
  count: { usual: 10_000, quick: 1000 },
  isCrowd: true,
  isCounted: true,
  seed: seedLobby,
  run: (field) =>
    Effect.andThen(
      field.ordered,
      counted(field, mixedConcurrency, (index) => kinds[index % kinds.length]?.(field) ?? Effect.void)
    )
}

const refusedPerSecond = 100

const turnedAway: Attack = {
  name: "turned-away",
  summary: `${refusedPerSecond} a second are refused and keep their sockets, where 60 of 101 places are free: honest ones must get in`,
  settings: () => ({ MAX_CONNECTIONS: "101" }),
  probes: ["ping", "message"],
  arrivals: { here: 40, coming: 60 },
  run: Effect.fnUntraced(function* (field) {
    const holder = yield* field.recruit("crowd")
    const refused = Effect.suspend(() => {
      // A name that is taken: the server says so and closes its half, and this side keeps the other.
      const foe = field.dial("hostile", { allowHalfOpen: true })
      return Effect.ignore(
        Effect.andThen(
          opened(foe),
          Effect.sync(() => foe.send({ _tag: "Handshake", user: holder.name }))
        )
      )
    })
    const every = (refusers: number) => (1000 * refusers) / refusedPerSecond
    yield* field.ordered
    yield* Effect.forEach(
      Arr.range(1, field.orders.k),
      () => Effect.forever(Effect.andThen(refused, Effect.sleep(every(field.orders.k)))),
      { concurrency: "unbounded", discard: true }
    )
  })
}

const tlsFile = (name: string) => resolve(import.meta.dirname, "../../support/tls", name)

const silentMillis = 50

const tlsHandshakes: Attack = {
  name: "tls-handshakes",
  summary: "Sockets that never finish their TLS handshake, and connections closed without a word after it",
  isTls: true,
  settings: () => ({ TLS_CERT: tlsFile("localhost.cert.pem"), TLS_KEY: tlsFile("localhost.key.pem") }),
  run: (field) => {
    const silent = Effect.andThen(
      Effect.sync(() => void field.dial("hostile", { allowHalfOpen: true })),
      Effect.sleep(silentMillis)
    )
    const wordless = withFoe(field, { isTls: true }, () => Effect.void)
    return Effect.andThen(
      field.ordered,
      Effect.forEach(
        Arr.range(1, field.orders.k),
        () =>
          Effect.all([Effect.forever(silent), Effect.forever(wordless)], { concurrency: "unbounded", discard: true }),
        { concurrency: "unbounded", discard: true }
      )
    )
  }
}

export const endingAttacks: ReadonlyArray<Attack> = [turnedAway, resets, mixed, tlsHandshakes]
