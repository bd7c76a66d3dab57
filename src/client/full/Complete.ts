/** What Tab does: commands and their words, names of people (who spoke last comes first) and rooms, `:emoji`. Pure. */
import { Option, Schema } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { complete, type KnownNames } from "../command/Completion.ts"
import * as Chat from "../core/chat/ChatState.ts"
import * as People from "../core/chat/People.ts"
import { emojiNamed } from "../text/Emoji.ts"
import { peopleIn } from "./Bars.ts"
import * as Editor from "./Editor.ts"

/** The ways in which a word can go on, of which Tab puts one after the other in its place. */
export interface Offers {
  /** As it was when they were asked for: undoing goes back there, however many were looked at. */
  readonly before: Editor.Editor
  /** Where the word begins. */
  readonly from: number
  readonly words: ReadonlyArray<string>
  readonly index: number
  /** With the word at `index` in its place. */
  readonly editor: Editor.Editor
}

/** Undefined where there are none. */
export const offersFor = (chat: Chat.ChatState, editor: Editor.Editor): Offers | undefined => {
  const [word, words] = ways(chat, editor)
  return words.length === 0 ? undefined : at({ before: editor, from: editor.at - word.length, words, editor }, 0)
}

export const moved = (offers: Offers, by: 1 | -1): Offers => at(offers, offers.index + by)

const at = (offers: Omit<Offers, "index">, wanted: number): Offers => {
  const { before, from, words } = offers
  const index = (wanted + words.length) % words.length
  return { ...offers, index, editor: Editor.replace(before, from, before.at, words[index] ?? "") }
}

/** So many offers are shown at once. */
const maxShown = 12

/** What is offered, in a row, the one that is taken in brackets. */
export const shownOffers = ({ index, words }: Offers): string => {
  const start = Math.max(0, Math.min(index - 3, words.length - maxShown))
  const end = start + maxShown
  const shown = words.map((word, at) => (at === index ? `[${word.trim()}]` : word.trim())).slice(start, end)
  const left = words.length - end
  return `${start > 0 ? "…  " : ""}${shown.join("  ")}${left > 0 ? `  … ${left} more` : ""}`
}

const decodeRoom = Schema.decodeUnknownOption(RoomName)

const knownTo = ({ people, talks }: Chat.ChatState): KnownNames => ({
  users: [...people.everybody.values()],
  rooms: [...talks.values()].flatMap(({ partner, where }) =>
    where.room === undefined || partner !== undefined ? [] : [where.room]
  ),
  membersOf: (room) =>
    Option.match(decodeRoom(room), {
      onNone: () => [],
      onSome: (name) => [...People.inRoom(people, name).here.values()]
    }),
  boundIn: () => []
})

/** Those who are here, whoever spoke last first, oneself not among them. */
const peopleBySpeech = (chat: Chat.ChatState): ReadonlyArray<UserName> => {
  const talk = Chat.shownTalk(chat)
  const found = new Map<string, UserName>()
  for (const { from } of talk.window.entries.toReversed()) if (!found.has(nameKey(from))) found.set(nameKey(from), from)
  for (const user of peopleIn(chat, talk).here) if (!found.has(nameKey(user))) found.set(nameKey(user), user)
  for (const [key, user] of chat.people.everybody) if (!found.has(key)) found.set(key, user)
  found.delete(nameKey(chat.user))
  return [...found.values()]
}

/** The word before the cursor, and what may stand in its place. */
const ways = (
  chat: Chat.ChatState,
  { at, text }: Editor.Editor
): readonly [word: string, offers: ReadonlyArray<string>] => {
  const before = text.slice(0, at)
  const isCommand = /^\s*[:/](?![:/])/.test(text) && !before.includes("\n")
  if (isCommand) {
    const sign = before.trimStart().slice(0, 1)
    const [offers, word] = complete(before.replace(/^\s*[:/]/, ":"), knownTo(chat))
    const own = sign === "/" ? offers.map((offer) => offer.replace(/^:/, "/")) : offers
    // At its beginning a line may be the name of an emoji as well.
    if (own.length > 0 || !/^\s*:[a-z_]{2,}$/i.test(before)) return [word, own]
  }
  const [, emoji] = /(?:^|\s):([a-z_]{2,})$/i.exec(before) ?? []
  if (emoji !== undefined) {
    return [`:${emoji}`, emojiNamed(emoji).map((one) => `${one.emoji} `)]
  }
  const [word = ""] = /\S*$/.exec(before) ?? []
  if (word === "") return ["", []]
  const sign = word.startsWith("@") ? "@" : ""
  const wanted = nameKeyOf(word.slice(sign.length))
  const people = peopleBySpeech(chat).filter((user) => nameKey(user).startsWith(wanted))
  const isFirst = sign === "" && word.length === at
  const names = people.map((user) => `${sign}${user}${isFirst ? ": " : " "}`)
  const rooms =
    sign === ""
      ? knownTo(chat)
          .rooms.filter((room) => nameKeyOf(room).startsWith(wanted))
          .map((room) => `${room} `)
      : []
  return [word, [...names, ...rooms]]
}

const nameKeyOf = (text: string): string => text.normalize("NFKC").toLowerCase()
