/** The commands about accounts: one's own, and who others are. Nothing secret is ever a parameter. */
import { Schema } from "effect"
import { UserName } from "../../common/name/UserName.ts"
import { account, ask } from "./Action.ts"
import { type Command, define, nothing } from "./Definition.ts"

export const accountCommands: ReadonlyArray<Command> = [
  define({
    name: "unread",
    parameters: nothing,
    summary: "show where there is something that you have not read yet",
    example: ":unread",
    alsoKnownAs: ["missed", "new"],
    action: () => account({ _tag: "Unread" })
  }),
  define({
    name: "whois",
    parameters: Schema.Struct({ user: UserName }),
    kinds: { user: "user" },
    summary: "tell who somebody is, and when they were here",
    example: ":whois ada",
    alsoKnownAs: ["whowas", "info", "finger"],
    action: ({ user }) => ask({ _tag: "GetUser", user })
  }),
  define({
    name: "block",
    parameters: Schema.Struct({ user: Schema.optionalKey(UserName) }),
    kinds: { user: "user" },
    summary: "hear nothing in private from somebody any more, or list whom you blocked",
    example: ":block bob",
    notes: ["Nor are you invited by them, or told that they name you. They hear nothing of it. It takes an account."],
    alsoKnownAs: ["ignore", "blocked"],
    action: ({ user }) => ask(user === undefined ? { _tag: "ListBlocked" } : { _tag: "Block", user })
  }),
  define({
    name: "unblock",
    parameters: Schema.Struct({ user: UserName }),
    kinds: { user: "user" },
    summary: "hear from somebody again",
    example: ":unblock bob",
    alsoKnownAs: ["unignore"],
    action: ({ user }) => ask({ _tag: "Unblock", user })
  }),
  define({
    name: "register",
    parameters: nothing,
    summary: "make your name your own, with a password you are asked for",
    example: ":register",
    alsoKnownAs: ["signup", "enroll"],
    action: () => account({ _tag: "Register" })
  }),
  define({
    name: "unregister",
    parameters: nothing,
    summary: "delete your account; its name is gone",
    example: ":unregister",
    alsoKnownAs: ["deleteaccount", "drop"],
    action: () => account({ _tag: "Unregister" })
  }),
  define({
    name: "login",
    parameters: Schema.Struct({ name: UserName }),
    kinds: { name: "user" },
    summary: "come in again, as the account of that name",
    example: ":login ada",
    alsoKnownAs: ["signin", "identify", "auth", "nick"],
    action: ({ name }) => account({ _tag: "Login", user: name })
  }),
  define({
    name: "logout",
    parameters: nothing,
    summary: "leave, and forget the login of this device",
    example: ":logout",
    alsoKnownAs: ["signout", "logoff"],
    action: () => account({ _tag: "Logout" })
  }),
  define({
    name: "passwd",
    parameters: nothing,
    summary: "change your password; other devices have to log in again",
    example: ":passwd",
    alsoKnownAs: ["password"],
    action: () => account({ _tag: "ChangePassword" })
  }),
  define({
    name: "devices",
    parameters: Schema.Struct({
      remove: Schema.optionalKey(Schema.Literal("remove")),
      n: Schema.optionalKey(Schema.String)
    }),
    summary: "list the devices that are logged in to your account, or remove one",
    example: ":devices remove 2",
    alsoKnownAs: ["device", "sessions"],
    action: ({ n, remove }) =>
      remove === undefined ? ask({ _tag: "ListDevices" }) : account({ _tag: "RemoveDevice", which: n })
  }),
  define({
    name: "key",
    parameters: Schema.Struct({
      "add, list or remove": Schema.optionalKey(Schema.Literals(["add", "list", "remove"])),
      "file or n": Schema.optionalKey(Schema.String)
    }),
    kinds: { "file or n": "words" },
    summary: "list the SSH keys that let you in, add one, or remove one",
    example: ":key add ~/.ssh/id_ed25519.pub",
    alsoKnownAs: ["keys", "ssh"],
    action: ({ "add, list or remove": what, "file or n": which }) => {
      if (what === "add") return account({ _tag: "AddKey", path: which })
      return what === "remove" ? account({ _tag: "RemoveKey", which }) : ask({ _tag: "ListKeys" })
    }
  })
]
