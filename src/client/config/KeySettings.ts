/** What `keys` in the config file says: deeds of the table, each with a key or a list of keys. Pure. */
import { Result, Schema } from "effect"
import { nearest } from "../command/Suggestion.ts"
import * as KeyName from "../full/KeyName.ts"
import { bindings, type Deed, remapped } from "../full/Keys.ts"

const maxKeys = 16

const deeds: ReadonlyArray<Deed> = bindings.map(({ deed }) => deed)

const isDeed = (name: string): name is Deed => deeds.some((deed) => deed === name)

interface Read {
  readonly changes: ReadonlyMap<Deed, ReadonlyArray<string>>
  readonly issues: ReadonlyArray<{ readonly path: ReadonlyArray<PropertyKey>; readonly issue: string }>
}

const isText = Schema.is(Schema.String)
const isList = Schema.is(Schema.Array(Schema.String).check(Schema.isMaxLength(maxKeys)))
const isRecord = Schema.is(Schema.Record(Schema.String, Schema.Unknown))

const example = 'a key, such as "ctrl+k", or a list of keys, such as ["ctrl+k", "f5"]'

/** All that is said, and all that is wrong with it. */
export const read = (given: unknown): Read => {
  if (!isRecord(given))
    return { changes: new Map(), issues: [{ path: [], issue: 'must be an object: {"jump": "ctrl+g"}' }] }
  const changes = new Map<Deed, ReadonlyArray<string>>()
  const issues: Array<Read["issues"][number]> = []
  const owners = new Map<string, string>()
  for (const [deed, value] of Object.entries(given)) {
    if (!isDeed(deed)) {
      const meant = nearest(deed, deeds, String)
      const rather = meant === undefined ? `These there are: ${deeds.join(", ")}` : `Write "${meant}"`
      issues.push({ path: [deed], issue: `is nothing that a key can do. ${rather}` })
      continue
    }
    const isOne = isText(value)
    const all = isOne ? [value] : isList(value) ? value : undefined
    if (all === undefined) {
      issues.push({ path: [deed], issue: `must be ${example}` })
      continue
    }
    const keys: Array<string> = []
    for (const [index, written] of all.entries()) {
      const path = isOne ? [deed] : [deed, index]
      const key = KeyName.read(written)
      if (Result.isFailure(key)) {
        issues.push({ path, issue: `is wrong: ${key.failure}` })
        continue
      }
      const owner = owners.get(key.success)
      if (owner !== undefined)
        issues.push({ path, issue: `gives ${key.success} away, which "${owner}" has been given` })
      owners.set(key.success, deed)
      keys.push(key.success)
    }
    changes.set(deed, keys)
  }
  const isMute = remapped(changes).bindings.some(({ deed, keys }) => deed === "send" && keys.length === 0)
  if (isMute && issues.length === 0) issues.push({ path: [], issue: 'leave "send" no key: give it one' })
  return { changes, issues }
}
