/** How many bytes of memory plain data takes, roughly and rather too many: what buffers of it count. */

/** A string's header, or a number that has left its field. */
const bytesPerValue = 32
const bytesPerObject = 64

/** Of strings, arrays and objects of them. A character counts as two bytes, though Latin ones may take one. */
export const footprint = (value: unknown): number => {
  if (typeof value === "string") return bytesPerValue + 2 * value.length
  if (typeof value !== "object" || value === null) return bytesPerValue
  let bytes = bytesPerObject
  for (const part of Object.values(value)) bytes += footprint(part)
  return bytes
}
