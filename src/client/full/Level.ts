/**
 * Of what somebody wants to be called, conversation by conversation: of mentions and private messages, as it is where nothing else was
 * said; of every message; of nothing, which is a muted one. Pure.
 *
 * What was chosen here goes before what the config file says, and only where both differ is it remembered: a conversation that is
 * added to the file later is as the file says.
 */
import { Schema } from "effect"

export const Level = Schema.Literals(["all", "mentions", "none"])
export type Level = typeof Level.Type

/** By the keys of conversations; of one that is not among them one hears mentions. */
export type Levels = ReadonlyMap<string, Level>

export const none: Levels = new Map()

export const levelOf = (levels: Levels, key: string): Level => levels.get(key) ?? "mentions"

export const isMuted = (levels: Levels, key: string): boolean => levels.get(key) === "none"

export const withLevel = (levels: Levels, key: string, level: Level): Levels => new Map(levels).set(key, level)

const order: ReadonlyArray<Level> = ["mentions", "all", "none"]

/** The next one, round and round. */
export const after = (level: Level): Level => order[(order.indexOf(level) + 1) % order.length] ?? "mentions"

/** What of it is otherwise than in the config file. */
export const chosenIn = (levels: Levels, configured: Levels): Readonly<Record<string, Level>> =>
  Object.fromEntries(
    [...new Set([...levels.keys(), ...configured.keys()])]
      .map((key): readonly [string, Level] => [key, levelOf(levels, key)])
      .filter(([key, level]) => level !== levelOf(configured, key))
  )

export const says: Readonly<Record<Level, string>> = {
  all: "calls you for every message",
  mentions: "calls you when you are mentioned",
  none: "is muted"
}
