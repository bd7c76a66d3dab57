/**
 * Replies with a page of a list that many ask for, kept in the form in which they are sent until the list changes.
 *
 * Bounds: `maxKept` pages of a list, each of 1000 names at most, so 290 KB.
 */

const maxKept = 8

export interface ListReplies {
  /** The list has changed. */
  readonly forget: () => void
  /** The page behind a name, encoded but for the beginning of the reply (see Requests). */
  readonly fieldsOf: (after: string | undefined) => Uint8Array
}

/** `page` gives the fields of the reply but `_tag` and `id`: the page behind a name. */
export const makeListReplies = (page: (after: string | undefined) => object): ListReplies => {
  const kept = new Map<string, Uint8Array>()
  return {
    forget: () => kept.clear(),
    fieldsOf: (after) => {
      const name = after ?? ""
      const known = kept.get(name)
      if (known !== undefined) return known
      const made = Buffer.from(`${JSON.stringify(page(after)).slice(1)}\n`)
      if (kept.size < maxKept) kept.set(name, made)
      return made
    }
  }
}
