/** What `:help` shows, from the one table of commands. */
import { commands, findCommand, usage } from "./Command.ts"

const width = Math.max(...commands.map((command) => usage(command).length))

/** What each command does, one below the other. */
export const commandLines = commands.map((command) => `  ${usage(command).padEnd(width)}  ${command.summary}`)

/** All commands, or the one asked for: its usage, what it does, an example, and what there is to know. */
export const help = (name?: string): ReadonlyArray<string> => {
  const command = name === undefined ? undefined : findCommand(name)
  if (command !== undefined) {
    return [`${usage(command)}  ${command.summary}`, `for example: ${command.example}`, ...command.notes]
  }
  const unknown = name === undefined ? [] : [`There is no command ":${name}". These there are:`]
  return [
    ...unknown,
    "What you type goes to everybody. A line that begins with a colon is a command:",
    ...commandLines,
    'To send a line that begins with a colon, double it: "::) hello" sends ":) hello".'
  ]
}
