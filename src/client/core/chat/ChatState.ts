/**
 * All that a person has before them, whatever draws it: their conversations, who is where, what the connection does. Pure; of Node
 * there is nothing in it.
 *
 * Two things change it: what happens (`hear`), and what the person does (see Intention). What is drawn is read from it, never kept
 * beside it.
 *
 * 1. An entry is counted and shown once, at its place in its log; the client hands each on once, in order.
 * 2. Read is what was in view: the newest of the conversation that is shown, while somebody looks (`isLooking`).
 * 3. Conversations one is in keep their order: the lobby, then as they came. A room that was left goes, unless something typed or
 *    refused would go with it.
 *
 * Bounds: the rooms one is in, and `maxPrivate` private conversations, of which those go that have been quiet longest and hold
 * nothing of one's own; of each what Window and Unread say, and `maxTyping` who are typing; as many invitations as a Welcome
 * has. People as People says.
 */
import type { Seq, Timestamp } from "../../../common/log/Cursor.ts"
import { type NameKey, nameKey } from "../../../common/name/Name.ts"
import { conversationRoom, partnerIn, type RoomName } from "../../../common/name/RoomName.ts"
import { UserName } from "../../../common/name/UserName.ts"
import { maxInvitations } from "../../../common/wire/AccountMessage.ts"
import type { ServerMessage, ServerMessageOf } from "../../../common/wire/ServerMessage.ts"
import type { ClientEvent } from "../ClientEvent.ts"
import { type HeardEntry, isEntry, type Whereabouts, whereaboutsOf } from "../Heard.ts"
import * as People from "./People.ts"
import { begun, begunIn, none, type Standing, stoodIn } from "./Standing.ts"
import * as Talk from "./Talk.ts"
import * as Unread from "./Unread.ts"

export const maxPrivate = 1000

/** How long somebody is believed to be typing who has said so, in milliseconds: a little more than it is said again. */
const typingFor = 6000
/** Of so many it is known; more are not named on any screen. */
const maxTyping = 50

type Stands = Pick<Talk.Talk, "partner"> & { readonly sealed: NonNullable<Talk.Talk["sealed"]> }

interface Connection {
  readonly is: "coming" | "there" | "lost"
  /** Why it was lost, or cannot be had again. */
  readonly cause: string | undefined
}

export interface ChatState {
  readonly user: UserName
  readonly isAccount: boolean
  readonly isAdmin: boolean
  readonly server: string
  readonly connection: Connection
  /** By their keys, in the order in which they are listed. The lobby is the first. */
  readonly talks: ReadonlyMap<string, Talk.Talk>
  /** The key of the one that is shown; and of the one shown before. */
  readonly shown: string
  readonly before: string
  /** Whether anybody looks at it. */
  readonly isLooking: boolean
  readonly people: People.People
  readonly blocked: ReadonlySet<NameKey>
  /** Whom this person does not want to see here. */
  readonly ignored: ReadonlySet<NameKey>
  readonly invitations: ReadonlyMap<NameKey, { readonly room: RoomName; readonly by: UserName }>
  /** Private conversations that were taken off the list, and up to which place: they are not listed until more is said there. */
  readonly closed: ReadonlyMap<string, Seq>
  /** How encrypted rooms stand that one is in, those among them that were taken off the list. */
  readonly standing: ReadonlyMap<string, Stands>
  /** The number of what is said next. */
  readonly nextNumber: number
}

const lobby: Whereabouts = {}
export const lobbyKey = Talk.keyOf(lobby)
const nobody = UserName.make("nobody")

export const empty: ChatState = {
  user: nobody,
  isAccount: false,
  isAdmin: false,
  server: "",
  connection: { is: "coming", cause: undefined },
  talks: new Map([[lobbyKey, Talk.make(lobby, 0)]]),
  shown: lobbyKey,
  before: lobbyKey,
  isLooking: true,
  people: People.empty,
  blocked: new Set(),
  ignored: new Set(),
  invitations: new Map(),
  closed: new Map(),
  standing: new Map(),
  nextNumber: 1
}

export const shownTalk = (state: ChatState): Talk.Talk => state.talks.get(state.shown) ?? Talk.make(lobby, 0)

export const isHidden = ({ blocked, ignored }: Pick<ChatState, "blocked" | "ignored">, user: UserName): boolean =>
  blocked.has(nameKey(user)) || ignored.has(nameKey(user))

/** Who reads it. */
export const readerOf = (state: ChatState): Talk.Reader => ({
  user: state.user,
  isHidden: (user) => isHidden(state, user)
})

