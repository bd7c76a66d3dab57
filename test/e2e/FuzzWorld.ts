/**
 * The world that is fuzzed, made by its own people before: an admin (ada), an owner (olga) with an open and a private room, a
 * member (ben) who is in both, an outsider (mia) with a room of her own, and what they have said, read, blocked and reported.
 */
import { Effect } from "effect"
import { connect, type FuzzConnection, reasonOf } from "./FuzzConnection.ts"
import type { Json } from "./FuzzContract.ts"
import type { Model, Session } from "./FuzzModel.ts"
import { applyReply } from "./FuzzReplies.ts"
import { kinds } from "./FuzzRequests.ts"

/** Its name and what is said in it are told to nobody who is not in. */
export const privateRoom = "Geheimkammer"
export const privateWord = "zwetschgenmus"
export const openRoom = "Garten"
export const ownRoom = "Werkstatt"
export const passwords = {
  ada: "ada's horse battery",
  olga: "olga's horse battery",
  ben: "ben's horse battery",
  mia: "mia's horse battery"
}

export interface Speaker {
  session: Session
  connection: FuzzConnection
  token: string
}

export interface World {
  readonly port: number
  readonly model: Model
  /** What the server said otherwise than it may. */
  readonly breaches: Array<string>
}

export const enter = Effect.fnUntraced(function* ({ breaches, model, port }: World, handshake: object) {
  const speaker: Speaker = { session: model.connect(), connection: yield* connect(port, kinds, breaches), token: "" }
  const welcome = yield* say(model, speaker, { _tag: "Handshake", ...handshake })
  if (welcome["_tag"] !== "Welcome") {
    return yield* Effect.die(new Error(`${JSON.stringify(handshake)}: ${JSON.stringify(welcome)}`))
  }
  speaker.token = String(welcome["token"])
  return speaker
})

let ids = 0
/** Asks for one thing, which is done in the model too if it is answered so; gives the reply. */
export const say = Effect.fnUntraced(function* (
  model: Model,
  { connection, session }: Pick<Speaker, "connection" | "session">,
  request: Json
) {
  const given = { ...request, id: `say-${++ids}` }
  model.begin(session)
  const { asked } = yield* connection.ask([Buffer.from(JSON.stringify(given))])
  const reply = asked[0]?.reply ?? {}
  applyReply({ model, session, request: given, reply })
  return reply
})

/** Asks for what is to be done. */
const doIt = (model: Model, speaker: Speaker, request: Json) =>
  Effect.tap(say(model, speaker, request), (reply) =>
    reasonOf(reply) === "" ? Effect.void : Effect.die(new Error(`${JSON.stringify(request)}: ${JSON.stringify(reply)}`))
  )

export const prepare = Effect.fnUntraced(function* (world: World, promote: Effect.Effect<void>, publicKey: string) {
  const { model } = world
  const register = (user: keyof typeof passwords) =>
    enter(world, { user, register: { password: passwords[user] }, device: `${user}'s laptop` })
  const ada = yield* register("ada")
  yield* promote
  const account = model.account("ada")
  if (account !== undefined) account.isAdmin = true
  const olga = yield* register("olga")
  const ben = yield* register("ben")
  const mia = yield* register("mia")
  const gus = yield* enter(world, { user: "gus" })
  const did = (speaker: Speaker, ...requests: ReadonlyArray<Json>) =>
    Effect.forEach(requests, (request) => doIt(model, speaker, request), { discard: true })
  const join = { _tag: "JoinRoom", room: openRoom }
  yield* did(
    olga,
    { _tag: "CreateRoom", room: openRoom, topic: "Tomaten" },
    { _tag: "CreateRoom", room: privateRoom, private: true, topic: privateWord },
    join,
    { _tag: "JoinRoom", room: privateRoom },
    { _tag: "InviteUser", room: privateRoom, user: "ben" }
  )
  yield* did(ben, join, { _tag: "JoinRoom", room: privateRoom })
  yield* did(mia, { _tag: "CreateRoom", room: ownRoom }, { _tag: "JoinRoom", room: ownRoom }, join)
  yield* did(gus, join)
  yield* did(
    olga,
    { _tag: "GlobalMessage", content: "hello, everybody" },
    { _tag: "RoomMessage", room: openRoom, content: "hello in the garden", key: "olga-key-00000001" },
    { _tag: "RoomMessage", room: privateRoom, content: `${privateWord} one` },
    { _tag: "RoomMessage", room: privateRoom, content: `${privateWord} two`, replyTo: 2 },
    { _tag: "PrivateMessage", to: "mia", content: "hello, mia" },
    { _tag: "PrivateMessage", to: "ben", content: `hello, ben: ${privateWord}` },
    { _tag: "SetRole", room: openRoom, user: "ben", role: "moderator" },
    { _tag: "AddKey", publicKey, name: "a key" },
    { _tag: "Ban", room: openRoom, user: "ada", reason: "a test" },
    { _tag: "Unban", room: openRoom, user: "ada" }
  )
  yield* did(
    mia,
    { _tag: "PrivateMessage", to: "olga", content: "hello, olga", replyTo: 1 },
    { _tag: "PrivateMessage", to: "gus", content: "hello, gus" },
    { _tag: "RoomMessage", room: ownRoom, content: "hello, me" },
    { _tag: "RoomMessage", room: openRoom, content: "hello from mia" },
    { _tag: "EditMessage", room: openRoom, target: 5, content: "hello again from mia" },
    { _tag: "MarkRead", with: "olga", seq: 2 },
    { _tag: "MarkRead", seq: 1 },
    { _tag: "Report", target: 1, reason: "too loud" }
  )
  yield* did(
    ben,
    { _tag: "React", room: openRoom, target: 1, reaction: "👍" },
    { _tag: "RoomMessage", room: openRoom, content: "to be deleted" },
    { _tag: "DeleteMessage", room: openRoom, target: 8, reason: "a test" },
    { _tag: "MarkRead", room: openRoom, seq: 3 },
    { _tag: "Block", user: "gus" },
    { _tag: "PrivateMessage", to: "mia", content: "hello from ben" },
    { _tag: "Block", user: "mia" }
  )
  yield* did(
    gus,
    { _tag: "PrivateMessage", to: "mia", content: "hello from gus" },
    { _tag: "GlobalMessage", content: "hello from a guest" }
  )
  yield* did(ada, { _tag: "Mute", user: "olga", seconds: 31_536_000, reason: "a test" })
  return { ada, olga, ben, mia, gus }
})
