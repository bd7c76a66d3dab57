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
    summary: "stop hearing from somebody",
    example: ":block mallory",
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
    summary: "list blocked users",
    example: ":blocked",
    alsoKnownAs: ["blocks", "ignored"],
    action: () => ask({ _tag: "ListBlocked" })
  })
]
