/**
 * All chance of a simulation, from one seed: the same seed asks the same questions and gets the same answers.
 *
 * The simulation's own choices come from `Chance`. What the program under test draws comes from Effect's `Random`
 * (epochs, jitter) and from the Web Crypto API (keys), both of which are given the same seed.
 */
import { type Array, Effect, Random } from "effect"
import { WebCrypto } from "effect/crypto"

export class Chance {
  #state: number

  constructor(seed: number) {
    // Neighbouring seeds are to have nothing in common.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b)
  }

  /** From 0 to 1, 1 excluded (mulberry32). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  /** True so often. */
  is(probability: number): boolean {
    return this.next() < probability
  }

  pick<A>(from: Array.NonEmptyReadonlyArray<A>): A {
    return from[Math.floor(this.next() * from.length)] ?? from[0]
  }
}

/** Seeds what the program under test draws. */
export const seeded = (seed: number) => {
  const bytes = new Chance(seed)
  const crypto: Crypto = {
    ...globalThis.crypto,
    subtle: globalThis.crypto.subtle,
    randomUUID: () => globalThis.crypto.randomUUID(),
    getRandomValues: (array) => {
      const view = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
      for (let index = 0; index < view.length; index++) view[index] = bytes.between(0, 255)
      return array
    }
  }
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    effect.pipe(Effect.provideService(WebCrypto.WebCrypto, crypto), Random.withSeed(seed))
}