/** A conversation after a change; none that is not there is made. */
export const withTalk = (state: ChatState, key: string, change: (before: Talk.Talk) => Talk.Talk): ChatState => {
  const before = state.talks.get(key)
  const after = before === undefined ? before : change(before)
  if (after === undefined || after === before) return state
  return { ...state, talks: new Map(state.talks).set(key, after) }
}

/** With this conversation, which one is in from now on. */
export const opened = (state: ChatState, where: Whereabouts, read = 0): ChatState => {
  const key = Talk.keyOf(where)
  const known = state.talks.get(key)
  if (known?.isIn === true) return state
  const talk = known === undefined ? { ...Talk.make(where, read), ...standsIn(state, where) } : { ...known, isIn: true }
  return fitted({ ...state, talks: new Map(state.talks).set(key, talk) }, key)
}

/** What is known of an encrypted conversation of two before anything else is. */
export const standsIn = (state: ChatState, { room }: Whereabouts): Partial<Stands> => {
  if (room === undefined) return {}
  const known = state.standing.get(Talk.keyOf({ room }))
  if (known !== undefined) return known
  const partner = partnerIn(room, state.user)
  if (partner === undefined) return {}
  return { sealed: notYet, partner: state.people.everybody.get(nameKey(partner)) ?? partner }
}

/** Without the private conversations that have been quiet longest; but with this one, in which nothing was said yet. */
const fitted = (state: ChatState, opening: string): ChatState => {
  const all = [...state.talks].filter(([, { where }]) => where.with !== undefined)
  if (all.length <= maxPrivate) return state
  const idle = all
    .filter(([key, talk]) => key !== state.shown && key !== opening && !holdsOwn(talk))
    .toSorted(([, one], [, other]) => one.unread.counted - other.unread.counted)
  const talks = new Map(state.talks)
  for (const [key] of idle.slice(0, all.length - maxPrivate)) talks.delete(key)
  return { ...state, talks }
}

/** Whether something of one's own would be lost with it. */
export const holdsOwn = ({ draft, outbox }: Talk.Talk): boolean => draft !== "" || outbox.length > 0

/**
 * One is in this room no more. What was shown of it goes, but nothing that one has typed. Whoever did not ask for it stays where they
 * are: somebody who types and does not look would say in another conversation what they begin next.
 */
const left = (state: ChatState, room: RoomName, isAsked: boolean): ChatState => {
  const key = Talk.keyOf({ room })
  const talk = state.talks.get(key)
  if (talk === undefined) return state
  const talks = new Map(state.talks)
  if (holdsOwn(talk) || (state.shown === key && !isAsked)) {
    const { draft, outbox, partner } = talk
    talks.set(key, { ...Talk.make(talk.where, 0), draft, outbox, partner, isIn: false })
  } else talks.delete(key)
  const standing = new Map(state.standing)
  standing.delete(key)
  const isShown = state.shown === key && !talks.has(key)
  const shown = isShown ? (talks.has(state.before) ? state.before : lobbyKey) : state.shown
  return looked({ ...state, talks, people: People.leftRoom(state.people, room), standing, shown })
}

/** What is in view is read. */
export const looked = (state: ChatState): ChatState =>
  state.isLooking ? withTalk(state, state.shown, Talk.look) : state

/** What comes while somebody looks is not new to them. */
const seen = (before: ChatState, after: ChatState, message: ServerMessage): ChatState => {
  const { newFrom, unread } = shownTalk(before)
  const hadAll = newFrom === undefined && Unread.unread(unread) === 0
  if (!before.isLooking || !hadAll || !isEntry(message) || before.shown !== after.shown) return after
  return withTalk(after, after.shown, (talk) => (talk.newFrom === undefined ? talk : { ...talk, newFrom: undefined }))
}

/** What was missed is new, also where somebody looks. */
const missedIn = (state: ChatState, key: string, missed: number): ChatState =>
  missed === 0 || state.shown !== key
    ? state
    : withTalk(state, key, (talk) => ({ ...talk, newFrom: talk.newFrom ?? talk.unread.read }))

