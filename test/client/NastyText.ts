/** Text of the kind somebody would send to deceive a reader or a terminal, for property tests. */
import { Schema } from "effect"

const fragments = [
  "a",
  " ",
  "        ",
  "日本",
  "👩\u200d💻",
  ":",
  "::",
  "12:05 bob: ",
  "> ",
  "\n",
  "\r",
  "\r\n",
  "\t",
  "\u0000",
  "\u0007",
  "\u0008",
  "\u001b[2J",
  "\u001b]0;title\u0007",
  "\u001bP1$r\u001b\\",
  "\u007f",
  "\u0085",
  "\u009b31m",
  "\u009d8;;http://example.org\u009c",
  "\u00ad",
  "\u0301\u0301\u0301",
  "\u061c",
  "\u115f",
  "\u200b",
  "\u200d",
  "\u200e",
  "\u2028",
  "\u2029",
  "\u202e",
  "\u2066",
  "\ufe0f",
  "\ufeff",
  "\ud800",
  "\u{e0041}"
] as const

/** To be joined. */
export const NastyText = Schema.Array(Schema.Literals(fragments))
