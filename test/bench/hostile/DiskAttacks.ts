/** Attacks by what the disk has to do: slow fsyncs, old rows that are deleted, and being told to stop under load. */
import { Array as Arr, Effect } from "effect"
import { isInstalled } from "../Machine.ts"
import { type Attack, longEmoji, sayAll } from "./Attack.ts"
import { atFullRate, type Field } from "./Field.ts"

const fsyncSeconds = 8

/** What is stored before: something to search for, and the room that the honest ones enter and leave. */
const seedIdle = Effect.fnUntraced(function* (field: Field) {
  for (const writer of yield* field.gather("crowd", 1)) {
    yield* field.enter([writer], idleRoom)
    yield* sayAll(writer, 10, () => ({ _tag: "RoomMessage", room: idleRoom, content: "quiet here" }))
    yield* sayAll(writer, 10, () => ({ _tag: "GlobalMessage", content: "hello everybody" }))
  }
})

export const idleRoom = "idle"

const slowDisk: Attack = {
  name: "slow-disk",
  summary: `Every fsync takes ${fsyncSeconds} s (strace), and somebody writes: who waits for no message must not notice`,
  probes: ["ping", "login", "list", "private", "idle", "search"],
  seed: seedIdle,
  through: [
    "strace",
    "-f",
    "--seccomp-bpf",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    "trace=fsync,fdatasync",
    "-e",
    `inject=fsync,fdatasync:delay_enter=${fsyncSeconds * 1_000_000}`
  ],
  startMillis: 120_000,
  obstacle: () => (isInstalled("strace") ? undefined : "strace is not installed"),
  stopsBeside: true,
  run: (field) =>
    Effect.andThen(
      field.ordered,
      field.each((foe) =>
        Effect.forever(
          Effect.andThen(
            Effect.sync(() => foe.send({ _tag: "GlobalMessage", content: `${foe.name} says` })),
            Effect.sleep(100)
          )
        )
      )
    )
}

const writers = 10

const retention: Attack = {
  name: "retention",
  summary: "So many old messages expire and are deleted, while others chat",
  count: { usual: 200_000, quick: 20_000 },
  isCrowd: true,
  seed: Effect.fnUntraced(function* (field) {
    const foes = yield* field.gather("crowd", writers)
    const share = Math.ceil(field.orders.count / writers)
    yield* Effect.forEach(
      foes,
      Effect.fnUntraced(function* (foe, index) {
        const room = `old-${index}`
        yield* field.enter([foe], room)
        yield* sayAll(foe, share, (number) => ({ _tag: "RoomMessage", room, content: `an old message, ${number}` }))
      }),
      { concurrency: "unbounded", discard: true }
    )
  }),
  // The first of them expires when the attack begins.
  settings: ({ ageSeconds, quietSeconds }) => ({ RETENTION: `${Math.ceil(ageSeconds + quietSeconds)} seconds` }),
  run: (field) => Effect.andThen(field.ordered, Effect.never)
}

const load = Arr.make(
  { _tag: "GlobalMessage", content: longEmoji },
  { _tag: "GetHistory", limit: 500 },
  { _tag: "ListRooms" },
  { _tag: "Search", query: "hello" }
)

const sigtermLoad: Attack = {
  name: "sigterm-load",
  summary: "The server is told to stop while long messages, pages, lists and searches go at the full rate",
  stopsBeside: true,
  seed: seedIdle,
  run: (field) =>
    Effect.andThen(
      field.ordered,
      field.each((foe) => atFullRate(foe, (index) => load[index % load.length] ?? { _tag: "ListUsers" }))
    )
}

/** Nobody attacks: what the figures are then, and how far they move by themselves. */
const nothing: Attack = {
  name: "nothing",
  summary: "K connections that do nothing, to see how far the figures move by themselves",
  run: (field) =>
    Effect.andThen(
      field.ordered,
      field.each(() => Effect.never)
    )
}

export const diskAttacks: ReadonlyArray<Attack> = [nothing, slowDisk, retention, sigtermLoad]
