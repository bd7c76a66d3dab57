/**
 * The fuzzing itself: in each turn one of several clients says some lines at once, while a bystander chats, and what was answered
 * as done is applied to the model. What ends a connection, or who it is, comes last in its turn: so there is never a doubt what
 * was carried out.
 */
import { Effect, type Scope } from "effect"
import { nameKey } from "../../src/common/name/Name.ts"
import type { Chance } from "../simulation/Chance.ts"
import type { Asked, NotAnswered } from "./FuzzConnection.ts"
import { connect, reasonOf } from "./FuzzConnection.ts"
import { isObject, type Json, judge } from "./FuzzContract.ts"
import { type Account, type Session, spelled } from "./FuzzModel.ts"
import { applyReply } from "./FuzzReplies.ts"
import { kinds, type Requests } from "./FuzzRequests.ts"
import { enter, openRoom, ownRoom, privateRoom, privateWord, say, type Speaker, type World } from "./FuzzWorld.ts"

/** What changes who the connection is, or ends it. */
const lasting = new Set(["Register", "ChangePassword", "RemoveDevice", "DeleteAccount", "Disconnect"])
/** Too seldom of use to be as frequent as others: each makes somebody start anew. */
const seldom = new Set(["DeleteAccount", "Disconnect", "Register", "ChangePassword", "RemoveDevice"])
/** Whoever asks for these without an `id` gets no news that reads as the reply. */
const mayBeNameless = new Set(
  "GlobalMessage RoomMessage Ping ListUsers ListRooms GetRoom GetHistory Search GetUser React EditMessage SetTopic".split(
    " "
  )
)

/** How those are answered that are not told RoomNotFound where there is no room; RoomExists gives a private one away. */
const asOfNoRoom: Readonly<Record<string, string>> = { MarkRead: "NotInRoom", CreateRoom: "RoomExists" }

type Who = "guest" | "outsider" | "stranger"
type Turning<A> = Effect.Effect<A, NotAnswered, Scope.Scope>

export interface People {
  readonly outsider: Speaker
  readonly guest: Speaker
  readonly bystander: Speaker
  readonly admin: Speaker
}

export class Fuzzing {
  readonly world: World
  readonly people: People
  /** How many lines of each kind were said, and how they were answered. */
  readonly tally = new Map<string, number>()
  lines = 0
  /** Of which kinds something was said. */
  readonly said = new Set<string>()
  readonly #chance: Chance
  readonly #requests: Requests
  readonly #tokens = new Map<string, string>()
  #queue: Array<string> = []
  #names = 0

  constructor(world: World, people: People, chance: Chance, requests: Requests) {
    this.world = world
    this.people = people
    this.#chance = chance
    this.#requests = requests
  }

  readonly turn = Effect.fnUntraced({ self: this }, function* (this: Fuzzing): Effect.fn.Return<
    void,
    NotAnswered,
    Scope.Scope
  > {
    const chance = this.#chance
    const who = chance.pick<Who>(["stranger", "guest", "guest", "outsider", "outsider", "outsider"])
    const speaker = yield* this.#speakerFor(who)
    this.#learn()
    if (chance.is(0.15)) yield* this.#govern(speaker)
    const lines = this.#linesOf(who)
    const cuts = chance.is(0.3) ? Array.from({ length: chance.between(1, 5) }, chance.next) : []
    const before = new Set(speaker.session.rooms)
    const { model } = this.world
    model.begin(speaker.session)
    const [, { asked, heard }] = yield* Effect.all(
      [
        say(model, this.people.bystander, { _tag: "GlobalMessage", content: `chat ${this.lines}` }),
        speaker.connection.ask(lines, cuts)
      ],
      { concurrency: 2 }
    )
    this.lines += lines.length
    this.#checkHeard(speaker, before, asked, heard)
    // As the replies came: between conversations they need not come as they were asked for.
    const answered = new Map(asked.flatMap((one) => (one.reply === undefined ? [] : [[one.reply, one] as const])))
    for (const reply of heard) {
      const one = answered.get(reply)
      if (one !== undefined) this.#apply(speaker.session, one, reply)
    }
    yield* this.#settle(who, speaker, asked)
  })

