import { maxUnread } from "../../common/wire/AccountMessage.ts"
/** Turns what is said of accounts into lines to read. Pure; every piece of others' text passes `safeLine` first. */
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import * as Talk from "../core/chat/Talk.ts"
import { safeLine } from "../text/SafeText.ts"
import { aside, count, type Line, type Style } from "./Layout.ts"

export type AccountMessage = ServerMessageOf<
  | "Registered"
  | "PasswordChanged"
  | "AccountDeleted"
  | "Devices"
  | "DeviceRemoved"
  | "Keys"
  | "KeyAdded"
  | "KeyRemoved"
  | "UserInfo"
  | "Blocked"
  | "ReadMarked"
  | "Challenge"
>

export const renderAccount = (message: AccountMessage, style: Style): ReadonlyArray<Line> => {
  switch (message._tag) {
    case "Registered":
      return aside(style, "your name is yours now; on another device, :login NAME and your password let you in")
    case "PasswordChanged":
      return aside(
        style,
        "password changed; your other devices have to log in again, and to be linked again (:link) where they read what is encrypted"
      )
    case "AccountDeleted":
      return aside(style, "your account is deleted")
    case "Devices":
      return listed(
        style,
        "device",
        message.devices.map((one) => `${safeLine(one.device)}. ${describeDevice(one, style)}`)
      )
    case "DeviceRemoved":
      return aside(style, "the device is removed, and its connections with it")
    case "Keys":
      return message.keys.length === 0
        ? aside(style, "no keys; :key add <file> adds one")
        : listed(
            style,
            "key",
            message.keys.map((key, index) => `${index + 1}. ${describeKey(key, style)}`)
          )
    case "KeyAdded":
      return aside(style, `the key ${safeLine(message.fingerprint)} lets you in from now on, with --key FILE`)
    case "KeyRemoved":
      return aside(style, `the key ${safeLine(message.fingerprint)} is removed`)
    case "UserInfo":
      return aside(style, describeUser(message, style))
    case "Blocked":
      return message.id === undefined ? [] : aside(style, describeBlocked(message.users))
    // What was read elsewhere is `Reading`'s; a Challenge, the link's.
    case "ReadMarked":
    case "Challenge":
      return []
  }
}

const tags: ReadonlySet<string> = new Set<AccountMessage["_tag"]>([
  "Registered",
  "PasswordChanged",
  "AccountDeleted",
  "Devices",
  "DeviceRemoved",
  "Keys",
  "KeyAdded",
  "KeyRemoved",
  "UserInfo",
  "Blocked",
  "ReadMarked",
  "Challenge"
])
export const isAccountMessage = (message: ServerMessage): message is AccountMessage => tags.has(message._tag)

/** A line for each, with what it is called by in commands before it, and how many there are. */
const listed = (style: Style, thing: string, lines: ReadonlyArray<string>): ReadonlyArray<Line> => [
  ...lines.flatMap((line) => aside(style, line)),
  ...aside(style, count(lines.length, thing))
]

const describeDevice = (
  { connected, here, lastSeen, name, since }: ServerMessageOf<"Devices">["devices"][number],
  { now, timestamp }: Style
): string => {
  const state = connected ? "connected" : `last here ${timestamp(lastSeen, now)}`
  return `${safeLine(name)}, since ${timestamp(since, now)}, ${here === true ? "this one" : state}`
}

const describeKey = (
  { fingerprint, name, since }: ServerMessageOf<"Keys">["keys"][number],
  { now, timestamp }: Style
): string => `${safeLine(fingerprint)}${name === undefined ? "" : ` ${safeLine(name)}`}, since ${timestamp(since, now)}`

const describeBlocked = (users: ReadonlyArray<string>): string =>
  users.length === 0
    ? "nobody is blocked; :block <user> blocks somebody"
    : `blocked: ${users.map(safeLine).join(", ")}; :unblock <user> ends that`

const describeUser = (info: ServerMessageOf<"UserInfo">, { now, palette, timestamp }: Style): string => {
  const { account, admin, connected, lastSeen, since, user } = info
  const what = account ? (admin === true ? "an account that runs this server" : "an account") : "a guest"
  const at = (time: number | undefined, text: string) => (time === undefined ? "" : `, ${text} ${timestamp(time, now)}`)
  const state = connected ? ", here now" : at(lastSeen, "last here")
  return `${palette.user(safeLine(user))}: ${what}${at(since, "since")}${state}`
}

/** Where something is unread, in one line; a script is told nothing twice. */
export const renderUnread = (places: ReadonlyArray<Talk.Talk>, style: Style): ReadonlyArray<Line> =>
  places.length === 0 ? aside(style, "nothing is unread") : aside(style, `unread: ${describeUnread(places)}`)

/** So many places are named. */
const maxNamed = 20

const describeUnread = (places: ReadonlyArray<Talk.Talk>): string => {
  const named = places.slice(0, maxNamed).map((talk) => {
    const other = talk.partner ?? talk.where.with
    const { room } = talk.where
    const place = other === undefined ? (room === undefined ? "in the lobby" : `in ${room}`) : `from ${other}`
    // In private everything is meant for one.
    const mentions = other === undefined ? Talk.mentionsIn(talk) : 0
    return `${atMost(Talk.unread(talk))} ${safeLine(place)}${mentions === 0 ? "" : ` (${atMost(mentions)} name you)`}`
  })
  const others = places.length - named.length
  const [first] = places
  const other = first?.partner ?? first?.where.with
  const example = other === undefined ? (first?.where.room ?? "") : `@${other}`
  const command = example === "" ? ":history" : `:history ${safeLine(example)}`
  return `${named.join(", ")}${others === 0 ? "" : ` … and ${others} more`}; ${command} shows them`
}

const atMost = (amount: number): string => (amount >= maxUnread ? `${maxUnread}+` : `${amount}`)
