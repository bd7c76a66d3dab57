/** How many of these sizes fit into so many bytes, one after the other; the first does in any case. */
export const fitting = (sizes: Iterable<number>, maxBytes: number): number => {
  let count = 0
  let bytes = 0
  for (const size of sizes) {
    bytes += size
    if (bytes > maxBytes && count > 0) break
    count++
  }
  return count
}
