import { Option, Schema } from "effect"
/** What Tab does: commands and their words, names of people (who spoke last comes first) and rooms, `:emoji`. Pure. */
import { nameKey } from "../../common/name/Name.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { complete, type KnownNames } from "../command/Completion.ts"
import * as Chat from "../core/chat/ChatState.ts"
import * as People from "../core/chat/People.ts"
import { peopleIn } from "./Bars.ts"
import * as Editor from "./Editor.ts"
import { emojiNamed } from "./Emoji.ts"

export interface Completed {
  readonly editor: Editor.Editor
  /** The ways in which it can go on, if there are several. */
  readonly offers: ReadonlyArray<string>
}

const decodeRoom = Schema.decodeUnknownOption(RoomName)

const knownTo = ({ people, talks }: Chat.ChatState): KnownNames => ({
  users: [...people.everybody.values()],
  rooms: [...talks.values()].flatMap(({ where }) => (where.room === undefined ? [] : [where.room])),
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

const sharedStart = (words: ReadonlyArray<string>): string => {
  const [first = ""] = words
  let length = first.length
  for (const word of words) {
    while (length > 0 && !word.toLowerCase().startsWith(first.slice(0, length).toLowerCase())) length -= 1
  }
  return first.slice(0, length)
}

export const completed = (chat: Chat.ChatState, editor: Editor.Editor): Completed => {
  const { at, text } = editor
  const before = text.slice(0, at)
  const isCommand = /^\s*[:/](?![:/])/.test(text) && !before.includes("\n")
  if (isCommand) {
    const sign = before.trimStart().slice(0, 1)
    const [offers, word] = complete(before.replace(/^\s*[:/]/, ":"), knownTo(chat))
    const own = sign === "/" ? offers.map((offer) => offer.replace(/^:/, "/")) : offers
    return choose(editor, word.length, own)
  }
  const [, emoji] = /(?:^|\s):([a-z_]{2,})$/i.exec(before) ?? []
  if (emoji !== undefined) {
    const found = emojiNamed(emoji)
    const [only] = found
    if (found.length === 1 && only !== undefined) return choose(editor, emoji.length + 1, [`${only.emoji} `])
    return choose(
      editor,
      emoji.length + 1,
      found.map(({ name }) => `:${name}`)
    )
  }
  const [word = ""] = /\S*$/.exec(before) ?? []
  if (word === "") return { editor, offers: [] }
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
  return choose(editor, word.length, [...names, ...rooms])
}

const nameKeyOf = (text: string): string => text.normalize("NFKC").toLowerCase()

/** The only one; or what all have in common, and which there are. */
const choose = (editor: Editor.Editor, length: number, offers: ReadonlyArray<string>): Completed => {
  const { at } = editor
  const [only] = offers
  if (only === undefined) return { editor, offers: [] }
  if (offers.length === 1) return { editor: Editor.replace(editor, at - length, at, only), offers: [] }
  const shared = sharedStart(offers).trimEnd().replace(/:$/, "")
  const longer = shared.length > length ? Editor.replace(editor, at - length, at, shared) : editor
  return { editor: longer, offers: offers.map((offer) => offer.trim()) }
}
