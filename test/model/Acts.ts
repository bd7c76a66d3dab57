/** How an action of a program is carried out: what its user says then, by the names and places that it knows. */
import { Effect, type Scope } from "effect"
import { Epoch } from "../../src/common/log/Cursor.ts"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { inboxLog, lobby, roomLog } from "../support/ReferenceEntry.ts"
import { names, observerName, rooms } from "./People.ts"
import { Action, type ActionOf } from "./Program.ts"
import { partnerLog, type SimulatedUser, type Unsent } from "./SimulatedUser.ts"

export const act = (user: SimulatedUser, scope: Scope.Scope, action: Action): Effect.Effect<void> =>
  Action.match(action, {
    Connect: ({ isLost, resume }) => user.arrive(scope, resume, isLost),
    Impersonate: () => user.impersonate(scope, otherCase(user.name)),
    Vanish: () => Effect.sync(() => user.vanish()),
    Disconnect: () => user.disconnect(),
    CreateRoom: (at) => user.say({ _tag: "CreateRoom", room: roomNamed(at) }),
    JoinRoom: (join) => user.say({ _tag: "JoinRoom", room: roomNamed(join), ...cursorOf(user, join) }),
    LeaveRoom: (at) => user.say({ _tag: "LeaveRoom", room: roomNamed(at) }),
    SayLobby: ({ keyed, mention, reply }) =>
      user.ask(
        (words) => ({ _tag: "GlobalMessage", content: naming(words, mention), ...replyIn(user, lobby, reply) }),
        keyed
      ),
    SayRoom: ({ keyed, mention, reply, ...at }) => {
      const room = roomNamed(at)
      return user.ask(
        (words) => ({
          _tag: "RoomMessage",
          room,
          content: naming(words, mention),
          ...replyIn(user, roomLog(room), reply)
        }),
        keyed
      )
    },
    SayTo: ({ keyed, mention, reply, ...whom }) => {
      const to = userNamed(whom)
      const log = user.isAccount ? partnerLog(to) : inboxLog
      return user.ask(
        (words) => ({
          _tag: "PrivateMessage",
          to,
          content: naming(words, mention),
          ...replyIn(user, log, reply)
        }),
        keyed
      )
    },
    Edit: ({ keyed, ...at }) =>
      user.ask((content) => ({ _tag: "EditMessage", ...messageAt(user, at), content }), keyed),
    Delete: ({ keyed, ...at }) =>
      user.ask((reason) => ({ _tag: "DeleteMessage", ...messageAt(user, at), reason }), keyed),
    React: ({ keyed, reaction, remove, ...at }) =>
      user.ask(
        () => ({
          _tag: "React",
          ...messageAt(user, at),
          reaction: reactions[reaction] ?? "?",
          ...(remove && { remove })
        }),
        keyed
      ),
    Rework: ({ deeds, ...at }) => {
      const message = messageAt(user, at)
      return user.askAll(deeds.map((deed) => (words) => requestOf(deed, message, words)))
    },
    MarkRead: (at) => {
      const { target, ...where } = messageAt(user, at)
      return user.say({ _tag: "MarkRead", ...where, seq: target })
    },
    Repeat: ({ anew, back }) => user.repeat(back, anew),
    ListUsers: () => user.say({ _tag: "ListUsers" }),
    ListRooms: () => user.say({ _tag: "ListRooms" }),
    ListRoomUsers: (at) => user.say({ _tag: "ListRoomUsers", room: roomNamed(at) }),
    LookAtLobby: (look) => user.say({ _tag: "GetHistory", ...rangeOf(look) }),
    LookAtRoom: (look) => user.say({ _tag: "GetHistory", room: roomNamed(look), ...rangeOf(look) }),
    LookAtInbox: ({ user: number, ...range }) =>
      user.say({ _tag: "GetHistory", with: names[number] ?? observerName, ...rangeOf(range) }),
    TalkNonsense: () => user.sayNonsense(),
    Pause: ({ turns }) => Effect.repeat(Effect.yieldNow, { times: turns })
  })

