/** The commands about encryption: rooms that the server cannot read, whose keys are whose, and one's own devices. */
import { Schema } from "effect"
import { Topic } from "../../common/log/Governing.ts"
import { Device } from "../../common/log/Sealing.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { account, ask } from "./Action.ts"
import { type Command, define } from "./Definition.ts"

const decodeDevice = Schema.decodeUnknownOption(Device)

/** What a code of another device looks like: 26 letters and digits, with dashes or without. */
const isCode = (word: string): boolean => /^(?:[0-9A-Za-z][-\s]*){26}$/.test(word)

const Linking = Schema.String.check(
  Schema.makeFilter<string>((typed) => isCode(typed) || isNew(typed) || deviceIn(typed) !== undefined, {
    message: "must be the code that another device shows, a device, remove and a device, or new"
  })
)

const isNew = (typed: string): boolean => typed.toLowerCase() === "new"
const removing = /^remove\s+/i
const deviceIn = (typed: string) => {
  const name = typed.replace(removing, "").trim()
  const device = decodeDevice(name)
  const isNone = /\s/.test(name) || name.toLowerCase() === "remove"
  return isNone || device._tag === "None" ? undefined : device.value
}

export const encryptionCommands: ReadonlyArray<Command> = [
  define({
    name: "encrypt",
    parameters: Schema.Struct({
      "--private": Schema.optionalKey(Schema.Literal("--private")),
      room: RoomName,
      topic: Schema.optionalKey(Topic)
    }),
    kinds: { "--private": "flag", room: "room", topic: "words" },
    summary: "create an encrypted room, which only its members' devices can read, and join it",
    example: ":encrypt vault Release keys",
    notes: [
      "Who joins is let in by the client of a member who is there, and reads what is said from then on. It takes an account.",
      "A room that is there already cannot become encrypted, nor an encrypted one plain. Its name, its topic and who is in it stay in the open.",
      "What two accounts say to each other with :pm is encrypted by itself, if both have a client that can."
    ],
    alsoKnownAs: ["secure", "e2ee"],
    action: ({ "--private": isPrivate, room, topic }) =>
      ask({
        _tag: "CreateRoom",
        room,
        encrypted: true,
        ...(isPrivate !== undefined && { private: true }),
        ...(topic !== undefined && { topic })
      })
  }),
  define({
    name: "verify",
    parameters: Schema.Struct({ user: UserName, same: Schema.optionalKey(Schema.Literal("same")) }),
    kinds: { user: "user" },
    summary: "show the number that you and somebody compare, or say that it was the same",
    example: ":verify ada same",
    notes: [
      "Both of you see the same 60 digits, if nobody is between you. Compare them by voice, or face to face: never in the chat itself.",
      "You are told if it changes afterwards."
    ],
    alsoKnownAs: ["fingerprint", "safety", "compare"],
    action: ({ same, user }) =>
      account({ _tag: "Encryption", act: { _tag: "Verify", user, isSame: same !== undefined } })
  }),
  define({
    name: "trust",
    parameters: Schema.Struct({ user: UserName }),
    kinds: { user: "user" },
    summary: "say that somebody's new devices are theirs",
    example: ":trust ada",
    notes: [
      "Ask them in another way first, and compare :verify; :verify ada same does both.",
      "Until then nothing is sent to them: you say nothing in a room that somebody else has let them into.",
      "Each of your devices keeps for itself whom you trust."
    ],
    action: ({ user }) => account({ _tag: "Encryption", act: { _tag: "Trust", user } })
  }),
  define({
    name: "rekey",
    parameters: Schema.Struct({ room: RoomName }),
    kinds: { room: "here" },
    summary: "make new keys for an encrypted room that is out of step",
    example: ":rekey vault",
    notes: ["Everybody is let in again. What was said before stays readable where it was read."],
    action: ({ room }) => account({ _tag: "Encryption", act: { _tag: "Rekey", room } })
  }),
  define({
    name: "link",
    parameters: Schema.Struct({ code: Schema.optionalKey(Linking) }),
    kinds: { code: "words" },
    summary: "make another device of yours read encrypted conversations, or see how this one stands",
    example: ":link 7Q4M-…",
    notes: [
      "On a new device, :link says what to type on another one of yours: there :link <device> shows a code, to be typed here as :link <code>.",
      "A device is named by the number that :devices lists it with.",
      ":link remove <device> takes one out. :link new, where all others are lost, begins anew: others have to :trust you again."
    ],
    alsoKnownAs: ["pair"],
    action: ({ code: typed }) => {
      const of = () => {
        if (typed === undefined) return { _tag: "Status" } as const
        if (isNew(typed)) return { _tag: "BeginAnew" } as const
        if (isCode(typed)) return { _tag: "Link", code: typed } as const
        const device = deviceIn(typed) ?? Device.make(typed, { disableChecks: true })
        return { _tag: removing.test(typed) ? ("SignOut" as const) : ("SignIn" as const), device }
      }
      return account({ _tag: "Encryption", act: of() })
    }
  })
]
