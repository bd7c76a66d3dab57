/**
 * What keys are called in the config file, and which of them a terminal can tell apart. Pure.
 *
 * `Ctrl-K`, `ctrl+k` and `Ctrl+K` are one key, which `Keys` calls `ctrl+k`.
 */
import { Result } from "effect"
import { nearest } from "../command/Suggestion.ts"

const functions = Array.from({ length: 12 }, (_, index) => `f${index + 1}`)
const named: ReadonlyArray<string> = [
  ..."enter tab space backspace delete insert escape home end pageup pagedown up down left right".split(" "),
  ...functions
]
const also: Readonly<Record<string, string>> = {
  return: "enter",
  esc: "escape",
  del: "delete",
  ins: "insert",
  pgup: "pageup",
  pgdn: "pagedown",
  pgdown: "pagedown"
}
const modifiers = ["ctrl", "alt", "shift"]

/** Those that a terminal sends as another key (ECMA-48 control characters, and what begins its sequences). */
const sameAs: Readonly<Record<string, string>> = {
  "ctrl+i": "tab",
  "ctrl+m": "enter",
  "ctrl+[": "escape",
  "alt+escape": "escape"
}

const isCharacter = (base: string): boolean => [...base].length === 1

/** The name by which the table knows it, or why it can be no key. */
export const read = (written: string): Result.Result<string, string> => {
  const fail = (why: string) => Result.fail(`no key is called ${JSON.stringify(written.slice(0, 40))}: ${why}`)
  const typed = written.trim().toLowerCase()
  // The last sign of all may be the key itself: ctrl+-, alt--.
  const parts = typed.slice(0, -1).split(/[+-]/)
  const last = parts.pop() ?? ""
  const base = also[last + typed.slice(-1)] ?? last + typed.slice(-1)
  const stranger = parts.find((part) => !modifiers.includes(part))
  if (typed === "") return fail('write one such as "ctrl+k"')
  if (stranger !== undefined) {
    const meant = nearest(stranger, modifiers, String)
    return fail(
      meant === undefined ? "before the key may stand ctrl, alt and shift" : `write "${meant}" for "${stranger}"`
    )
  }
  if (!isCharacter(base) && !named.includes(base)) {
    const meant = nearest(base, named, String)
    return fail(
      meant === undefined
        ? 'write a letter or sign with ctrl or alt, such as "ctrl+k", or one of enter, tab, escape, home, pageup, f5, …'
        : `write "${[...parts, meant].join("+")}"`
    )
  }
  const name = [...modifiers.filter((one) => parts.includes(one)), base].join("+")
  const [ctrl, alt, shift] = modifiers.map((one) => parts.includes(one))
  if (isCharacter(base)) {
    if (ctrl !== true && alt !== true) return fail(`it types a character; write "ctrl+${base}" or "alt+${base}"`)
    if (shift === true) return fail(`terminals send the same without shift; write "${name.replace("shift+", "")}"`)
    if (ctrl === true && !/^[a-z_/\\\]^]$/.test(base)) return fail("terminals send no such thing")
    if (alt === true && /^[1-9]$/.test(base)) return fail("alt and a digit show the conversation of that number")
    if (alt === true && /^\[$/.test(base)) return fail("terminals begin other keys with it")
  }
  if (base === "space" && ctrl !== true && alt !== true) return fail('it types a character; write "ctrl+space"')
  const same = sameAs[name]
  return same === undefined ? Result.succeed(name) : fail(`terminals send the same for "${same}"; write that`)
}
