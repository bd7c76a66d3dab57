/**
 * Whether a text holds what is searched for, where no server can look: all words of the query, those in double quotes one after the
 * other; case, compatibility forms and accents make no difference, as in the server's Search (PROTOCOL.md). Pure.
 *
 * Words of scripts that write no spaces are found anywhere in a run of letters, all others as whole words.
 */

const isSpaceless = (word: string): boolean =>
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u.test(
    word
  )

const folded = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/(?<=[\p{Script=Latin}\p{Script=Greek}])\p{M}+/gu, "")
    .normalize("NFKC")
    .toLowerCase()

const wordsIn = (text: string): ReadonlyArray<string> => folded(text).match(/[\p{L}\p{N}\p{M}]+/gu) ?? []

/** Each a word, or words that stand one after the other. */
const phrasesIn = (query: string): ReadonlyArray<ReadonlyArray<string>> =>
  query
    .split('"')
    .flatMap((part, index) => (index % 2 === 1 ? [wordsIn(part)] : wordsIn(part).map((word) => [word])))
    .filter((phrase) => phrase.length > 0)

export const finder = (query: string): ((text: string) => boolean) => {
  const phrases = phrasesIn(query)
  if (phrases.length === 0) return () => false
  return (text) => {
    const words = wordsIn(text)
    const isAt = (phrase: ReadonlyArray<string>, from: number) =>
      phrase.every((word, index) => {
        const there = words[from + index]
        return there !== undefined && (there === word || (isSpaceless(word) && there.includes(word)))
      })
    return phrases.every((phrase) => words.some((_, from) => isAt(phrase, from)))
  }
}
