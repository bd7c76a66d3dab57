/**
 * What up to ten users do, as data: made from a seed, printed when something goes wrong, and run again. The first four are
 * guests; the others are devices, several of one account, that is: of one person.
 *
 * A program is a list of steps. In one step several users act at the same time, each carrying out its actions in order
 * without waiting for replies; between steps everything comes to rest. Actions refer to what their user did before, not
 * to names or numbers of the server's, so that any part of a program is a program.
 */
import { Arbitrary, Schema } from "effect"
import { oneOf, wholeNumber } from "../support/generators.ts"

const userCount = 10
const roomCount = 3
/** One device of each account: to whom one writes. */
const accountUsers = [4, 7, 9] as const

/** A room by its number; `spelling` gives its name in another case. */
const room = { room: Schema.Natural, spelling: Schema.Natural }

/**
 * 0 says no reply; otherwise it is to the place that is so far back (see `message`). `mention`: 0 names nobody, otherwise the
 * user before this number; what comes behind the last user is another name that only begins so.
 */
const say = { keyed: Schema.Boolean, reply: Schema.Natural, mention: Schema.Natural }

/**
 * A place in the lobby's log (0), that of the room before this number, or behind the rooms what is private with a user: `back`
 * from two behind the newest that its user has heard of, so that it may be one that is not there yet; or, if it is `own`, among
 * what that user has said there.
 */
const message = { log: Schema.Natural, spelling: Schema.Natural, own: Schema.Boolean, back: Schema.Natural }

export const Action = Schema.TaggedUnion({
  /**
   * Connects, with the cursors of the last connection if `resume`, and with the token before the newest if that `isLost`. A user
   * who is connected says Handshake again.
   */
  Connect: { resume: Schema.Boolean, isLost: Schema.Boolean },
  /** Somebody else tries to take the name. */
  Impersonate: {},
  Vanish: {},
  Disconnect: {},
  CreateRoom: room,
  JoinRoom: { ...room, cursor: Schema.Literals(["none", "last", "behind", "ahead", "otherEpoch"]) },
  LeaveRoom: room,
  SayLobby: say,
  SayRoom: { ...room, ...say },
  SayTo: { user: Schema.Natural, spelling: Schema.Natural, ...say },
  Edit: { ...message, keyed: Schema.Boolean },
  Delete: { ...message, keyed: Schema.Boolean },
  React: { ...message, keyed: Schema.Boolean, reaction: Schema.Natural, remove: Schema.Boolean },
  /** Does several things to one message, one right behind the other. */
  Rework: { ...message, deeds: Schema.Array(Schema.Literals(["Edit", "Delete", "React", "TakeBack", "Reply"])) },
  /** Has read a conversation up to a place. */
  MarkRead: message,
  /** Asks again for something that had a key, the last, the one before it, and so on; or uses its key for a message. */
  Repeat: { back: Schema.Natural, anew: Schema.Boolean },
  ListUsers: {},
  ListRooms: {},
  ListRoomUsers: room,
  LookAtLobby: { before: Schema.Natural, after: Schema.Natural, limit: Schema.Natural },
  LookAtRoom: { ...room, before: Schema.Natural, after: Schema.Natural, limit: Schema.Natural },
  LookAtInbox: { user: Schema.Natural, before: Schema.Natural, after: Schema.Natural, limit: Schema.Natural },
  TalkNonsense: {},
  /** Lets the others go on for so many turns. */
  Pause: { turns: Schema.Natural }
})
export type Action = typeof Action.Type
export type ActionOf<Tag extends Action["_tag"]> = Extract<Action, { readonly _tag: Tag }>

export interface Turn {
  readonly user: number
  readonly actions: ReadonlyArray<Action>
}

/** What there is when a program begins: nobody, everybody connected, or everybody in some of the rooms. */
export type Beginning = "nobody" | "connected" | "in rooms"

export interface Program {
  readonly beginning: Beginning
  /** Where the connections' bytes are cut. */
  readonly network: number
  readonly steps: ReadonlyArray<ReadonlyArray<Turn>>
}

/** The steps that lead to a program's beginning. */
export const stepsTo = (beginning: Beginning): Program["steps"] => {
  const everybody = Array.from({ length: userCount }, (_, user) => user)
  const connect = everybody.map((user): Turn => ({
    user,
    actions: [{ _tag: "Connect", resume: false, isLost: false }]
  }))
  const create = everybody.slice(0, roomCount).map((user): Turn => ({
    user,
    actions: [{ _tag: "CreateRoom", room: user, spelling: 0 }]
  }))
  const join = everybody.map((user): Turn => ({
    user,
    actions: [
      { _tag: "JoinRoom", room: user % roomCount, spelling: 0, cursor: "none" },
      { _tag: "JoinRoom", room: 0, spelling: 0, cursor: "none" },
      { _tag: "SayRoom", room: 0, spelling: 0, keyed: user % 2 === 0, reply: 0, mention: 0 }
    ]
  }))
  if (beginning === "nobody") return []
  return beginning === "connected" ? [connect] : [connect, create, join]
}

