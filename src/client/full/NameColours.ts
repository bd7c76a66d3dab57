/**
 * Which of a theme's colours a person has: always the same one, in every conversation and on every server, from the first time they are
 * seen to speak until the client ends.
 *
 * A hash of the name says where to look first, so mostly one has the same colour the next time too. But a hash alone gives two of five
 * people one colour more often than not with sixteen. So who comes later takes the next one that nobody has, of a family that
 * nobody has if there is one: as many as there are colours are all different. Of more people than that, nobody has the colour of those
 * who came just before them; two who share one are then told apart by their names, which always stand beside what they say.
 * Who is only listed and never spoke has none: the colours are for those who speak.
 *
 * Bounds: `maxNames` people; whoever comes behind them has what the hash says.
 */
import { Hash } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { Colour, Theme } from "./Theme.ts"

export const maxNames = 10_000

export interface NameColours {
  /** Of somebody who speaks. */
  readonly of: (name: string) => Colour | undefined
  /** Of somebody who is listed: none while they have not spoken. */
  readonly known: (name: string) => Colour | undefined
}

export const make = ({ families, people }: Pick<Theme, "families" | "people">): NameColours => {
  const given = new Map<string, number>()
  /** When each colour was given last: the how manieth name it was. */
  const last = new Map<number, number>()
  const indexes = people.map((_, index) => index)
  const recent = Math.floor(people.length / 2)

  const choose = (key: string): number => {
    const start = Math.abs(Hash.string(key)) % people.length
    const inOrder = [...indexes.slice(start), ...indexes.slice(0, start)]
    const taken = new Set([...last.keys()].map((index) => families[index]))
    return (
      inOrder.find((index) => !taken.has(families[index])) ??
      inOrder.find((index) => !last.has(index)) ??
      inOrder.find((index) => (last.get(index) ?? 0) < given.size - recent) ??
      start
    )
  }

  const known = (name: string): Colour | undefined => {
    const index = given.get(nameKey(name))
    return index === undefined ? undefined : people[index]
  }

  return {
    known,
    of: (name) => {
      if (people.length === 0) return undefined
      const key = nameKey(name)
      const before = given.get(key)
      if (before !== undefined) return people[before]
      const index = choose(key)
      if (given.size < maxNames) {
        last.set(index, given.size)
        given.set(key, index)
      }
      return people[index]
    }
  }
}