/** After something happened, at this time (epoch milliseconds). */
export const hear = (state: ChatState, event: ClientEvent, now: Timestamp): ChatState => {
  switch (event._tag) {
    case "Connected":
      return looked(arrive(state, event.welcome, "first"))
    case "Reconnected": {
      const back =
        event.welcome === undefined
          ? { ...forgetGuestInbox(state, state.isAccount), connection: there }
          : arrive(forgetGuestInbox(state, event.welcome.account), event.welcome, "again")
      return looked(missedIn(back, lobbyKey, event.missed))
    }
    case "Disconnected":
      return { ...state, connection: { is: "lost", cause: event.cause } }
    case "Retrying":
      return { ...state, connection: { is: "lost", cause: event.cause } }
    case "Received":
      return event.isAudit === true ? state : seen(state, looked(take(state, event.message, now)), event.message)
    case "Rejoined":
      return looked(missedIn(come(state, event.joined), Talk.keyOf(event.joined), event.missed))
    case "RejoinRefused":
      return left(state, event.room, false)
    case "Gap":
      return looked(miss(state, event))
    case "EncryptionStands": {
      const { isVerified, room, state: stands, with: partner } = event
      const key = Talk.keyOf({ room })
      const sealed = { state: stands, isVerified }
      const known = partner ?? state.talks.get(key)?.partner ?? state.standing.get(key)?.partner
      const standing = new Map(state.standing).set(key, { sealed, partner: known })
      return withTalk({ ...state, standing }, key, (talk) => ({ ...talk, sealed, partner: known }))
    }
    case "EncryptionTold":
    case "NotKept":
    case "Skipped":
      return state
  }
}

const there: Connection = { is: "there", cause: undefined }

/** Of a guest nobody keeps what was said in private from one connection to the next. */
const forgetGuestInbox = (state: ChatState, isAccount: boolean): ChatState => {
  if (isAccount) return state
  const talks = new Map(state.talks)
  for (const [key, talk] of talks) if (talk.where.with !== undefined) talks.set(key, Talk.begunAnew(talk))
  return { ...state, talks }
}

type Welcome = ServerMessageOf<"Welcome">

/** What the server knows of the account, on arrival. `again`: what was missed follows, and is counted as it comes. */
const arrive = (before: ChatState, welcome: Welcome, is: "first" | "again"): ChatState => {
  const {
    account,
    admin,
    conversations = [],
    invitations = [],
    lobby: newest,
    lobbyRead,
    rooms = [],
    server,
    user
  } = welcome
  let state: ChatState = {
    ...before,
    user,
    isAccount: account,
    isAdmin: admin === true,
    server: server.name,
    connection: there,
    invitations: new Map(invitations.map((one) => [nameKey(one.room), one]))
  }
  if (is === "first") state = withTalk(state, lobbyKey, (talk) => ({ ...talk, ...begunIn(newest.seq, lobbyRead) }))
  if (lobbyRead !== undefined) state = withTalk(state, lobbyKey, (talk) => Talk.marked(talk, lobbyRead))
  // All at once: a map made anew for each of thousands of rooms keeps the screen still for minutes.
  const talks = new Map(state.talks)
  for (const { encrypted, private: isPrivate = false, role, room, topic, with: partner, ...standing } of rooms) {
    const key = Talk.keyOf({ room })
    const known = talks.get(key)
    if (known === undefined && partner !== undefined && (state.closed.get(key) ?? -1) >= standing.seq) continue
    const inside = known === undefined ? Talk.make({ room }, 0) : { ...known, isIn: true }
    const stood = stoodIn(inside, standing, is === "first" || known === undefined)
    const sealed = known?.sealed ?? (encrypted === true ? notYet : undefined)
    talks.set(key, { ...stood, role, topic, isPrivate, sealed, partner })
  }
  state = { ...state, talks }
  for (const { with: other, ...standing } of conversations.toReversed()) {
    const key = Talk.keyOf({ with: other })
    if (!state.talks.has(key) && (state.closed.get(key) ?? -1) >= standing.seq) continue
    state = withStanding(state, { with: other }, { ...standing, mentions: 0 }, is)
  }
  return state
}

const notYet = { state: "away", isVerified: false } as const

const withStanding = (state: ChatState, where: Whereabouts, standing: Standing, is: "first" | "again"): ChatState => {
  const key = Talk.keyOf(where)
  const isNew = is === "first" || !state.talks.has(key)
  return withTalk(opened(state, where), key, (talk) => stoodIn(talk, standing, isNew))
}

/** One is in this room, again or for the first time. */
const come = (state: ChatState, joined: ServerMessageOf<"RoomJoined">): ChatState => {
  const { encrypted, missed, private: isPrivate = false, read, role, room, seq, topic, with: partner } = joined
  const key = Talk.keyOf({ room })
  if (partner !== undefined && !state.talks.has(key) && (state.closed.get(key) ?? -1) >= seq) return state
  const isNew = state.talks.get(key)?.isIn !== true
  const inside = opened(state, { room })
  const invitations = new Map(state.invitations)
  invitations.delete(nameKey(room))
  const next = withTalk(inside, key, (talk) => {
    const begins = isNew ? begun(read ?? seq - missed, seq - missed, none) : {}
    const sealed = talk.sealed ?? (encrypted === true ? notYet : undefined)
    return { ...talk, ...begins, role, topic, isPrivate, sealed, partner }
  })
  return { ...next, invitations, people: People.joined(next.people, joined) }
}