type Tag = Action["_tag"]

/** How often each action is chosen, among all of them. */
const weights: { readonly [Name in Tag]: number } = {
  Connect: 8,
  Impersonate: 1,
  Vanish: 4,
  Disconnect: 2,
  CreateRoom: 5,
  JoinRoom: 10,
  LeaveRoom: 5,
  SayLobby: 6,
  SayRoom: 12,
  SayTo: 12,
  Edit: 8,
  Delete: 5,
  React: 10,
  Rework: 8,
  MarkRead: 8,
  Repeat: 8,
  ListUsers: 1,
  ListRooms: 1,
  ListRoomUsers: 3,
  LookAtLobby: 2,
  LookAtRoom: 3,
  LookAtInbox: 3,
  TalkNonsense: 2,
  Pause: 3
}

const small = wholeNumber(0, 9)
const someRoom = { room: wholeNumber(0, roomCount - 1), spelling: wholeNumber(0, 1) }
const boolean = Arbitrary.schema(Schema.Boolean)
const range = { before: small, after: small, limit: small }
const someSay = {
  keyed: boolean,
  reply: oneOf(0, 0, 1, 2, 3, 4, 6),
  mention: oneOf(0, 0, 1, 5, 8, 10, userCount + 5, userCount + 8)
}
const somebody = oneOf<number>(
  ...accountUsers,
  ...accountUsers,
  ...Array.from({ length: userCount }, (_, user) => user)
)
const privately = accountUsers.map((user) => roomCount + 1 + user)
const someMessage = {
  log: oneOf<number>(0, 1, 1, 1, 2, 3, ...privately, ...privately, roomCount + 1),
  spelling: wholeNumber(0, 1),
  own: boolean,
  back: oneOf(0, 1, 2, 2, 2, 3, 3, 4, 5, 6, 9)
}

const fields: { readonly [Name in Tag]: Readonly<Record<string, Arbitrary.Arbitrary<unknown>>> } = {
  Connect: { resume: boolean, isLost: oneOf(false, false, true) },
  Impersonate: {},
  Vanish: {},
  Disconnect: {},
  CreateRoom: someRoom,
  JoinRoom: { ...someRoom, cursor: oneOf("none", "last", "last", "last", "behind", "ahead", "otherEpoch") },
  LeaveRoom: someRoom,
  SayLobby: someSay,
  SayRoom: { ...someRoom, ...someSay },
  SayTo: { user: somebody, spelling: wholeNumber(0, 1), ...someSay },
  Edit: { ...someMessage, keyed: boolean },
  Delete: { ...someMessage, keyed: boolean },
  React: { ...someMessage, keyed: boolean, reaction: wholeNumber(0, 2), remove: oneOf(false, false, true) },
  Rework: {
    ...someMessage,
    deeds: Arbitrary.array(oneOf("Edit", "Delete", "React", "React", "TakeBack", "TakeBack", "Reply"), {
      minLength: 2,
      maxLength: 5
    })
  },
  MarkRead: someMessage,
  Repeat: { back: wholeNumber(0, 2), anew: oneOf(false, false, true) },
  ListUsers: {},
  ListRooms: {},
  ListRoomUsers: someRoom,
  LookAtLobby: range,
  LookAtRoom: { ...someRoom, ...range },
  LookAtInbox: { user: somebody, ...range },
  TalkNonsense: {},
  Pause: { turns: wholeNumber(1, 12) }
}

const isAction = Schema.is(Action)
const [firstTag = "Pause", ...otherTags] = Object.keys(Action.cases).flatMap((tag) => {
  const known = tag in weights
  return known ? Array.from<string>({ length: weightOf(tag) }).fill(tag) : []
})

function weightOf(tag: string): number {
  return Object.entries(weights).find(([name]) => name === tag)?.[1] ?? 0
}

const ofTag = (tag: string): Arbitrary.Arbitrary<unknown> => {
  const [, parts = {}] = Object.entries(fields).find(([name]) => name === tag) ?? []
  return Arbitrary.map(Arbitrary.all(parts), (values) => ({ _tag: tag, ...values }))
}
const byTag = new Map([firstTag, ...otherTags].map((tag) => [tag, ofTag(tag)]))

const action: Arbitrary.Arbitrary<Action> = oneOf(firstTag, ...otherTags).pipe(
  Arbitrary.flatMap((tag) => byTag.get(tag) ?? Arbitrary.Constant(undefined)),
  Arbitrary.filter(isAction)
)

const turn: Arbitrary.Arbitrary<Turn> = Arbitrary.all({
  user: wholeNumber(0, userCount - 1),
  actions: Arbitrary.array(action, { minLength: 1, maxLength: 6 })
})

export const program: Arbitrary.Arbitrary<Program> = Arbitrary.all({
  beginning: oneOf<Beginning>("nobody", "connected", "in rooms", "in rooms"),
  network: wholeNumber(0, 1_000_000),
  steps: Arbitrary.array(Arbitrary.array(turn, { maxLength: userCount }), { maxLength: 12 })
})
