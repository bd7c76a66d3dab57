/**
 * JSON (RFC 8259) with the place of each value in its text, so that what is wrong with one can be told with its line. Pure.
 *
 * A name that stands twice in one object is an error here: one of the two would be lost, and nobody would know which.
 *
 * Bounds: values within values to a depth of `maxDepth`.
 */
import { Result } from "effect"

/** Both begin with 1; columns are UTF-16 units. */
export interface Place {
  readonly line: number
  readonly column: number
}

export type Path = ReadonlyArray<PropertyKey>

export interface Read {
  readonly value: unknown
  /** Where the name of this field stands, or this item of a list; of what is not there, where it would have to be. */
  readonly placeOf: (path: Path) => Place
}

export interface Broken extends Place {
  readonly message: string
}

const maxDepth = 32

// eslint-disable-next-line no-control-regex -- a string holds none (RFC 8259, 7)
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const word = /true|false|null/y
const blank = /[ \t\r\n]*/y

const keyOf = (path: Path): string => JSON.stringify(path.map(String))

const placeAt = (text: string, offset: number): Place => {
  const before = text.slice(0, offset)
  return { line: before.split("\n").length, column: offset - (before.lastIndexOf("\n") + 1) + 1 }
}

class Stop {
  readonly offset: number
  readonly message: string
  constructor(offset: number, message: string) {
    this.offset = offset
    this.message = message
  }
}

export const read = (source: string): Result.Result<Read, Broken> => {
  // Some editors write a mark of the byte order.
  const text = source.replace(/^\ufeff/, " ")
  const offsets = new Map<string, number>()
  let at = 0

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const [found] = pattern.exec(text) ?? []
    if (found !== undefined) at += found.length
    return found
  }
  const skip = () => void take(blank)
  const here = (): string => {
    if (at >= text.length) return "the file ends here"
    if (text.startsWith("//", at) || text.startsWith("/*", at) || text[at] === "#") return "a comment is no JSON"
    if (text[at] === "'") return "texts stand in double quotes"
    return `${JSON.stringify(text.slice(at, at + 1))} stands here`
  }

  const list = (path: Path): unknown => {
    const items: Array<unknown> = []
    skip()
    if (take(/\]/y) !== undefined) return items
    for (;;) {
      skip()
      offsets.set(keyOf([...path, items.length]), at)
      items.push(value([...path, items.length]))
      skip()
      if (take(/\]/y) !== undefined) return items
      if (take(/,/y) === undefined) throw new Stop(at, `a comma or ] has to follow, but ${here()}`)
    }
  }

  const object = (path: Path): unknown => {
    const fields = new Map<string, unknown>()
    skip()
    if (take(/\}/y) !== undefined) return {}
    for (;;) {
      skip()
      const start = at
      const name = take(string)
      if (name === undefined) {
        const isSurplus = fields.size > 0 && text[at] === "}"
        throw new Stop(
          at,
          isSurplus ? "the comma before this } is one too many" : `a name has to follow, but ${here()}`
        )
      }
      const key: unknown = JSON.parse(name)
      const own = String(key)
      if (fields.has(own)) throw new Stop(start, `${name} stands here a second time`)
      offsets.set(keyOf([...path, own]), start)
      skip()
      if (take(/:/y) === undefined) throw new Stop(at, `a colon has to follow the name ${name}, but ${here()}`)
      fields.set(own, value([...path, own]))
      skip()
      if (take(/\}/y) !== undefined) return Object.fromEntries(fields)
      if (take(/,/y) === undefined) throw new Stop(at, `a comma or } has to follow, but ${here()}`)
    }
  }

  const value = (path: Path): unknown => {
    skip()
    if (path.length > maxDepth) throw new Stop(at, "this is nested too deeply")
    if (take(/\{/y) !== undefined) return object(path)
    if (take(/\[/y) !== undefined) return list(path)
    const token = take(string) ?? take(number) ?? take(word)
    if (token === undefined) throw new Stop(at, `a value has to follow, but ${here()}`)
    return JSON.parse(token)
  }

  try {
    const whole = value([])
    skip()
    if (at < text.length) throw new Stop(at, `nothing may follow, but ${here()}`)
    const offsetOf = (path: Path): number =>
      offsets.get(keyOf(path)) ?? (path.length === 0 ? text.search(/\S|$/) : offsetOf(path.slice(0, -1)))
    return Result.succeed({ value: whole, placeOf: (path) => placeAt(text, offsetOf(path)) })
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop
    return Result.fail({ ...placeAt(text, stop.offset), message: stop.message })
  }
}
