/**
 * Where a device keeps its tokens: written some time after they were given, at times not at all, and not if the device is gone
 * by then. So whoever comes back has the newest, or the one before.
 */
import { Effect } from "effect"
import { CannotKeep, type Token, type TokenStore, withToken } from "../../src/client/core/Login.ts"
import type { Chance } from "./Chance.ts"

export class Pocket implements TokenStore {
  readonly #chance: Chance
  #tokens: ReadonlyArray<Token>
  /** How often its device was gone without a word. */
  #losses = 0

  constructor(chance: Chance, first: Token) {
    this.#chance = chance
    this.#tokens = [first]
  }

  /** What is being written is not. */
  readonly lose = (): void => {
    this.#losses++
  }

  readonly read = Effect.sync(() => this.#tokens)

  readonly keep: TokenStore["keep"] = (token, used) =>
    Effect.suspend(() => {
      const losses = this.#losses
      if (this.#chance.is(0.1)) return Effect.fail(new CannotKeep({ issue: "the simulated device is full" }))
      const write = Effect.sync(() => {
        if (losses === this.#losses) this.#tokens = withToken(this.#tokens, token, used)
      })
      return Effect.delay(write, this.#chance.between(0, 30))
    })

  readonly forget = Effect.sync(() => {
    this.#tokens = []
  })
}
