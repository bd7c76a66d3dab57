/**
 * What counts as a word, and when a text holds what is searched for: pure, and without imports, since the thread that
 * keeps the index runs it too.
 *
 * A word is a run of letters, digits and combining marks, compared without regard to case, to compatibility forms (NFKC)
 * and to the accents of Latin and Greek letters. Scripts that write no spaces between words (and Hangul, whose words
 * carry their particles) are cut into overlapping pairs of characters instead, so that any part of such a run is found: 東京都 becomes
 * 東京, 京都, 都. Each character begins one term, and can be searched for by itself.
 */

/** Terms that stand next to each other in this order; or one character of a script without spaces, wherever it stands. */
export type Phrase =
  | { readonly _tag: "Terms"; readonly terms: ReadonlyArray<string> }
  | { readonly _tag: "Character"; readonly character: string }

/**
 * What takes part in a search: further words of a query are ignored. 256 characters hold 128 words with spaces between
 * them, but more pairs of characters, and some characters stand for several words.
 */
const maxPhrases = 16
const maxTerms = 128

const spaceless =
  "\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{scx=Hangul}\\p{scx=Bopomofo}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmer}\\p{scx=Myanmar}"
const wordCharacter = "[\\p{L}\\p{M}\\p{N}]"
const runs = new RegExp(`(?:(?=[${spaceless}])${wordCharacter})+|(?:(?![${spaceless}])${wordCharacter})+`, "gu")
const isSpaceless = new RegExp(`^[${spaceless}]`, "u")

/** The terms of a text, in its order. */
export const termsOf = (text: string): ReadonlyArray<string> => (fold(text).match(runs) ?? []).flatMap(termsOfRun)

/** The characters of a text that can be searched for by themselves, each once. */
export const charactersOf = (text: string): ReadonlyArray<string> => [
  ...new Set((fold(text).match(runs) ?? []).filter((run) => isSpaceless.test(run)).flatMap((run) => Array.from(run)))
]

/** What a query asks for, all of which must occur: each piece between spaces, and each part in double quotes. */
export const phrasesOf = (query: string): ReadonlyArray<Phrase> =>
  Array.from(query.matchAll(/"([^"]*)"?|[^\s"]+/gu), ([piece, quoted]) => quoted ?? piece)
    .flatMap(phrasesOfPiece)
    .slice(0, maxPhrases)
    .reduce<ReadonlyArray<Phrase>>(withinBounds, [])

/** Whether a text with these terms holds every phrase. */
export const holds = (terms: ReadonlyArray<string>, phrases: ReadonlyArray<Phrase>): boolean =>
  phrases.every((phrase) =>
    phrase._tag === "Character"
      ? terms.some((term) => term.startsWith(phrase.character))
      : standsIn(terms, phrase.terms)
  )

/**
 * The way of Knuth, Morris and Pratt (SIAM J. Comput. 6, 1977): looks at each term of the text once or twice, also where all
 * of it nearly is what is searched for.
 */
const standsIn = (terms: ReadonlyArray<string>, wanted: ReadonlyArray<string>): boolean => {
  const fallbacks = fallbacksOf(wanted)
  let matched = 0
  for (const term of terms) {
    while (matched > 0 && wanted[matched] !== term) matched = fallbacks[matched - 1] ?? 0
    if (wanted[matched] === term) matched++
    if (matched === wanted.length) return true
  }
  return wanted.length === 0 && terms.length > 0
}

/** For each beginning of these: how long the longest shorter beginning is that it ends with. */
const fallbacksOf = (wanted: ReadonlyArray<string>): ReadonlyArray<number> => {
  const fallbacks: Array<number> = [0]
  let matched = 0
  for (const term of wanted.slice(1)) {
    while (matched > 0 && wanted[matched] !== term) matched = fallbacks[matched - 1] ?? 0
    if (wanted[matched] === term) matched++
    fallbacks.push(matched)
  }
  return fallbacks
}

const withinBounds = (known: ReadonlyArray<Phrase>, next: Phrase): ReadonlyArray<Phrase> => {
  const room = maxTerms - known.reduce((sum, phrase) => sum + sizeOf(phrase), 0)
  if (room <= 0) return known
  return [...known, next._tag === "Terms" ? { _tag: "Terms", terms: next.terms.slice(0, room) } : next]
}

const sizeOf = (phrase: Phrase): number => (phrase._tag === "Terms" ? phrase.terms.length : 1)

const phrasesOfPiece = (piece: string): ReadonlyArray<Phrase> => {
  const found = fold(piece).match(runs) ?? []
  const last = found.at(-1)
  if (last === undefined) return []
  const terms = found.flatMap(termsOfRun)
  if (!isSpaceless.test(last)) return [{ _tag: "Terms", terms }]
  // In a text the run may go on behind what is searched for: there its last character begins another pair.
  const known = terms.slice(0, -1)
  if (Array.from(last).length > 1) return [{ _tag: "Terms", terms: known }]
  const character: Phrase = { _tag: "Character", character: last }
  return known.length === 0 ? [character] : [{ _tag: "Terms", terms: known }, character]
}

const termsOfRun = (run: string): ReadonlyArray<string> => {
  if (!isSpaceless.test(run)) return [run]
  const characters = Array.from(run)
  return characters.map((character, index) => character + (characters[index + 1] ?? ""))
}

const fold = (text: string): string => {
  if (isAscii.test(text)) return text.toLowerCase()
  // Case as in names (see Name.ts): upper case in between makes one of what lower case keeps apart, "ß" and "ss".
  const folded = text.replace(crowded, "$1").normalize("NFKD").toLowerCase().toUpperCase().toLowerCase()
  return folded.normalize("NFKD").replace(accented, "$1").normalize("NFKC")
}

// eslint-disable-next-line no-control-regex -- it is what ASCII is
const isAscii = /^[\u0000-\u007f]*$/
/** Marks beyond the fourth of a letter: putting 8,000 in order, as normalising does three times, takes 70 ms each. */
const crowded = /(\p{M}{4})\p{M}+/gu
const accented = /([\p{Script=Latin}\p{Script=Greek}])\p{M}+/gu
