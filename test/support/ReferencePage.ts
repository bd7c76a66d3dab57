/** Part of a log, written without regard to time: what `History.read` and `GetHistory` must give. */
export interface PageRange {
  readonly before: number | undefined
  readonly after: number | undefined
  readonly limit: number
}

/** With `after`: the oldest entries behind that place. Otherwise the newest, or the newest before `before`. */
export const pageOf = <Entry extends { readonly seq: number }>(
  log: ReadonlyArray<Entry>,
  { after, before, limit }: PageRange
): { readonly entries: ReadonlyArray<Entry>; readonly more: boolean } => {
  const wanted = log.filter(({ seq }) => seq > (after ?? 0) && seq < (before ?? Infinity))
  const entries = after === undefined ? wanted.slice(Math.max(0, wanted.length - limit)) : wanted.slice(0, limit)
  return { entries, more: entries.length < wanted.length }
}
