/**
 * What the keys of a terminal mean to a line, before the editor of lines hears of them: it gets what is left.
 *
 * A paste, a question about one, and a search have all keys for themselves. Backspace and the arrows take a whole grapheme, which
 * to the editor is as many keys as it has characters. Ctrl-C takes the line away, and on an empty one is heard twice to leave.
 */
import process from "node:process"
import type * as readline from "node:readline"
import { graphemesOf } from "../text/Grapheme.ts"
import type { Bottom } from "./Bottom.ts"
import { endOfLine, eraseLine } from "./Bottom.ts"
import * as Pasting from "./Pasting.ts"
import * as Searching from "./Searching.ts"

export interface Heard {
  readonly bottom: Bottom
  /** What is pasted goes to whom this names. */
  readonly nameOfPlace: () => string
  /** A line was begun, goes on, or is there no more. */
  readonly changed: () => void
  /** Several lines were pasted, or put back; the person has said that they are to be sent, or not. */
  readonly held: (text: string) => void
  readonly answered: (text: string, isToBeSent: boolean) => void
  readonly tooLong: () => void
  /** Leaves; the first time, only says how. */
  readonly sayHowToLeave: () => void
  readonly leave: () => void
  readonly suspend: () => void
}

type Listener = (character: string | undefined, key: readline.Key) => void

/** Takes all keys of the input for itself, and hands on what is the editor's; gives what can be done from outside. */
export const listen = (editor: readline.Interface, input: NodeJS.ReadStream, heard: Heard) => {
  const { bottom } = heard
  const others = input.listeners("keypress")
  /** Newest first. */
  let history: ReadonlyArray<string> = []
  let pasted: string | undefined
  let isPasteOver = false
  let held: string | undefined
  let search: Searching.Search | undefined
  let isAskedToLeave = false

  const question = (): string | undefined => {
    if (held !== undefined) return Pasting.questionOf(held, heard.nameOfPlace())
    return search === undefined ? undefined : Searching.questionOf(search)
  }

  const forward: Listener = (character, key) => {
    for (const other of others) Reflect.apply(other, input, [character, key])
  }

  const hold = (text: string): void => {
    held = held === undefined ? text : `${held}\n${text}`
    heard.held(text)
    bottom.ask(question())
  }

  const endPaste = (): void => {
    const text = pasted ?? ""
    pasted = undefined
    isPasteOver = false
    if (text.length > Pasting.maxPasted) return heard.tooLong()
    const cleaned = Pasting.cleaned(text)
    if (cleaned === "") return
    if (held !== undefined || !Pasting.isOneLine(cleaned)) return hold(cleaned)
    bottom.beforeKey()
    editor.write(cleaned)
    heard.changed()
  }

  const paste: Listener = (character, key) => {
    if (Pasting.isStart(key)) {
      pasted ??= ""
      isPasteOver = false
    } else if (Pasting.isEnd(key)) {
      isPasteOver = true
      setImmediate(() => isPasteOver && endPaste())
    } else pasted = Pasting.extended(pasted ?? "", character)
  }

  const answer: Listener = (character, key) => {
    const isYes = key.name === "return" || key.name === "enter" || character === "y" || character === "Y"
    const isNo = key.name === "escape" || character === "n" || character === "N"
    const isGivenUp = key.ctrl === true && (key.name === "c" || key.name === "d")
    // Whoever types on did not see the question: nothing of that is lost, and none of it is an answer.
    const isTyped = !isYes && !isNo && isText(character, key)
    if (held === undefined || (!isYes && !isNo && !isGivenUp && !isTyped)) return
    const text = held
    held = undefined
    bottom.ask(question())
    heard.answered(text, isYes)
    if (isTyped) edit(character, key)
  }

  const lookFor: Listener = (character, key) => {
    const next = Searching.press(search ?? Searching.begun, history, character, key)
    if (next._tag === "Searching") {
      search = next.search
      return bottom.ask(question())
    }
    search = undefined
    bottom.ask(question())
    if (next.line === undefined) return
    bottom.beforeKey()
    editor.write(null, endOfLine)
    editor.write(null, eraseLine)
    editor.write(next.line)
    heard.changed()
  }

  const clear = (wasAsked: boolean): void => {
    if (editor.line !== "") {
      bottom.drop()
      return heard.changed()
    }
    if (wasAsked) return heard.leave()
    isAskedToLeave = true
    heard.sayHowToLeave()
  }

  const edit: Listener = (character, key) => {
    const isEnding = key.name === "return" || (key.ctrl === true && key.name === "d")
    if (editor.line !== "" || !isEnding) bottom.beforeKey()
    for (let times = repeats(editor, key); times > 0; times--) forward(character, key)
    heard.changed()
  }

  const hear: Listener = (character, key) => {
    const isControl = (name: string) => key.ctrl === true && key.name === name
    const wasAsked = isAskedToLeave
    isAskedToLeave = false
    if (pasted !== undefined || Pasting.isStart(key)) return paste(character, key)
    if (isControl("z")) return heard.suspend()
    if (held !== undefined) return answer(character, key)
    if (isControl("l")) return bottom.redraw()
    if (search !== undefined) return lookFor(character, key)
    if (isControl("r")) {
      search = Searching.begun
      return bottom.ask(question())
    }
    if (isControl("c")) return clear(wasAsked)
    edit(character, key)
  }

  editor.on("history", (lines) => {
    history = lines
  })
  input.removeAllListeners("keypress")
  input.on("keypress", hear)
  return {
    hold,
    /** The prompt is another one. */
    renamed: () => held !== undefined && bottom.ask(question()),
    stop: () => {
      input.off("keypress", hear)
    }
  }
}

const isText = (character: string | undefined, { ctrl, meta }: readline.Key): boolean =>
  character !== undefined && ctrl !== true && meta !== true && !/^\p{Cc}/u.test(character)

/** How many keys it takes the editor to do to a whole grapheme what this one does. */
const repeats = ({ cursor, line }: readline.Interface, { ctrl, meta, name, shift }: readline.Key): number => {
  if (meta === true || shift === true) return 1
  const is = (plain: string, control: string) => (ctrl === true ? name === control : name === plain)
  if (is("backspace", "h") || is("left", "b")) return charactersIn([...graphemesOf(line.slice(0, cursor))].at(-1)?.text)
  if (is("delete", "d") || is("right", "f")) return charactersIn([...graphemesOf(line.slice(cursor))][0]?.text)
  return 1
}

const charactersIn = (grapheme = ""): number => Math.max(1, [...grapheme].length)

/** Marks what is pasted, or does so no more (xterm, DECSET and DECRST 2004). */
export const markPastes = (isMarked: boolean): void =>
  void process.stdout.write(isMarked ? "\u001b[?2004h" : "\u001b[?2004l")
