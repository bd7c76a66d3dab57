/** Emoji by the names people know them by (CLDR short names and those of other chats): few, so that one finds them. */
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

/** Those whose name begins so, then those in whose name it stands. */
export const emojiNamed = (part: string): ReadonlyArray<Named> => {
  const wanted = part.toLowerCase()
  const begin = all.filter(({ name }) => name.startsWith(wanted))
  return [...begin, ...all.filter(({ name }) => !name.startsWith(wanted) && name.includes(wanted))]
}
