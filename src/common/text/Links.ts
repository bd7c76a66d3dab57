/**
 * The addresses in a text, and where each of them goes: pure, the same for whoever draws, opens or copies one.
 *
 * 1. Only `http`, `https` and `mailto` are links; whatever else looks like one is text.
 * 2. What is opened is what stands there: the address itself, where it is of printable ASCII, or else the same as browsers write it
 *    (percent-encoded, its host in Punycode); of a letter to be written, only to whom and about what. A host of letters beyond ASCII, or
 *    behind a name of a user, may look like another one's: `host` says it plainly.
 * 3. A target holds nothing but printable ASCII without a space: no control character, no escape sequence, nothing that turns the
 *    order of the writing. It begins with its scheme, so no program takes it for an option.
 *
 * Bounds: `maxLink` UTF-16 units; what is longer is text.
 */

/** As long as browsers take them everywhere. */
const maxLink = 2048

export interface Link {
  /** Where it stands in the text, which holds `shown` from there on. */
  readonly index: number
  readonly shown: string
  readonly target: string
  /** How the host is really called, where it is written in other letters. */
  readonly host?: string
}

/** Behind `](` stands another address: both are shown, and neither swallows the other. What is joined to one sign stays one. */
const address = /(?<![\p{L}\p{N}])(?:https?:\/\/(?!\/)|mailto:)(?:(?!\]\()(?:[^\s<>"\\`\p{C}]|[\u200c\u200d]))+/giu

const plain = /^[\x21-\x7e]+$/
const closing: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" }

/** Without what belongs to the sentence around it: its stops, and brackets that were opened before it. */
const withoutEnd = (found: string): string => {
  let end = found.length
  for (; end > 0; end--) {
    const last = found.slice(end - 1, end)
    const opening = closing[last]
    const rest = found.slice(0, end)
    const isOwn = opening !== undefined && count(rest, opening) >= count(rest, last)
    if (isOwn || !/[.,;:!?'*_~)\]}…]/.test(last)) break
  }
  return found.slice(0, end)
}

const count = (text: string, character: string): number => text.split(character).length - 1

const targetOf = (shown: string): Pick<Link, "host" | "target"> | undefined => {
  const url = URL.parse(shown)
  if (url === null) return undefined
  const isMail = url.protocol === "mailto:"
  if (isMail ? !/^[^@?]+@[^@?]/.test(url.pathname) : url.hostname === "") return undefined
  const target = isMail ? mailTo(url) : plain.test(shown) ? shown : url.href
  if (!plain.test(target) || target.length > maxLink) return undefined
  const [, written = ""] = isMail ? [] : (/^[^/]*\/\/([^/?#]*)/.exec(shown) ?? [])
  const isClear = plain.test(written) && !written.includes("@")
  return written === "" || isClear ? { target } : { target, host: url.hostname }
}

/** To whom, and about what; there are mail programs that would attach a file if they were told to. */
const mailTo = ({ pathname, searchParams }: URL): string => {
  const subject = searchParams.get("subject")
  return `mailto:${pathname}${subject === null ? "" : `?subject=${encodeURIComponent(subject)}`}`
}

/** In their order. */
export const linksIn = (text: string): ReadonlyArray<Link> => {
  if (!text.includes(":")) return []
  return Array.from(text.matchAll(address)).flatMap(({ 0: found, index }) => {
    if (found.length > maxLink * 2) return []
    const shown = withoutEnd(found)
    const goes = targetOf(shown)
    return goes === undefined ? [] : [{ index, shown, ...goes }]
  })
}
