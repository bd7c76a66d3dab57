/** The commands by which one does not hear somebody any more. */
import { Schema } from "effect"
import { UserName } from "../../common/name/UserName.ts"
import { ask } from "./Action.ts"
import { type Command, define, nothing } from "./Definition.ts"

const user = { parameters: Schema.Struct({ user: UserName }), kinds: { user: "user" } } as const

export const socialCommands: ReadonlyArray<Command> = [
  define({
    ...user,
    name: "block",
    summary: "hear nothing from somebody in private",
    example: ":block mallory",
    notes: ["Nor are you invited by them, or told that they name you. They hear nothing of it. It takes an account."],
    alsoKnownAs: ["ignore", "silence"],
    action: ({ user }) => ask({ _tag: "Block", user })
  }),
  define({
    ...user,
    name: "unblock",
    summary: "hear somebody again",
    example: ":unblock mallory",
    alsoKnownAs: ["unignore"],
    action: ({ user }) => ask({ _tag: "Unblock", user })
  }),
  define({
    name: "blocked",
    parameters: nothing,
    summary: "list whom you blocked",
    example: ":blocked",
    alsoKnownAs: ["blocks", "ignored"],
    action: () => ask({ _tag: "ListBlocked" })
  })
]
