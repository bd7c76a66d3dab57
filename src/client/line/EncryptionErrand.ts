/** Carries out what a person asks about keys and devices, and shows what came of it. */
import { Effect } from "effect"
import { type EncryptionAct, NotUnderstood } from "../command/Action.ts"
import { type Encryption, NotDone } from "../core/Encryption.ts"
import { Client } from "../link/Client.ts"
import type { Line } from "../screen/Layout.ts"
import { remark } from "../screen/Render.ts"
import { present } from "../screen/Screen.ts"
import { colourless } from "../text/Palette.ts"
import { sure } from "./Sure.ts"

/** The most rows a code may have: one that is scrolled off cannot be looked at by a phone. */
const codeRows = 21

/** The same for a phone, where it can be painted and there is room for it. Loaded by who looks at one. */
const showCode = Effect.fnUntraced(function* (text: string) {
  const { painted, qrCode } = yield* Effect.promise(() => import("../text/QrCode.ts"))
  yield* present(({ columns, layout, ownRows, palette }): ReadonlyArray<Line> => {
    if (ownRows !== undefined) {
      return (qrCode(text, { columns, rows: ownRows }) ?? []).map((row) => ({ kind: "notice", text: row }))
    }
    if (layout !== "terminal" || palette === colourless) return []
    return painted(qrCode(text, { columns, rows: codeRows }) ?? []).map((row) => ({ kind: "notice", text: row }))
  })
})

/** What cannot be undone is asked first. */
export const prepareEncryption = (act: EncryptionAct) =>
  act._tag === "BeginAnew"
    ? sure(
        "begin a new list of devices, with this one alone. Your other devices read nothing more, and everybody you talk with has to :trust you again."
      )
    : Effect.void

const tell = (...rows: ReadonlyArray<string>) => present((style) => rows.flatMap((row) => remark(style, row)))

export const carryOutEncryption = Effect.fnUntraced(
  function* (act: EncryptionAct) {
    const { encryption } = yield* Client
    switch (act._tag) {
      case "Verify":
        return yield* act.isSame ? confirm(encryption, act.user) : compare(encryption, act.user)
      case "Trust":
        yield* encryption.trust(act.user)
        return yield* tell(`${act.user}'s devices are theirs, you say; what you say goes to them again`)
      case "Rekey":
        yield* encryption.rekey(act.room)
        return yield* tell(`there are new keys for ${act.room}, and everybody is let in again`)
      case "Status":
        yield* encryption.ready
        return yield* tell(
          "this device is one of your account's: it reads encrypted conversations",
          ":devices lists all of them; on a new one, :link says how it becomes one of them"
        )
      case "SignIn": {
        const code = yield* encryption.signIn(act.device)
        yield* showCode(code.replaceAll("-", ""))
        return yield* tell(
          `device ${act.device} is one of your account's now. Type this there:`,
          `:link ${code}`,
          `It is a secret, and the key of that device: show it to nobody else, and do not keep it. If it was seen, :link remove ${act.device}.`
        )
      }
      case "SignOut":
        yield* encryption.signOut(act.device)
        return yield* tell(
          `device ${act.device} is out, and reads nothing that is said from now on`,
          `it is logged in still: :devices remove ${act.device} ends that`
        )
      case "Link":
        yield* encryption.link(act.code)
        return yield* tell(
          "this device is one of your account's now, and is let into your encrypted conversations one by one"
        )
      case "BeginAnew":
        yield* encryption.beginAnew
        return yield* tell(
          "your account has a new list of devices, with this one alone; others are asked to :trust you"
        )
    }
  },
  Effect.catchTag("NotDone", ({ message }) => Effect.fail(new NotUnderstood({ message })))
)

const compare = Effect.fnUntraced(function* ({ safetyNumber }: Encryption, user: Verified["user"]) {
  const found = yield* safetyNumber(user)
  if (found === undefined) return yield* noDevices(user)
  const { digits, isHeld, isVerified } = found
  const groups = digits.split(" ")
  const rows = [0, 1, 2, 3].map((row) => groups.slice(row * 3, row * 3 + 3).join("  "))
  const standing = isHeld
    ? `these are ${user}'s new devices: if the numbers are the same, :trust ${user}`
    : isVerified
      ? "you have compared them, and they have not changed since"
      : `if both are the same, type :verify ${user} same`
  yield* showCode(digits.replaceAll(" ", ""))
  return yield* tell(`compare with ${user}, by voice or face to face:`, ...rows.map((row) => `  ${row}`), standing)
})

const confirm = Effect.fnUntraced(function* ({ verified }: Encryption, user: Verified["user"]) {
  yield* verified(user)
  return yield* tell(`the numbers of you and ${user} are the same, you say; you are told if they change`)
})

type Verified = Extract<EncryptionAct, { readonly _tag: "Verify" }>

const noDevices = (user: Verified["user"]) =>
  new NotDone({
    message: `There is no account ${user}, or it has no device that seals yet: there is nothing to compare. They have to log in once with a client that can.`
  })
