/** What the deeds of a chaos act on. */
import type { Effect, Scope } from "effect"
import type { SealedNews } from "../../../src/client/sealed/News.ts"
import type { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import type { Chance } from "../../simulation/Chance.ts"
import type { Door } from "../../support/Wire.ts"
import type { ChaosServer } from "./ChaosServer.ts"
import type { Device, Home } from "./Devices.ts"

/** A device, switched on or not. */
export interface Seat {
  readonly home: Home
  readonly door: Door
  device: Device | undefined
  scope: Scope.Closeable | undefined
  /** As the server and its account know it. */
  id: DeviceId | undefined
  /** What it was told, in all its lives. */
  readonly heard: Array<SealedNews>
  isEntering: boolean
  /** It has asked for fresh keys. */
  hasRekeyed: boolean
}

export interface World {
  readonly chance: Chance
  readonly server: ChaosServer
  /** Two of each account, those of the room's owner first. */
  readonly seats: Array<Seat>
  /** Those that were signed out. */
  readonly retired: Array<Seat>
  readonly newSeat: (user: string, device: string) => Effect.Effect<Seat>
  readonly start: (seat: Seat) => Effect.Effect<void>
  readonly kill: (seat: Seat) => Effect.Effect<void>
  readonly speak: (seat: Seat) => Effect.Effect<void>
  readonly comeIn: (seat: Seat) => Effect.Effect<void>
  /** Awaited before the end; whether it succeeds is its own affair. */
  readonly inBackground: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<void>
}
