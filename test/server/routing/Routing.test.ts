import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Option, Schema } from "effect"
import { nameKey } from "../../../src/common/name/Name.ts"
import { ClientMessage, HandedOn as Request } from "../../../src/common/wire/ClientMessage.ts"
import { EntryRequest, intentOf, isEntryRequest } from "../../../src/common/wire/EntryRequest.ts"
import * as Registry from "../../../src/server/routing/Registry.ts"
import { route, Routed } from "../../../src/server/routing/Routing.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { Asker } from "../../../src/server/session/Asker.ts"
import { oneOf, someRoom, someSession, someUser, tries } from "../../support/generators.ts"
import { applyAll, someRegistryCommand } from "./RegistryCommands.ts"

const isRouted = Schema.is(Routed)
const isBeside = isEntryRequest

const someAsker: Arbitrary.Arbitrary<Asker> = Arbitrary.all({
  session: someSession,
  user: someUser,
  account: oneOf(undefined, AccountId.make(1)),
  request: oneOf(1, 2)
}).pipe(Arbitrary.map(({ account, ...asker }) => (account === undefined ? asker : { ...asker, account })))
const someRegistry = Arbitrary.array(someRegistryCommand).pipe(Arbitrary.map(applyAll))

/** Messages about users and rooms that there may be. */
const someMessage = Arbitrary.all([Arbitrary.schema(Request), someUser, someRoom]).pipe(
  Arbitrary.map(([message, user, room]): Request => {
    if (message._tag === "PrivateMessage") return { ...message, to: user }
    if (message._tag === "GetHistory" || isBeside(message)) return message
    return "room" in message ? { ...message, room } : message
  })
)

/** All that a destination says about who asked, wherever it says it. */
const askersIn = (routed: Routed): ReadonlyArray<Asker> => {
  if (routed._tag === "Refuse") return [routed.to]
  const { command } = routed
  const outer = "from" in command ? [command.from] : []
  return command._tag === "InRoom" && "from" in command.command ? [...outer, command.command.from] : outer
}

const somePrivateMessage = Arbitrary.all([Arbitrary.schema(ClientMessage.cases.PrivateMessage), someUser]).pipe(
  Arbitrary.map(([{ _tag, content }, to]): Request & { _tag: "PrivateMessage" } => ({ _tag, content, to }))
)

const beside = ["ToLobby Act", "ToRooms InRoom Act", "ToUsers Act", "Refuse"]

const inRoom = ["ToRooms InRoom Act"]

const forAccounts = ["ToAccounts Request", "Refuse"]

const destinations: { readonly [Tag in Request["_tag"]]: ReadonlyArray<string> } = {
  Handshake: ["Refuse"],
  GlobalMessage: ["ToLobby Act"],
  PrivateMessage: ["ToUsers Deliver", "Refuse"],
  EditMessage: beside,
  DeleteMessage: beside,
  React: beside,
  ListUsers: ["ToLobby ListMembers"],
  CreateRoom: ["ToRooms Create", "Refuse"],
  Report: ["ToRooms Report", "ToUsers Report", "Refuse"],
  Typing: ["ToLobby Typing", "ToRooms InRoom Typing", "ToUsers Typing", "Refuse"],
  GetRoom: ["ToRooms InRoom Describe"],
  DeleteRoom: ["ToRooms InRoom Delete"],
  SetTopic: inRoom,
  SetRole: inRoom,
  SetAccess: inRoom,
  InviteUser: inRoom,
  Kick: inRoom,
  Ban: inRoom,
  Unban: inRoom,
  Mute: [...inRoom, "ToLobby Act"],
  Unmute: [...inRoom, "ToLobby Act"],
  JoinRoom: ["ToRooms InRoom Join"],
  LeaveRoom: ["ToRooms InRoom Leave"],
  ListRooms: ["ToRooms List"],
  ListRoomUsers: ["ToRooms InRoom ListMembers"],
  RoomMessage: ["ToRooms InRoom Act"],
  GetHistory: ["ToLobby ReadHistory", "ToRooms InRoom ReadHistory", "ToUsers ReadInbox", "Refuse"],
  Search: ["ToRooms Search", "ToUsers SearchInbox", "Refuse"],
  OpenConversation: ["ToRooms Open", "Refuse"],
  SealedMessage: [...inRoom, "Refuse"],
  CommitKeys: [...inRoom, "Refuse"],
  ResetKeys: [...inRoom, "Refuse"],
  PublishDevice: forAccounts,
  GetDevices: forAccounts,
  PublishKeyPackages: forAccounts,
  ClaimKeyPackages: forAccounts,
  GetWelcomes: forAccounts,
  AckWelcome: forAccounts,
  Register: ["ToAccounts Request"],
  ChangePassword: forAccounts,
  ListDevices: forAccounts,
  RemoveDevice: forAccounts,
  AddKey: forAccounts,
  ListKeys: forAccounts,
  RemoveKey: forAccounts,
  DeleteAccount: forAccounts,
  GetUser: ["ToAccounts Request"],
  MarkRead: forAccounts,
  Block: forAccounts,
  Unblock: forAccounts,
  ListBlocked: forAccounts
}

/** What is to be done to a message, in private often with somebody there may be. */
const someBeside = Arbitrary.all([Arbitrary.schema(EntryRequest), someUser]).pipe(
  Arbitrary.map(([message, user]) =>
    message.with === undefined ? message : Object.assign({}, message, { with: user })
  )
)

