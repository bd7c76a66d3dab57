/**
 * What the people of governed rooms do, as data: made from a seed, printed when something goes wrong, and run again. An act says
 * who does what, in which room, about whom; what makes no sense is refused, and that is a part of it. Any part of a program is a
 * program.
 */
import { rooms, seats, targets } from "./GovernedPeople.ts"
import type { Request } from "./GovernedRules.ts"
import { randomFrom } from "./RandomFrom.ts"

const requests = [
  "CreateRoom",
  "JoinRoom",
  "LeaveRoom",
  "RoomMessage",
  "SetTopic",
  "SetAccess",
  "InviteUser",
  "Kick",
  "Ban",
  "Unban",
  "Mute",
  "Unmute",
  "SetRole",
  "DeleteRoom",
  "GetRoom",
  "ListRoomUsers",
  "GetHistory"
] as const
const deeds = [...requests, "ListRooms", "Connect", "Disconnect", "Restart", "Wait"] as const

export interface Act {
  readonly does: (typeof deeds)[number]
  readonly seat: number
  readonly room: number
  readonly target: number
  /** Which of several ways: a role, a duration, a reason. */
  readonly way: number
  /** If this one would be refused, the next who would not does it instead, if there is one. */
  readonly isApt: boolean
}

const beginningsThere = ["open", "open", "private", "a guest's", "nobody"] as const

export interface Program {
  readonly beginning: (typeof beginningsThere)[number]
  readonly acts: ReadonlyArray<Act>
}

const many = (count: number, ...does: ReadonlyArray<Act["does"]>): ReadonlyArray<Act["does"]> =>
  Array.from({ length: count }, () => does).flat()

/** How often each is done, in so many acts. */
const often: ReadonlyArray<Act["does"]> = [
  ...many(1, "DeleteRoom", "Restart", "Disconnect", "LeaveRoom", "ListRoomUsers"),
  ...many(2, "CreateRoom", "SetTopic", "SetAccess", "GetHistory", "ListRooms", "Wait", "Connect", "Unban", "Unmute"),
  ...many(3, "GetRoom", "InviteUser", "Kick", "Mute", "SetRole"),
  ...many(4, "RoomMessage", "JoinRoom", "Ban")
]

/** What shows that something was done to somebody: what that one does then, and what else is done to that one. */
const answers: ReadonlyArray<Act["does"]> = [
  "RoomMessage",
  "JoinRoom",
  "GetRoom",
  "ListRooms",
  "GetHistory",
  "SetTopic"
]
const ripostes: ReadonlyArray<Act["does"]> = ["Unban", "Unmute", "InviteUser", "SetRole", "Ban", "Mute", "Kick"]
const between: ReadonlyArray<Act["does"]> = ["Wait", "Wait", "Wait", "Restart"]
const personal: ReadonlySet<Act["does"]> = new Set(ripostes)
const ways = 6

export const programFrom = (seed: number, length: number): Program => {
  const random = randomFrom(seed)
  const below = (count: number) => Math.floor(random() * count)
  const one = <A>(first: A, ...others: ReadonlyArray<A>): A => others[below(others.length + 1) - 1] ?? first
  const any = (): Act => ({
    does: one("GetRoom", ...often),
    // The admin and the owner have more to say.
    seat: one(0, 1, 1, 2, ...seats.keys()),
    // Most of it in one room, so that acts meet.
    room: below(8) === 0 ? 1 : 0,
    target: below(targets.length),
    way: below(ways),
    isApt: below(3) > 0
  })
  const acts: Array<Act> = []
  while (acts.length < length) {
    const act = any()
    if (act.does === "DeleteRoom" && below(3) > 0) continue
    acts.push(act)
    // Otherwise most of what follows is refused to who is not in.
    if (act.does === "Restart")
      acts.push(...seats.map((_, seat): Act => ({ ...any(), does: "JoinRoom", seat, room: 0 })))
    while (personal.has(act.does) && below(3) > 0) {
      const meant = seats.findIndex(({ user }) => user === targets[act.target])
      if (below(5) === 0) acts.push({ ...any(), does: one("Wait", ...between) })
      if (below(2) === 0)
        acts.push({ ...act, does: one("GetRoom", ...answers), seat: Math.max(0, meant), isApt: false })
      else acts.push({ ...act, does: one("Kick", ...ripostes), way: below(ways) })
    }
  }
  return { beginning: one(...beginningsThere), acts }
}

const act = (does: Act["does"], seat: number, target = 0, way = 0): Act => ({
  does,
  seat,
  target,
  way,
  room: 0,
  isApt: false
})
const moderator = 1

/** What comes before: ada's room with ben, who moderates it, cyd and gus; or a guest's. */
export const beginnings: Readonly<Record<Program["beginning"], ReadonlyArray<Act>>> = {
  nobody: [],
  open: [
    act("CreateRoom", 1),
    ...[1, 2, 3, 5, 6].map((seat) => act("JoinRoom", seat)),
    act("SetRole", 1, 2, moderator)
  ],
  private: [
    act("CreateRoom", 1, 0, 1),
    act("JoinRoom", 1),
    act("InviteUser", 1, 2),
    act("JoinRoom", 2),
    act("SetRole", 1, 2, moderator),
    act("InviteUser", 1, 3),
    act("JoinRoom", 3)
  ],
  "a guest's": [act("CreateRoom", 5), ...[5, 6, 7, 3].map((seat) => act("JoinRoom", seat))]
}

/** How long somebody is bound, in seconds; undefined: for good. */
const durations = [undefined, 60, undefined, 3600, 60, undefined]
export const waits = [1, 59, 60, 61, 3600, 4000]

/** What an act asks of the server, if anything. */
export const requestOf = ({ does, room: roomNumber, target, way }: Act, words: string): Request | undefined => {
  const room = rooms[roomNumber] ?? rooms[0]
  const name = targets[target] ?? "nobody"
  const reason = way % 2 === 0 ? {} : { reason: `because of ${words}` }
  const seconds = durations[way]
  const bound = { user: name, ...(seconds !== undefined && { seconds }), ...reason }
  switch (does) {
    case "CreateRoom":
      return { _tag: does, room, ...(way === 1 && { private: true }), ...(way === 2 && { topic: words }) }
    case "JoinRoom":
    case "LeaveRoom":
    case "DeleteRoom":
    case "GetRoom":
    case "ListRoomUsers":
      return { _tag: does, room }
    case "GetHistory":
      return { _tag: does, room, only: "moderation" }
    case "RoomMessage":
      return { _tag: does, room, content: words }
    case "SetTopic":
      return { _tag: does, room, topic: way === 0 ? "" : words }
    case "SetAccess":
      return { _tag: does, room, private: way % 2 === 1 }
    case "SetRole":
      return { _tag: does, room, user: name, role: ["owner", "moderator", "member"][way % 3] ?? "member" }
    case "InviteUser":
    case "Unban":
    case "Unmute":
      return { _tag: does, room, user: name }
    case "Kick":
      return { _tag: does, room, user: name, ...reason }
    case "Ban":
    case "Mute":
      return { _tag: does, room, ...bound }
    default:
      return undefined
  }
}
