/**
 * What an attack is: what it does, what the server is filled with before, and what is asked of the server beside it.
 *
 * `seed` and `run` run in the attackers' process. `run` brings people into position, waits for its orders, and attacks
 * until it is interrupted or what is counted is done.
 */
import { Effect } from "effect"
import type { BenchError } from "../Crowd.ts"
import type { Field } from "./Field.ts"
import type { Foe } from "./Foe.ts"

/** What the honest pairs do meanwhile. */
export const probeNames = ["ping", "message", "login", "list", "private", "idle", "search"] as const
export type ProbeName = (typeof probeNames)[number]

interface Seeded {
  readonly count: number
  /** Since the first of what was seeded. */
  readonly ageSeconds: number
  /** Until the attack is to begin, about. */
  readonly quietSeconds: number
}

export interface Attack {
  readonly name: string
  readonly summary: string
  /** The size of what it needs, and of that in the quick set. */
  readonly count?: { readonly usual: number; readonly quick: number }
  /** Settings of the server that are not its defaults. */
  readonly settings?: (seeded: Seeded) => Readonly<Record<string, string>>
  readonly seed?: (field: Field) => Effect.Effect<void, BenchError>
  readonly run: (field: Field) => Effect.Effect<void, BenchError>
  /** What is hostile is the crowd, of a size of its own: it is measured once, by the bounds of the larger K. */
  readonly isCrowd?: boolean
  /** It ends when its count is done, after any time. */
  readonly isCounted?: boolean
  /** How long it may take until all of it is done, where that is asked for. */
  readonly patienceSeconds?: number
  /** The room where one honest pair talks; otherwise in the lobby. */
  readonly room?: string
  readonly probes?: ReadonlyArray<ProbeName>
  /** So many honest people want to come in meanwhile, and must get in. */
  readonly arrivals?: { readonly here: number; readonly coming: number }
  /** The server is told to stop while it goes on. */
  readonly stopsBeside?: boolean
  /** Its connections are honest themselves, and none may be cut. */
  readonly isHonest?: boolean
  /** The honest ones speak TLS, and so may the attackers. */
  readonly isTls?: boolean
  /** Put before the server's command. */
  readonly through?: ReadonlyArray<string>
  readonly startMillis?: number
  readonly obstacle?: () => string | undefined
}

/** What one chunk of seeding holds at most: its last message's answer is waited for. */
const chunkCharacters = 64 * 1024
const chunkMessages = 64

/** Says so many things one after another, a chunk at a time, so that nobody who hears them all falls behind. */
export const sayAll = Effect.fnUntraced(function* (foe: Foe, count: number, make: (index: number) => object) {
  const chunk = Math.max(1, Math.min(chunkMessages, Math.floor(chunkCharacters / JSON.stringify(make(0)).length)))
  for (let said = 0; said < count;) {
    const until = Math.min(count, said + chunk)
    for (; said < until - 1; said++) foe.send(make(said))
    yield* foe.ask(make(said++))
  }
})

/** Where the honest pair talks if thousands are in the lobby: what it says is not to be the load. */
export const asideRoom = "aside"

/** Emoji of four bytes and two UTF-16 units: the most bytes that a message's characters can have. */
export const longEmoji = "😀".repeat(8191)