const otherCase = (name: UserName) => {
  const upper = name.toUpperCase()
  return UserName.make(upper === name ? name.toLowerCase() : upper)
}

const userNamed = ({ spelling, user }: { readonly user: number; readonly spelling: number }) => {
  const name = names[user] ?? observerName
  return spelling === 0 ? name : otherCase(name)
}

/** Words that name somebody, or somebody else whose name begins so. */
const naming = (words: string, mention: number) => {
  if (mention === 0) return words
  const name = names[(mention - 1) % names.length] ?? observerName
  return `${words} @${mention > names.length ? `${name}x` : mention % 2 === 0 ? otherCase(name) : name}`
}

const roomNamed = ({ room, spelling }: { readonly room: number; readonly spelling: number }) => {
  const name = rooms[room] ?? RoomName.make("dev")
  return spelling === 0 ? name : RoomName.make(name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase())
}

const cursorOf = (user: SimulatedUser, { cursor, ...at }: ActionOf<"JoinRoom">) => {
  const last = user.cursor(roomLog(roomNamed(at)))
  if (cursor === "none" || last === undefined) return {}
  if (cursor === "last") return { after: last }
  if (cursor === "behind") return { after: { ...last, seq: Math.floor(last.seq / 2) } }
  if (cursor === "ahead") return { after: { ...last, seq: last.seq + 1000 } }
  return { after: { ...last, epoch: user.cursor(lobby)?.epoch === last.epoch ? otherEpoch : last.epoch } }
}

const reactions = ["👍", "ok", "OK"]

const replyIn = (user: SimulatedUser, log: string, reply: number) =>
  reply === 0 ? {} : { replyTo: user.placeIn(log, reply, false) }

interface MessageAt {
  readonly log: number
  readonly spelling: number
  readonly own: boolean
  readonly back: number
}

const requestOf = (
  deed: ActionOf<"Rework">["deeds"][number],
  { target, ...where }: ReturnType<typeof messageAt>,
  words: string
): Unsent => {
  switch (deed) {
    case "Edit":
      return { _tag: "EditMessage", ...where, target, content: words }
    case "Delete":
      return { _tag: "DeleteMessage", ...where, target, reason: words }
    case "React":
      return { _tag: "React", ...where, target, reaction: "👍" }
    case "TakeBack":
      return { _tag: "React", ...where, target, reaction: "👍", remove: true }
    case "Reply": {
      const said = { content: words, replyTo: target }
      const { room, with: partner } = { room: undefined, with: undefined, ...where }
      if (partner !== undefined) return { _tag: "PrivateMessage", to: partner, ...said }
      return room === undefined ? { _tag: "GlobalMessage", ...said } : { _tag: "RoomMessage", room, ...said }
    }
  }
}

const messageAt = (
  user: SimulatedUser,
  { back, log, own, spelling }: MessageAt
): { readonly target: number; readonly room?: RoomName; readonly with?: UserName } => {
  if (log === 0) return { target: user.placeIn(lobby, back, own) }
  if (log > rooms.length) {
    const partner = userNamed({ user: log - rooms.length - 1, spelling })
    return { with: partner, target: user.placeIn(user.isAccount ? partnerLog(partner) : inboxLog, back, own) }
  }
  const room = roomNamed({ room: log - 1, spelling })
  return { room, target: user.placeIn(roomLog(room), back, own) }
}

const otherEpoch = Epoch.make("another")

/** 0 leaves a bound out. */
const rangeOf = ({
  after,
  before,
  limit
}: {
  readonly before: number
  readonly after: number
  readonly limit: number
}) => ({
  ...(before === 0 ? {} : { before }),
  ...(after === 0 ? {} : { after }),
  ...(limit === 0 ? {} : { limit })
})
