import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Option, Schema } from "effect"
import { nameKey } from "../../../src/common/name/Name.ts"
import { ClientMessage } from "../../../src/common/wire/ClientMessage.ts"
import * as Registry from "../../../src/server/routing/Registry.ts"
import { route, Routed } from "../../../src/server/routing/Routing.ts"
import { Asker } from "../../../src/server/session/Asker.ts"
import { oneOf, someRoom, someSession, someUser, tries } from "../../support/generators.ts"
import { applyAll, someRegistryCommand } from "./RegistryCommands.ts"

const isRouted = Schema.is(Routed)

const someAsker: Arbitrary.Arbitrary<Asker> = Arbitrary.all({
  session: someSession,
  user: someUser,
  id: oneOf(undefined, "1", "2"),
  isLarge: oneOf(false, true)
})
const someRegistry = Arbitrary.array(someRegistryCommand).pipe(Arbitrary.map(applyAll))

/** Messages about users and rooms that there may be. */
const someMessage = Arbitrary.all([Arbitrary.schema(ClientMessage), someUser, someRoom]).pipe(
  Arbitrary.map(([message, user, room]): ClientMessage => {
    if (message._tag === "PrivateMessage") return { ...message, to: user }
    if (message._tag === "GetHistory") return message
    return "room" in message ? { ...message, room } : message
  })
)

/** All that a destination says about who asked, wherever it says it. */
const askersIn = (routed: Routed): ReadonlyArray<Asker> => {
  if (routed._tag === "Reply") return [routed.to]
  if (routed._tag === "ListUsers") return [routed.from]
  const { command } = routed
  const outer = "from" in command ? [command.from] : []
  return command._tag === "InRoom" && "from" in command.command ? [...outer, command.command.from] : outer
}

const somePrivateMessage = Arbitrary.all([Arbitrary.schema(ClientMessage.cases.PrivateMessage), someUser]).pipe(
  Arbitrary.map(([{ _tag, content }, to]): ClientMessage & { _tag: "PrivateMessage" } => ({ _tag, content, to }))
)

const destinations: { readonly [Tag in ClientMessage["_tag"]]: ReadonlyArray<string> } = {
  Handshake: ["Reply Rejected"],
  GlobalMessage: ["ToLobby Publish"],
  PrivateMessage: ["ToUsers Deliver", "Reply Rejected"],
  Ping: ["Reply Pong"],
  ListUsers: ["ListUsers"],
  Disconnect: ["Reply Goodbye"],
  CreateRoom: ["ToRooms Create"],
  JoinRoom: ["ToRooms InRoom Join"],
  LeaveRoom: ["ToRooms InRoom Leave"],
  ListRooms: ["ToRooms List"],
  ListRoomUsers: ["ToRooms InRoom ListMembers"],
  RoomMessage: ["ToRooms InRoom Publish"],
  GetHistory: ["ToLobby ReadHistory", "ToRooms InRoom ReadHistory", "ToUsers ReadInbox", "Reply Rejected"],
  Search: ["ToRooms Search", "ToUsers SearchInbox", "Reply Rejected"]
}

const describeRouted = (routed: Routed) => {
  if (routed._tag === "Reply") return `Reply ${routed.message._tag}`
  if (routed._tag === "ListUsers") return routed._tag
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
    "names nobody but the asker as the one to answer, and keeps the request's id",
    [someRegistry, someAsker, someMessage],
    ([registry, from, message]) => {
      const askers = askersIn(route(registry, from, message))
      assert.isNotEmpty(askers)
      for (const asker of askers) assert.deepStrictEqual(asker, from)
    },
    tries(500)
  )

  it.prop(
    "sends a private message to the one connection that is seen under the name, and never to its author",
    [someRegistry, someAsker, somePrivateMessage],
    ([registry, from, message]) => {
      const to = route(registry, from, message)
      const found = Registry.find(registry, message.to)
      const { content, key } = message
      if (nameKey(message.to) === nameKey(from.user)) {
        assert.deepInclude(to, { _tag: "Reply", to: from })
        assert.deepNestedInclude(to, { "message.reason": { _tag: "CannotMessageYourself" } })
      } else if (Option.isSome(found)) {
        const { session, user } = found.value
        assert.deepStrictEqual(to, {
          _tag: "ToUsers",
          command: { _tag: "Deliver", from, to: user, receivers: [session], content, key }
        })
      } else if (key === undefined) {
        assert.deepNestedInclude(to, { "message.reason": { _tag: "UserNotFound", user: message.to } })
      } else {
        assert.deepStrictEqual(to, {
          _tag: "ToUsers",
          command: { _tag: "Deliver", from, to: message.to, receivers: [], content, key }
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
      if (message._tag === "GlobalMessage") {
        const { content, key } = message
        assert.deepStrictEqual(to, { _tag: "ToLobby", command: { _tag: "Publish", from, content, key } })
      } else if (message._tag === "RoomMessage") {
        const { content, key, room } = message
        const command = { _tag: "Publish", from, content, key }
        assert.deepStrictEqual<unknown>(to, { _tag: "ToRooms", command: { _tag: "InRoom", from, room, command } })
      }
    },
    tries(500)
  )

  it.prop(
    "asks for 50 entries of a log unless the request says otherwise, and refuses two logs at once",
    [someRegistry, someAsker, ClientMessage.cases.GetHistory],
    ([registry, from, message]) => {
      const to = route(registry, from, message)
      const { after, before, limit = 50 } = message
      const text = JSON.stringify(to)
      if (message.room !== undefined && message.with !== undefined) assert.include(text, "only one of the two")
      else assert.include(text, JSON.stringify({ before, after, limit }))
    },
    tries(200)
  )
})
