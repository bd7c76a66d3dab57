/** Bytes that belong to one owner: the library keeps views of what it is given and gives views of what it keeps. */
import type { Decoder } from "ts-mls/codec/tlsDecoder.js"

/** Nobody else's: whoever gave it may change or zero theirs. */
export const copyOf = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)

/** For what is public: it takes longer the more is equal. */
export const areEqual = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index])

/** What all of these bytes decode to, owing nothing to them; undefined if they decode to nothing, or to more or less. */
export const decodeAll = <A>(decoder: Decoder<A>, bytes: Uint8Array): A | undefined => {
  try {
    const decoded = decoder(copyOf(bytes), 0)
    return decoded !== undefined && decoded[1] === bytes.length ? decoded[0] : undefined
  } catch {
    return undefined
  }
}

export const joinBytes = (...parts: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
