/**
 * A line that is typed unseen: nothing of it is on the screen, not even how long it is, and no editor remembers it.
 *
 * Pure but for `answer`, which takes all keys of a terminal for itself until it has one line.
 *
 * Bounds: 1024 UTF-16 units; what is typed beyond is passed over.
 */
import type { Key } from "node:readline"
import { Effect, Option, Redacted } from "effect"
import { isEnd, isStart } from "./Pasting.ts"
import { withoutLast } from "./Searching.ts"

const maxLength = 1024

type Typing =
  | { readonly _tag: "Typing"; readonly text: string }
  | { readonly _tag: "Done"; readonly text: string }
  | { readonly _tag: "GivenUp" }

/** What one more key makes of what was typed up to it. */
export const press = (text: string, character: string | undefined, key: Key): Typing => {
  const isControl = (name: string) => key.ctrl === true && key.name === name
  if (key.name === "return" || key.name === "enter") return { _tag: "Done", text }
  if (isControl("c") || (isControl("d") && text === "")) return { _tag: "GivenUp" }
  if (key.name === "backspace" || isControl("h")) return { _tag: "Typing", text: withoutLast(text) }
  if (isControl("u")) return { _tag: "Typing", text: "" }
  const isText = character !== undefined && key.ctrl !== true && key.meta !== true && !/[\p{Cc}]/u.test(character)
  const longer = isText ? text + character : text
  return { _tag: "Typing", text: longer.length > maxLength ? text : longer }
}

/** Nobody else hears of the keys meanwhile; afterwards, whoever heard of them before does so again. */
export const answer = (input: NodeJS.ReadStream): Effect.Effect<Option.Option<Redacted.Redacted>> =>
  Effect.callback((resume) => {
    const others = input.listeners("keypress")
    let text = ""
    /** What comes with a paste is no Enter: what stood behind it would be typed where lines are typed. */
    let isPasting = false
    const restore = () => {
      input.off("keypress", hear)
      input.off("end", giveUp)
      for (const other of others) input.on("keypress", other)
    }
    const hear = (character: string | undefined, key: Key) => {
      if (isStart(key) || isEnd(key)) isPasting = isStart(key)
      if (isPasting && (key.name === "return" || key.name === "enter")) return
      const typing = press(text, character, key)
      if (typing._tag === "Typing") {
        text = typing.text
        return
      }
      restore()
      resume(Effect.succeed(typing._tag === "Done" ? Option.some(Redacted.make(typing.text)) : Option.none()))
    }
    const giveUp = () => {
      restore()
      resume(Effect.succeedNone)
    }
    input.on("end", giveUp)
    input.removeAllListeners("keypress")
    input.on("keypress", hear)
    return Effect.sync(restore)
  })
