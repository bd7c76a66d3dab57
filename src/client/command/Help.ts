/** What `:help` shows, from the one table of commands. */
import { wrap } from "../text/Wrap.ts"
import { commands, findCommand, usage } from "./Command.ts"

/** Something to read; with `usage`, what that is for. */
export interface HelpLine {
  readonly usage?: string
  readonly text: string
}

/** What each is for. */
export const commandLines: ReadonlyArray<Required<HelpLine>> = commands.map((command) => ({
  usage: usage(command),
  text: command.summary
}))

const usageWidth = Math.max(...commandLines.map(({ usage }) => usage.length))

/** How commands are told from what is said. */
const rules: ReadonlyArray<string> = [
  "Plain text goes to the conversation that the prompt names, with how much waits elsewhere: dev (3)>.",
  "From a pipe it goes to the lobby, to everybody. A [room] that you leave out is that conversation, too; a pipe has to name it.",
  "A line that begins with : or / is a command:"
]

const doubled = "To say what begins with one of these, double it: ::) hello says :) hello, //x says /x."

/** The keys of line mode. */
const keys: ReadonlyArray<string> = [
  "What is pasted is text: several lines wait for Enter, which sends them, or Ctrl-C.",
  "Tab completes, Ctrl-R looks for what you typed, Ctrl-L draws the screen again, Ctrl-C clears the line, twice it quits."
]

/** All commands, or the one asked for: its usage, what it does, an example, and what there is to know. `about`: the keys. */
export const help = (name?: string, about: ReadonlyArray<string> = keys): ReadonlyArray<HelpLine> => {
  const command = name === undefined ? undefined : findCommand(name)
  if (command !== undefined) {
    const { example, notes, summary } = command
    return [{ usage: usage(command), text: summary }, ...[`for example: ${example}`, ...notes].map(only)]
  }
  const unknown = name === undefined ? [] : [`There is no command ":${name}". These there are:`]
  return [...[...unknown, ...rules].map(only), ...commandLines, ...[doubled, ...about].map(only)]
}

const only = (text: string): HelpLine => ({ text })

/** As rows of this width, in which no word is cut: side by side where there is room, or else one below the other. */
export const helpRows = (lines: ReadonlyArray<HelpLine>, width: number): ReadonlyArray<string> => {
  const isAlone = lines.filter(({ usage }) => usage !== undefined).length === 1
  const left = isAlone ? Math.max(...lines.map(({ usage = "" }) => usage.length)) : usageWidth
  return lines.flatMap(({ text, usage }) => {
    if (usage === undefined) return rowsOf(text, width)
    const room = width - indent.length - left - gap.length
    if (room < narrowest) return [...rowsOf(`${indent}${usage}`, width), ...below(text, width)]
    const [first = "", ...others] = rowsOf(text, room)
    const margin = " ".repeat(indent.length + left + gap.length)
    return [`${indent}${usage.padEnd(left)}${gap}${first}`, ...others.map((row) => `${margin}${row}`)]
  })
}

const [indent, gap, narrowest] = ["  ", "  ", 24]

const rowsOf = (text: string, width: number): ReadonlyArray<string> =>
  wrap(text, width, width).map((row) => row.trimEnd())

const below = (text: string, width: number): ReadonlyArray<string> => {
  const margin = indent + indent + indent
  return rowsOf(text, Math.max(width - margin.length, 10)).map((row) => `${margin}${row}`)
}