const miss = (
  state: ChatState,
  { conversation, missing }: Extract<ClientEvent, { readonly _tag: "Gap" }>
): ChatState => {
  const change = (talk: Talk.Talk) => (missing === undefined ? Talk.begunAnew(talk) : Talk.miss(talk, missing))
  if (conversation._tag === "Lobby") return withTalk(state, lobbyKey, change)
  if (conversation._tag === "Room") return withTalk(state, Talk.keyOf({ room: conversation.room }), change)
  const talks = new Map(state.talks)
  // Whose they were is not known; what the Welcome counts stands.
  for (const [key, talk] of talks) {
    if (talk.where.with !== undefined) talks.set(key, missing === undefined ? Talk.begunAnew(talk) : Talk.miss(talk, 0))
  }
  return { ...state, talks }
}

/** The server's own word. */
const take = (state: ChatState, message: ServerMessage, now: Timestamp): ChatState => {
  switch (message._tag) {
    case "RoomJoined":
      return come(state, message)
    case "RoomLeft":
    case "RoomDeleted":
      return left(state, message.room, message.id !== undefined)
    case "ReadMarked":
      return withTalk(state, Talk.keyOf(message), (talk) => Talk.marked(talk, message.seq))
    case "Blocked":
      return { ...state, blocked: new Set(message.users.map(nameKey)) }
    case "Registered":
      return { ...state, isAccount: true }
    case "Invitation": {
      const { by, room } = message
      const others = [...state.invitations].filter(([key]) => key !== nameKey(room)).slice(1 - maxInvitations)
      return { ...state, invitations: new Map(others).set(nameKey(room), { room, by }) }
    }
    case "RoomInfo":
      return withTalk(state, Talk.keyOf(message), (talk) => ({
        ...talk,
        topic: message.topic,
        isPrivate: message.private
      }))
    case "Typing":
      return withTalk(state, Talk.keyOf(message), (talk) => {
        const { user } = message
        const others = [...talk.typing].filter(([, { until }]) => now < until).slice(1 - maxTyping)
        return { ...talk, typing: new Map(others).set(nameKey(user), { user, until: now + typingFor }) }
      })
    default:
      return isEntry(message) ? takeEntry(state, message) : moved(state, message, now)
  }
}

/** Who came and went is told of where they spoke. */
const moved = (state: ChatState, message: ServerMessage, now: Timestamp): ChatState => {
  const after = { ...state, people: People.follow(state.people, message) }
  const isOfRoom = message._tag === "RoomPresence"
  if ((!isOfRoom && message._tag !== "Presence") || message.all === true) return after
  const keys = isOfRoom
    ? [Talk.keyOf({ room: message.room })]
    : [lobbyKey, ...[...message.joined, ...message.left].map((user) => Talk.keyOf({ with: user }))]
  return keys.reduce(
    (next, key) => withTalk(next, key, (talk) => Talk.hearMoves(talk, message, state.user, now)),
    after
  )
}

const takeEntry = (state: ChatState, entry: HeardEntry): ChatState => {
  const where = whereaboutsOf(entry, state.user)
  const closed = state.closed.get(Talk.keyOf(where))
  // What was closed comes back for what is said, and not for who was let in, or a reaction.
  const isNews = closed === undefined || ("content" in entry && entry._tag !== "Edited")
  const known = Talk.isOfTwo(where) && isNews ? opened(state, where, closed) : state
  const next = withTalk(known, Talk.keyOf(where), (talk) => Talk.hear(talk, entry, readerOf(state)))
  return { ...next, people: People.follow(next.people, entry) }
}

/** Where what one says to somebody goes, as far as is known: where they are encrypted, there. */
export const placeFor = ({ standing, talks, user: self }: ChatState, user: UserName): Whereabouts => {
  const room = conversationRoom(self, user)
  const key = Talk.keyOf({ room })
  return standing.has(key) || talks.get(key)?.isIn === true ? { room } : { with: user }
}

/** What a conversation is kept under that people know by with whom it is: of what one wants to be called, both of two are one. */
export const addresseeKey = ({ talks }: ChatState, key: string): string => {
  const talk = talks.get(key)
  return talk === undefined ? key : Talk.keyOf(Talk.addresseeOf(talk))
}

/** Who is typing there now. */
export const typingIn = ({ typing }: Talk.Talk, now: Timestamp): ReadonlyArray<UserName> =>
  [...typing.values()].filter(({ until }) => now < until).map(({ user }) => user)

/** Whether the history of a conversation is to be asked for before it can be shown. */
export const isMissing = ({ isIn, window }: Talk.Talk): boolean =>
  isIn && window.isAtEnd && window.entries.length === 0 && window.hasOlder
