/** How many of these fit into so many bytes, one after the other; the first does in any case. */
export const fitting = (sizes: ReadonlyArray<number>, maxBytes: number): number => {
  let bytes = 0
  for (const [index, size] of sizes.entries()) {
    bytes += size
    if (bytes > maxBytes && index > 0) return index
  }
  return sizes.length
}

/** The size of a text in UTF-8. */
export const bytesOf = ({ content }: { readonly content: string }): number => Buffer.byteLength(content)
