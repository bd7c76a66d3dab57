/**
 * Replies with a page of a list that many ask for, kept in the form in which they are sent until the list changes.
 *
 * Bounds: `maxKept` pages of a list, each of 1000 names at most, so 290 KB.
 */
import type { Asker } from "../session/Asker.ts"

const maxKept = 8

export interface ListReplies {
  /** The list has changed. */
  readonly forget: () => void
  /** One reply, in pieces. */
  readonly piecesFor: (from: Asker, after: string | undefined) => ReadonlyArray<Uint8Array>
}

/** `page` gives the fields of the reply but `_tag` and `id`: the page behind a name. */
export const makeListReplies = (
  tag: "RoomList" | "UserList",
  page: (after: string | undefined) => object
): ListReplies => {
  const kept = new Map<string, Uint8Array>()

  const encoded = (after: string | undefined): Uint8Array => {
    const name = after ?? ""
    const known = kept.get(name)
    if (known !== undefined) return known
    const made = Buffer.from(`${JSON.stringify(page(after)).slice(1)}\n`)
    if (kept.size < maxKept) kept.set(name, made)
    return made
  }

  return {
    forget: () => kept.clear(),
    piecesFor: ({ id }, after) => [
      Buffer.from(`${JSON.stringify(id === undefined ? { _tag: tag } : { _tag: tag, id }).slice(0, -1)},`),
      encoded(after)
    ]
  }
}
