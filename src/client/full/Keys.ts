/**
 * Which key does what: one table, from which F1's page comes too, and what the config file makes of it. Pure.
 *
 * Keys are called as one says them: `ctrl+k`, `alt+enter`, `pageup`, `f1`. A character that is typed is no key.
 * Whoever names a key to the person takes it from the keymap of the view: it may be another one than the table's.
 */
import { type EditorDeed, deeds as editorDeeds } from "./Editor.ts"

export type Deed =
  | EditorDeed
  | "send"
  | "complete"
  | "completeBack"
  | "upOrEdit"
  | "downOrHistory"
  | "jump"
  | "search"
  | "searchTyped"
  | "next"
  | "previous"
  | "last"
  | "waiting"
  | "olderPage"
  | "newerPage"
  | "end"
  | "choosePrevious"
  | "chooseNext"
  | "retry"
  | "discard"
  | "leftBar"
  | "rightBar"
  | "sort"
  | "mute"
  | "notifyMore"
  | "server"
  | "close"
  | "help"
  | "redraw"
  | "suspend"
  | "clearOrQuit"
  | "eraseRightOrQuit"
  | "escape"
  | "mouse"

export interface Binding {
  readonly deed: Deed
  readonly keys: ReadonlyArray<string>
  readonly says: string
  readonly group: "Writing" | "Conversations" | "Reading" | "The screen"
}

const bind = (group: Binding["group"], deed: Deed, keys: string, says: string): Binding => ({
  deed,
  keys: keys.split(" "),
  says,
  group
})

export const bindings: ReadonlyArray<Binding> = [
  bind("Writing", "send", "enter", "send it to the conversation named before it"),
  bind("Writing", "newline", "alt+enter shift+enter ctrl+j", "begin another line"),
  bind("Writing", "complete", "tab", "complete a name, a room, a command, :emoji; again: the next one"),
  bind("Writing", "completeBack", "shift+tab", "the completion before"),
  bind("Writing", "upOrEdit", "up", "a line up; with nothing typed, edit your last message"),
  bind("Writing", "downOrHistory", "down", "a line down"),
  bind("Writing", "searchTyped", "ctrl+r", "find what you typed before"),
  bind("Writing", "undo", "ctrl+_ ctrl+/", "undo"),
  bind("Writing", "redo", "alt+z", "do again what was undone"),
  bind("Writing", "left", "left ctrl+b", "a character left"),
  bind("Writing", "right", "right", "a character right"),
  bind("Writing", "wordLeft", "alt+b ctrl+left", "a word left"),
  bind("Writing", "wordRight", "alt+f ctrl+right", "a word right"),
  bind("Writing", "lineStart", "home ctrl+a", "to the start of the line"),
  bind("Writing", "lineEnd", "ctrl+e", "to the end of the line"),
  bind("Writing", "eraseLeft", "backspace ctrl+h", "erase the character before"),
  bind("Writing", "eraseRight", "delete", "erase the character behind"),
  bind("Writing", "killWordLeft", "ctrl+w", "kill the word before"),
  bind("Writing", "killSmallWordLeft", "alt+backspace", "kill back to a word's start"),
  bind("Writing", "killWordRight", "alt+d", "kill the word behind"),
  bind("Writing", "killToStart", "ctrl+u", "kill to the start of the line"),
  bind("Writing", "killToEnd", "alt+k", "kill to the end of the line"),
  bind("Writing", "yank", "ctrl+y", "yank what was killed"),
  bind("Writing", "swap", "ctrl+t", "swap two characters"),
  bind("Writing", "retry", "alt+r", "send again what was refused"),
  bind("Writing", "discard", "alt+x", "throw away what was refused"),

  bind("Conversations", "jump", "ctrl+k", "go to a conversation by a part of its name"),
  bind("Conversations", "previous", "alt+left", "the one above"),
  bind("Conversations", "next", "alt+right", "the one below"),
  bind("Conversations", "last", "alt+l", "the one before this one"),
  bind("Conversations", "waiting", "alt+a", "the next mention, private message, or anything unread"),
  bind("Conversations", "sort", "alt+s", "sort them: as they came, or what waits first"),
  bind("Conversations", "mute", "alt+m", "mute this one, or hear it again"),
  bind("Conversations", "notifyMore", "alt+n", "be told of mentions here, of everything, or of nothing"),
  bind("Conversations", "server", "alt+o", "the next server, where there are several"),
  bind("Conversations", "close", "alt+w", "take a private one, or a room you left, off the list"),

  bind("Reading", "olderPage", "pageup", "older messages"),
  bind("Reading", "newerPage", "pagedown", "newer messages"),
  bind("Reading", "end", "end ctrl+end", "the newest; at the newest, the end of the line"),
  bind(
    "Reading",
    "choosePrevious",
    "alt+up ctrl+up",
    "choose a message: r reply, + react, e edit, d delete, c copy, o its link"
  ),
  bind("Reading", "chooseNext", "alt+down ctrl+down", "choose the next message"),
  bind("Reading", "search", "ctrl+f", "find words here; again: everywhere"),

  bind("The screen", "help", "f1", "this page"),
  bind("The screen", "leftBar", "f2", "show or hide the conversations"),
  bind("The screen", "rightBar", "f3", "show or hide who is here"),
  bind("The screen", "mouse", "f4", "leave the mouse to the terminal, or take it"),
  bind("The screen", "redraw", "ctrl+l", "draw all anew"),
  bind("The screen", "suspend", "ctrl+z", "back to the shell; fg returns"),
  bind("The screen", "eraseRightOrQuit", "ctrl+d", "erase the character behind; with nothing typed, quit"),
  bind("The screen", "clearOrQuit", "ctrl+c", "clear the line; with nothing typed, quit"),
  bind("The screen", "escape", "escape", "close what is open, stop replying or editing")
]

