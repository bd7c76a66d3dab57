/** Part of a log, written without regard to time: what `History.read` and `GetHistory` must give. */
export interface PageRange {
  readonly before: number | undefined
  readonly after: number | undefined
  readonly limit: number
}

/**
 * With `after`: the oldest entries behind that place. Otherwise the newest, or the newest before `before`. Of these, as
 * many as have `maxBytes` of content together, but one at least.
 */
export const pageOf = <Entry extends { readonly seq: number; readonly content: string }>(
  log: ReadonlyArray<Entry>,
  { after, before, limit }: PageRange,
  maxBytes = Infinity
): { readonly entries: ReadonlyArray<Entry>; readonly more: boolean } => {
  const wanted = log.filter(({ seq }) => seq > (after ?? 0) && seq < (before ?? Infinity))
  const inOrder = after === undefined ? wanted.toReversed() : wanted
  const entries: Array<Entry> = []
  let bytes = 0
  for (const entry of inOrder.slice(0, limit)) {
    bytes += new TextEncoder().encode(entry.content).length
    if (entries.length > 0 && bytes > maxBytes) break
    entries.push(entry)
  }
  return { entries: after === undefined ? entries.toReversed() : entries, more: entries.length < wanted.length }
}
