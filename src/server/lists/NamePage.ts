/**
 * A part of a sorted list of names, as a reply gives it: pure.
 *
 * At most `maxNames` names, the first behind `after`, in the order of their keys; `more` if there are others behind them,
 * `count` for how many there are in all.
 */
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import { maxNames } from "../../common/wire/ServerMessage.ts"

/** As in a reply: `more` is there only if it is true. */
export interface Numbered {
  readonly count: number
  readonly more?: true
}

/** The place of the first item whose key does not come before `key`, in a list sorted by key. */
export const placeOf = <Item>(items: ReadonlyArray<Item>, keyOf: (item: Item) => NameKey, key: NameKey): number => {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const found = items[middle]
    if (found !== undefined && keyOf(found) < key) low = middle + 1
    else high = middle
  }
  return low
}

/** The items behind the name `after`, or the first, and what the reply says of the others. */
export const pageOf = <Item>(
  items: ReadonlyArray<Item>,
  keyOf: (item: Item) => NameKey,
  after: string | undefined
): readonly [ReadonlyArray<Item>, Numbered] => {
  const start = after === undefined ? 0 : placeBehind(items, keyOf, nameKey(after))
  const page = start === 0 && items.length <= maxNames ? items : items.slice(start, start + maxNames)
  return [page, start + page.length < items.length ? { more: true, count: items.length } : { count: items.length }]
}

const placeBehind = <Item>(items: ReadonlyArray<Item>, keyOf: (item: Item) => NameKey, key: NameKey): number => {
  const place = placeOf(items, keyOf, key)
  const found = items[place]
  return found !== undefined && keyOf(found) === key ? place + 1 : place
}
