/** What is typed as a line: text for the conversation that is shown, a command of this screen's own, or one of all screens. Pure. */
import { Option, Result, Schema } from "effect"
import { UserName } from "../../common/name/UserName.ts"
import { type Action, NotUnderstood } from "../command/Action.ts"
import { parse } from "../command/Command.ts"
import type { Here } from "../command/Here.ts"
import { beginsWithEmoji } from "../text/Emoji.ts"
import { Level } from "./Level.ts"

export type Meant =
  | { readonly _tag: "Text"; readonly content: string }
  | { readonly _tag: "Command"; readonly action: Action }
  | { readonly _tag: "TalkTo"; readonly user: UserName }
  | { readonly _tag: "Lobby" }
  | { readonly _tag: "Close" }
  | { readonly _tag: "Ignored" }
  | { readonly _tag: "Ignore"; readonly user: UserName; readonly isIgnored: boolean }
  | { readonly _tag: "Notify"; readonly level: Level | undefined }
  | { readonly _tag: "Server"; readonly name: string | undefined }

/** What they are for, as `Help` says it of the others. */
export const ownLines: ReadonlyArray<{ readonly usage: string; readonly text: string }> = [
  { usage: ":notify [all, mentions or none]", text: "say for what the conversation shown calls you, or look" },
  { usage: ":server [name]", text: "show another server of the config file, or the next one" },
  { usage: ":ignore <user>", text: "do not show what somebody says; :unignore does again" },
  { usage: ":close", text: "take a private conversation, or a room you left, off the list" }
]

const decodeLevel = Schema.decodeUnknownOption(Level)
const decodeUser = Schema.decodeUnknownOption(UserName)

/** As the protocol counts them. */
const maxCharacters = 8192

const own = (line: string): Meant | undefined => {
  const [name = "", argument = "", ...rest] = line.slice(1).trim().split(/\s+/)
  if (rest.length > 0) return undefined
  const user = decodeUser(argument.replace(/^@/, ""))
  switch (name.toLowerCase()) {
    case "lobby":
      return argument === "" ? { _tag: "Lobby" } : undefined
    case "close":
      return argument === "" ? { _tag: "Close" } : undefined
    // What is no such word is told which there are.
    case "notify":
      return { _tag: "Notify", level: Option.getOrUndefined(decodeLevel(argument.toLowerCase())) }
    case "server":
      return { _tag: "Server", name: argument === "" ? undefined : argument.replace(/^@/, "") }
    case "pm":
      return Option.isSome(user) ? { _tag: "TalkTo", user: user.value } : undefined
    case "ignore":
    case "unignore":
      if (argument === "") return { _tag: "Ignored" }
      return Option.isSome(user)
        ? { _tag: "Ignore", user: user.value, isIgnored: name.toLowerCase() === "ignore" }
        : undefined
    default:
      return undefined
  }
}

/** `/x` is the same as `:x`; `//` and `::` begin a text with one. An unknown command is never sent, nor one of several lines. */
export const meant = (draft: string, here: Here): Result.Result<Meant, NotUnderstood> => {
  const typed = draft.trimStart()
  const isDoubled = typed.startsWith("::") || typed.startsWith("//")
  if (!isDoubled && !beginsWithEmoji(typed) && (typed.startsWith(":") || typed.startsWith("/"))) {
    if (typed.trimEnd().includes("\n")) {
      return Result.fail(
        new NotUnderstood({
          message: `A command is one line. To send all of it as text, begin it with "${typed.slice(0, 1)}${typed.slice(0, 1)}".`
        })
      )
    }
    const line = `:${typed.slice(1).trimEnd()}`
    const mine = own(line)
    return mine === undefined
      ? Result.map(parse(`${typed.slice(0, 1)}${line.slice(1)}`, here), (action) => ({ _tag: "Command", action }))
      : Result.succeed(mine)
  }
  const content = isDoubled ? typed.slice(1) : draft
  const length = [...content].length
  return length > maxCharacters
    ? Result.fail(new NotUnderstood({ message: `Not sent: ${length} characters, of ${maxCharacters} at most.` }))
    : Result.succeed({ _tag: "Text", content })
}