/** The asker's other connections that others see. */
const siblingsOf = (registry: Registry.Registry, { session, user }: Asker) =>
  Option.match(Registry.find(registry, user), {
    onNone: () => [],
    onSome: ({ present }) => present.filter((other) => other !== session)
  })

const describeRouted = (routed: Routed) => {
  if (routed._tag === "Refuse") return "Refuse"
  const { command } = routed
  return `${routed._tag} ${command._tag}${command._tag === "InRoom" ? ` ${command.command._tag}` : ""}`
}

describe("Routing", () => {
  it.prop(
    "finds exactly one destination for every request, and it is the one of its kind",
    [someRegistry, someAsker, someMessage],
    ([registry, from, message]) => {
      const to = route(registry, from, message)
      assert.isTrue(isRouted(to))
      assert.include(destinations[message._tag], describeRouted(to))
    },
    tries(1000)
  )

  it.prop(
    "names nobody but the asker as the one to answer, and keeps which request it was",
    [someRegistry, someAsker, someMessage],
    ([registry, from, message]) => {
      const askers = askersIn(route(registry, from, message))
      assert.isNotEmpty(askers)
      for (const asker of askers) assert.deepStrictEqual(asker, from)
    },
    tries(500)
  )

  it.prop(
    "sends a private message to all connections that are seen under the name, with the author's others, and never to oneself",
    [someRegistry, someAsker, somePrivateMessage],
    ([registry, from, message]) => {
      const to = route(registry, from, message)
      const found = Option.getOrUndefined(Registry.find(registry, message.to))
      const { content, key } = message
      const body = { _tag: "Said" as const, content }
      if (nameKey(message.to) === nameKey(from.user)) {
        assert.deepStrictEqual(to, { _tag: "Refuse", to: from, reason: { _tag: "CannotMessageYourself" } })
      } else {
        // Whether somebody who is not here has an inbox all the same is not known here.
        const { present: receivers, user } = found ?? { present: [], user: message.to }
        const siblings = siblingsOf(registry, from)
        assert.deepStrictEqual(to, {
          _tag: "ToUsers",
          command: { _tag: "Deliver", from, to: user, receivers, siblings, body, key }
        })
      }
    },
    tries(300)
  )

  it.prop(
    "hands a message on with its content, its key and its room as they were said",
    [someRegistry, someAsker, someMessage],
    ([registry, from, message]) => {
      const to = route(registry, from, message)
      if (message._tag !== "GlobalMessage" && message._tag !== "RoomMessage") return
      const { content, key, replyTo } = message
      const body = { _tag: "Said", content, ...(replyTo !== undefined && { replyTo }) }
      const command = { _tag: "Act", from, body, key }
      assert.deepStrictEqual<unknown>(
        to,
        message._tag === "GlobalMessage"
          ? { _tag: "ToLobby", command }
          : { _tag: "ToRooms", command: { _tag: "InRoom", from, room: message.room, command } }
      )
    },
    tries(500)
  )

  it.prop(
    "hands on what is to be done to a message, in the conversation it names; in private it takes an account",
    [someRegistry, someAsker, someBeside],
    ([registry, from, message]) => {
      const to = route(registry, from, message)
      const { key, room, target } = message
      if (room !== undefined && message.with !== undefined) assert.include(JSON.stringify(to), "only one of the two")
      else if (message.with !== undefined && from.account === undefined) {
        const reason = { _tag: "AccountRequired", action: message._tag }
        assert.deepStrictEqual<unknown>(to, { _tag: "Refuse", to: from, reason })
      } else if (message.with !== undefined && nameKey(message.with) === nameKey(from.user)) {
        assert.deepStrictEqual(to, { _tag: "Refuse", to: from, reason: { _tag: "CannotMessageYourself" } })
      } else if (message.with !== undefined) {
        const found = Option.getOrUndefined(Registry.find(registry, message.with))
        const { present: receivers, user } = found ?? { present: [], user: message.with }
        const siblings = siblingsOf(registry, from)
        const body = intentOf(message)
        assert.deepStrictEqual<unknown>(to, {
          _tag: "ToUsers",
          command: { _tag: "Act", from, with: user, receivers, siblings, body, key }
        })
      } else {
        const command = { _tag: "Act", from, key }
        const expected =
          room === undefined ? { _tag: "ToLobby", command } : { _tag: "ToRooms", command: { room, command } }
        assert.containSubset(to, expected)
        assert.include(JSON.stringify(to), `"target":${target}`)
      }
    },
    tries(300)
  )

  it.prop(
    "asks for 50 entries of a log unless the request says otherwise, and refuses two logs at once",
    [someRegistry, someAsker, ClientMessage.cases.GetHistory],
    ([registry, from, message]) => {
      const to = route(registry, from, message)
      const { after, before, limit = 50 } = message
      const text = JSON.stringify(to)
      const isModeration = JSON.stringify(message).includes('"moderation"')
      if (message.room !== undefined && message.with !== undefined) assert.include(text, "only one of the two")
      else if (isModeration && message.with !== undefined) {
        assert.include(text, JSON.stringify({ before: 1, limit }), "nothing is moderated in private")
      } else assert.include(text, JSON.stringify({ before, after, limit }).slice(0, -1))
    },
    tries(200)
  )
})