/** A digit with Alt shows the conversation of that number. */
const numbered = /^alt\+([1-9])$/

/** The table as it is for this person. */
export interface Keymap {
  readonly bindings: ReadonlyArray<Binding>
  readonly deeds: ReadonlyMap<string, Deed>
}

const keymapOf = (all: ReadonlyArray<Binding>): Keymap => ({
  bindings: all,
  deeds: new Map(all.flatMap(({ deed, keys }) => keys.map((key): [string, Deed] => [key, deed])))
})

export const usual: Keymap = keymapOf(bindings)

/** What of the table is to be otherwise: the keys of a deed, in place of all it has. */
export type Changes = ReadonlyMap<Deed, ReadonlyArray<string>>

/** A key that a deed is given is taken from whatever had it. */
export const remapped = (changes: Changes): Keymap => {
  const given = new Set([...changes.values()].flat())
  return keymapOf(
    bindings.map(({ deed, group, keys, says }) => ({
      deed,
      group,
      says,
      keys: changes.get(deed) ?? keys.filter((key) => !given.has(key))
    }))
  )
}

export const numberOf = (key: string): number | undefined => {
  const [, digit] = numbered.exec(key) ?? []
  return digit === undefined ? undefined : Number(digit)
}

export const isEditorDeed = (deed: Deed): deed is EditorDeed => deed in editorDeeds

/** A key as it stands on keyboards: `Ctrl-K`, `Alt-Enter`. */
export const shown = (key: string): string =>
  key
    .split("+")
    .map((part) => (part === "pageup" ? "PageUp" : part === "pagedown" ? "PageDown" : capital(part)))
    .join("-")

const capital = (word: string): string => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`

/** The first key of a deed, as it stands on keyboards. */
export const keyFor = ({ bindings }: Keymap, deed: Deed): string => {
  const [key] = bindings.find((one) => one.deed === deed)?.keys ?? []
  return key === undefined ? "(no key)" : shown(key)
}
