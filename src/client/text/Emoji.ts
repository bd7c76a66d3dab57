/** Emoji by the names people know them by (CLDR short names and those of other chats): few, so that one finds them. Pure. */
import { Reaction } from "../../common/log/Entry.ts"

const table: Readonly<Record<string, string>> = {
  thumbsup: "👍",
  thumbsdown: "👎",
  heart: "❤️",
  smile: "😄",
  grin: "😁",
  joy: "😂",
  laugh: "😆",
  wink: "😉",
  blush: "😊",
  heart_eyes: "😍",
  thinking: "🤔",
  neutral: "😐",
  unamused: "😒",
  cry: "😢",
  sob: "😭",
  angry: "😠",
  scream: "😱",
  sunglasses: "😎",
  sleeping: "😴",
  shrug: "🤷",
  facepalm: "🤦",
  clap: "👏",
  wave: "👋",
  pray: "🙏",
  muscle: "💪",
  ok_hand: "👌",
  eyes: "👀",
  brain: "🧠",
  tada: "🎉",
  rocket: "🚀",
  fire: "🔥",
  star: "⭐",
  sparkles: "✨",
  boom: "💥",
  bulb: "💡",
  bug: "🐛",
  wrench: "🔧",
  hammer: "🔨",
  lock: "🔒",
  key: "🔑",
  bell: "🔔",
  pin: "📌",
  memo: "📝",
  book: "📖",
  calendar: "📅",
  chart: "📈",
  package: "📦",
  check: "✅",
  cross: "❌",
  warning: "⚠️",
  question: "❓",
  exclamation: "❗",
  hundred: "💯",
  hourglass: "⌛",
  coffee: "☕",
  tea: "🍵",
  beer: "🍺",
  pizza: "🍕",
  cake: "🍰",
  apple: "🍎",
  tomato: "🍅",
  cat: "🐱",
  dog: "🐶",
  bird: "🐦",
  tree: "🌳",
  sun: "☀️",
  rain: "🌧️",
  snow: "❄️",
  moon: "🌙",
  earth: "🌍"
}

export interface Named {
  readonly name: string
  readonly emoji: string
}

const all: ReadonlyArray<Named> = Object.entries(table).map(([name, emoji]) => ({ name, emoji }))

/** Those whose name begins so, then those in whose name it stands; the colons around a name may be there. */
export const emojiNamed = (part: string): ReadonlyArray<Named> => {
  const wanted = part
    .trim()
    .replace(/^:/, "")
    .replace(/(?<=.):$/, "")
    .toLowerCase()
  const begin = all.filter(({ name }) => name.startsWith(wanted))
  return [...begin, ...all.filter(({ name }) => !name.startsWith(wanted) && name.includes(wanted))]
}

/** Code and addresses stay as they are. */
const kept = /(```[^]*?(?:```|$)|`[^`\n]+`|(?:https?:\/\/|mailto:)\S+)/
const byNames = /(?<![\w:])(?::[a-z_]{2,}:)+(?![\w:])/g

/** What is typed as `:tada:` is sent as the emoji of that name, so that everybody sees it; what has no such name stays. */
export const withEmoji = (text: string): string =>
  text
    .split(kept)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part.replace(byNames, (run) => run.replace(/:([a-z_]+):/g, (whole, name: string) => emojiOf(name) ?? whole))
    )
    .join("")

const emojiOf = (name: string): string | undefined => (Object.hasOwn(table, name) ? table[name] : undefined)

/** A reaction as it is meant: `heart` and `:heart:` are the emoji of that name, and what names none stays as it is. */
export const reactionNamed = (reaction: Reaction): Reaction => {
  const [, inColons, alone = ""] = /^(?::([a-z_]+):|([a-z_]+))$/.exec(reaction.toLowerCase()) ?? []
  const emoji = emojiOf(inColons ?? alone)
  return emoji === undefined ? reaction : Reaction.make(emoji)
}

/** Whether a text begins with an emoji by its name, and so is no command. */
export const beginsWithEmoji = (text: string): boolean => {
  const [, name = ""] = /^:([a-z_]{2,}):(?!\S)/.exec(text) ?? []
  return emojiOf(name) !== undefined
}