  /** The admin lets somebody do less, or more again. */
  #govern({ session: { user } }: Speaker) {
    const _tag = this.#chance.pick(["Mute", "Unmute", "Mute", "Unmute", "Kick", "Ban", "Unban", "Unban"])
    const isOfRoom = ["Kick", "Ban", "Unban"].includes(_tag) || this.#chance.is(0.4)
    const request = { _tag, user: user ?? "mia", ...(isOfRoom && { room: openRoom }) }
    return say(this.world.model, this.people.admin, request)
  }

  #apply(session: Session, { line, verdict }: Asked, reply: Json) {
    const { model } = this.world
    const reason = reasonOf(reply)
    if (verdict._tag === "Invalid") {
      // Who may not ask at all may be told that before where it is asked of.
      const isFair = reason === "InvalidMessage" || (verdict.why === "two places" && reason !== "")
      if (!isFair)
        model.breaches.push(
          `taken although ${verdict.why}: ${line.slice(0, 300)} -> ${JSON.stringify(reply).slice(0, 300)}`
        )
      return this.#count("Invalid", isFair ? "refused" : "taken")
    }
    if (verdict._tag === "TooLong") return
    const { request } = verdict
    const isRefusedForWhatItSays = reason === "InvalidMessage" && verdict._tag === "Message"
    if (
      isRefusedForWhatItSays &&
      !["AddKey", "Register", "ChangePassword", "Handshake"].includes(String(request["_tag"]))
    ) {
      model.breach("refused as no message", request, reply)
    }
    if (reason === "StorageUnavailable") model.breach("could not be carried out", request, reply)
    const isUnknown = session.user === undefined && request["_tag"] !== "Handshake"
    if (isUnknown && !["HandshakeRequired", "InvalidMessage"].includes(reason))
      model.breach("heard before the Handshake", request, reply)
    this.#count(String(request["_tag"]), reason === "" ? "done" : reason)
    if (reply["_tag"] === "Welcome" && reply["token"] !== undefined)
      this.#tokens.set(String(reply["device"]), String(reply["token"]))
    applyReply({ model, session, request, reply })
    if (reply["_tag"] === "Registered") this.#tokens.set(String(reply["device"]), String(reply["token"]))
  }

  #count(tag: string, how: string) {
    this.tally.set(`${tag} ${how}`, (this.tally.get(`${tag} ${how}`) ?? 0) + 1)
  }

  /** Whoever is not in a room hears nothing of what is said there, and nobody outside hears of the private one. */
  #checkHeard(
    { connection, session }: Speaker,
    before: ReadonlySet<string>,
    asked: ReadonlyArray<Asked>,
    heard: ReadonlyArray<Json>
  ) {
    const { breaches } = this.world
    const joined = new Set(heard.filter(({ _tag }) => _tag === "RoomJoined").map(({ room }) => nameKey(spelled(room))))
    for (const line of heard) {
      const text = JSON.stringify(line)
      const { _tag, at, room } = line
      const isEntry = at !== undefined && room !== undefined && _tag !== "RoomInfo"
      const key = nameKey(spelled(room))
      if (isEntry && !before.has(key) && !session.rooms.has(key) && !joined.has(key))
        breaches.push(`overheard ${text.slice(0, 300)}`)
      if (text.includes(privateWord)) breaches.push(`overheard ${text.slice(0, 300)}`)
      if (!text.toLowerCase().includes(privateRoom.toLowerCase())) continue
      const one = connection.askedFor(line)
      const verdict = one?.verdict
      const tag = verdict !== undefined && "request" in verdict ? String(verdict.request["_tag"]) : ""
      const isSaid = one?.line.normalize("NFKC").toLowerCase().includes(privateRoom.toLowerCase()) === true
      if (!isSaid || reasonOf(line) !== (asOfNoRoom[tag] ?? "RoomNotFound")) {
        breaches.push(`told of the private room: ${one?.line.slice(0, 300)} -> ${text.slice(0, 300)}`)
      }
    }
    for (const { reply, verdict } of asked) {
      const reason = reply?.["reason"]
      if (reasonOf(reply) !== "RoomNotFound" || !isObject(reason) || verdict._tag !== "Message") continue
      if (reason["room"] !== spelled(verdict.request["room"]))
        breaches.push(`RoomNotFound spells it ${String(reason["room"])}: ${JSON.stringify(verdict.request)}`)
    }
  }

  /** Takes leave of whoever is to go, and of connections that have ended. */
  readonly #settle = Effect.fnUntraced(
    { self: this },
    function* (this: Fuzzing, who: Who, speaker: Speaker, asked: ReadonlyArray<Asked>) {
      const { connection, session } = speaker
      const { model } = this.world
      const isEnded = asked.some(
        ({ reply, verdict }) =>
          verdict._tag === "TooLong" || ["Goodbye", "AccountDeleted"].includes(String(reply?.["_tag"]))
      )
      if (session.isOver || isEnded || connection.isClosed) yield* connection.closed
      else if (who === "stranger" && session.user !== undefined) {
        yield* say(model, speaker, { _tag: "Disconnect" })
        yield* connection.closed
      }
      if (connection.isClosed) model.leave(session)
      // Whose device or account was ended is told so at once.
      for (const other of [this.people.outsider, this.people.guest]) {
        if (other.session.isOver) yield* other.connection.closed
      }
      if (who !== "stranger") return
      if (!connection.isClosed) yield* connection.end
      model.leave(session)
    }
  )

  readonly #speakerFor = Effect.fnUntraced({ self: this }, function* (this: Fuzzing, who: Who): Effect.fn.Return<
    Speaker,
    NotAnswered,
    Scope.Scope
  > {
    if (who === "stranger") {
      return {
        session: this.world.model.connect(),
        connection: yield* connect(this.world.port, kinds, this.world.breaches),
        token: ""
      }
    }
    const { guest, outsider } = this.people
    if (who === "guest") {
      if (guest.session.isOver) Object.assign(guest, yield* this.#newGuest())
      return guest
    }
    if (outsider.session.isOver) Object.assign(outsider, yield* this.#outsiderAgain(outsider))
    return outsider
  })

  #newGuest(): Turning<Speaker> {
    return Effect.gen({ self: this }, function* () {
      const speaker = yield* enter(this.world, { user: `gus${++this.#names}` })
      yield* say(this.world.model, speaker, { _tag: "JoinRoom", room: openRoom })
      return speaker
    })
  }

  /** With which an account comes back, if a device of its own is left. */
  tokenOf(account: Account | undefined): string | undefined {
    if (account === undefined || account.isDeleted) return undefined
    const device = [...account.devices.keys()].findLast((one) => this.#tokens.has(one))
    return device === undefined ? undefined : this.#tokens.get(device)
  }

  /** By the token of a device of its own, or as a new account. */
  #outsiderAgain({ session: { account } }: Speaker): Turning<Speaker> {
    return Effect.gen({ self: this }, function* () {
      const { model } = this.world
      const token = this.tokenOf(account)
      const credentials = { _tag: "Token", token }
      const handshake =
        token === undefined || account === undefined
          ? { user: `mia${++this.#names}`, register: { password: this.#requests.words.passwords[0] } }
          : { user: account.name, credentials }
      const speaker = yield* enter(this.world, handshake)
      this.#tokens.set(String(speaker.session.device), speaker.token)
      for (const room of [token === undefined ? `${ownRoom}${this.#names}` : ownRoom, openRoom]) {
        yield* say(model, speaker, { _tag: "CreateRoom", room })
        yield* say(model, speaker, { _tag: "JoinRoom", room })
      }
      return speaker
    })
  }

  /** What there is to be named by now. */
  #learn() {
    const { words } = this.#requests
    const { model } = this.world
    const own = this.people.outsider.session.account
    words.users = [...model.accounts.values()]
      .map(({ name }) => name)
      .concat([...model.sessions].flatMap(({ user }) => user ?? []))
    const rooms = [...model.rooms.values()].filter((room) => !model.isVacant(room))
    const joined = rooms.filter((room) => own !== undefined && room.accounts.has(own))
    const owned = rooms.filter(({ owner }) => owner === own)
    // Most of what is asked is to have a meaning.
    words.rooms = [...rooms, ...joined, ...joined, ...owned, ...owned, ...owned]
      .map(({ name }) => name)
      .concat(privateRoom, privateRoom.toUpperCase(), openRoom, "neu")
    words.devices = [...(own?.devices.keys() ?? [])]
    words.fingerprints = [...(own?.keys.keys() ?? [])]
    words.tokens = [...this.#tokens.values()].slice(-4)
    if (this.#tokens.size === 0)
      this.#tokens.set(String(this.people.outsider.session.device), this.people.outsider.token)
  }

  /** All kinds in turn, in an order of chance, so that none is forgotten. */
  #nextTag(): string {
    if (this.#queue.length === 0) {
      this.#queue = [...kinds.keys()]
        .filter((tag) => !seldom.has(tag) || !this.said.has(tag) || this.#chance.is(0.3))
        .map((tag) => [this.#chance.next(), tag] as const)
        .toSorted(([one], [other]) => one - other)
        .map(([, tag]) => tag)
    }
    return this.#queue.pop() ?? "Ping"
  }

  #linesOf(who: Who): ReadonlyArray<Uint8Array> {
    const chance = this.#chance
    const lines: Array<Uint8Array> = []
    if (who === "stranger" && chance.is(0.5)) lines.push(this.#requests.line(this.#requests.valid("Handshake")))
    if (chance.is(0.02)) lines.push(...Array.from({ length: chance.between(15, 25) }, () => Buffer.from("nonsense")))
    for (let count = chance.between(1, 9); count > 0; count--) {
      const tag = this.#nextTag()
      this.said.add(tag)
      const line = this.#lineOf(tag, !lines.some(isNameless))
      // An id that comes twice makes two replies that nobody can tell apart.
      const id = idIn(line)
      if (id !== undefined && lines.some((other) => idIn(other) === id)) continue
      lines.push(line)
      if (lasting.has(tag)) return lines
    }
    if (chance.is(0.15)) lines.push(this.#requests.bytes())
    return lines
  }

  /** One that has no `id` comes alone: its reply could be another's. */
  #lineOf(tag: string, mayBeWithout: boolean): Uint8Array {
    const chance = this.#chance
    const request = this.#requests.valid(tag)
    const { id: _, ...nameless } = request
    const line = chance.is(0.35)
      ? this.#requests.nearlyValid(tag)
      : this.#requests.line(chance.is(0.03) ? nameless : request)
    return isNameless(line) && !(mayBeWithout && mayBeNameless.has(tag)) ? this.#requests.line(request) : line
  }
}

const isNameless = (line: Uint8Array): boolean => {
  const verdict = judge(line, kinds)
  return (verdict._tag === "Message" || verdict._tag === "Open") && verdict.id === undefined
}

const idIn = (line: Uint8Array): string | undefined => {
  const verdict = judge(line, kinds)
  return verdict._tag === "TooLong" ? undefined : verdict.id
}
