/**
 * Two honest people who chat, and what else honest people do beside them: pings, logins, lists read to their end, private
 * messages, an idle room that is entered and left, searches. Whoever is cut off comes back.
 *
 * It understands every reply that the protocol allows: lists in pages, presence that tells everybody anew, and what it
 * does not know, which it ignores.
 */
import { Effect, Option, Schema } from "effect"
import { type Address, BenchError } from "../Crowd.ts"
import { Member } from "../Member.ts"
import { atRate } from "../Route.ts"
import type { Connect } from "../Wire.ts"
import { type ProbeName, probeNames } from "./Attack.ts"
import { idleRoom } from "./DiskAttacks.ts"
import { Watch } from "./Watch.ts"

export interface HonestOptions {
  readonly address: Address
  readonly connect: Connect
  /** Names this pair's people and its figures. */
  readonly pair: string
  /** Where they talk, if not in the lobby. */
  readonly room: string | undefined
  readonly probes: ReadonlyArray<ProbeName>
}

/** What is asked, a second, by each pair: below what one connection may. */
const rates: Record<ProbeName, number> = { ping: 25, message: 20, login: 5, list: 2, private: 10, idle: 5, search: 5 }

const Listed = Schema.fromJsonString(
  Schema.Struct({
    id: Schema.optionalKey(Schema.String),
    more: Schema.optionalKey(Schema.Boolean),
    users: Schema.optionalKey(Schema.Array(Schema.String)),
    rooms: Schema.optionalKey(Schema.Array(Schema.Struct({ room: Schema.String })))
  })
)
const readList = Schema.decodeOption(Listed)
const notAList: typeof Listed.Type = {}

const tagOf = (line: string) => line.slice(9, line.indexOf('"', 9))
const idOf = (line: string) => /"id":"([a-z]+-\d+)"/.exec(line)?.[1] ?? ""
const contentOf = (line: string) => /"content":"(message|private)-(\d+) from (\d)/.exec(line)
/** A rejection's tag, or what else is said. */
const reasonOf = (line: string) => /"reason":\{"_tag":"(\w+)"/.exec(line)?.[1] ?? line

const comeBackMillis = 200
const welcomePatience = "20 seconds"

/** No two people of this process share a name. */
let named = 0

export class Honest {
  readonly #options: HonestOptions
  readonly watches: Record<ProbeName, Watch> = {
    ping: new Watch(),
    message: new Watch(),
    login: new Watch(),
    list: new Watch(),
    private: new Watch(),
    idle: new Watch(),
    search: new Watch()
  }
  /** Why somebody was cut off, once for each time. */
  readonly cuts: Array<string> = []
  /** Two who chat, and one who asks for everything else. */
  readonly #people: [Member, Member, Member]
  readonly #visitors = new Set<Member>()
  #numbers = 0
  #isOver = false

  constructor(options: HonestOptions) {
    this.#options = options
    this.#people = [this.#arrive(0), this.#arrive(1), this.#arrive(2)]
  }

  get name(): string {
    return this.#options.pair
  }

  get probes(): ReadonlyArray<ProbeName> {
    return this.#options.probes
  }

  /** Waits until all of them are where they talk. */
  readonly here: Effect.Effect<void, BenchError> = Effect.suspend(() => {
    const isHere = () => this.#people.every((person) => this.#settled.has(person))
    return Effect.callback<void>((resume) => {
      this.#onSettled = () => {
        if (isHere()) resume(Effect.void)
      }
      this.#onSettled()
    })
  }).pipe(
    Effect.timeoutOrElse({
      duration: welcomePatience,
      orElse: () =>
        Effect.fail(new BenchError({ message: `The honest pair did not get in: ${this.cuts.slice(0, 3).join(", ")}` }))
    })
  )
  readonly #settled = new Set<Member>()
  #onSettled: () => void = () => {}

  /** Asks everything at its rate for so many seconds. */
  ask(seconds: number): Effect.Effect<void> {
    return Effect.forEach(
      this.probes,
      (probe) => atRate(Math.max(1, Math.round(rates[probe] * seconds)), rates[probe], () => this.#begin(probe)),
      { concurrency: "unbounded", discard: true }
    )
  }

  get isWaiting(): boolean {
    return probeNames.some((probe) => this.watches[probe].isWaiting)
  }

  close(): void {
    this.#isOver = true
    for (const person of [...this.#people, ...this.#visitors]) person.close()
  }

  #arrive(index: number): Member {
    const { address, connect, pair, room } = this.#options
    const person = new Member(`${pair}${++named}`, address.dialect, address.port, connect)
    const where =
      room === undefined
        ? []
        : [
            { _tag: "CreateRoom", room },
            { _tag: "JoinRoom", room, id: "join-0" }
          ]
    person.onOpen = () => {
      const messages = [{ _tag: "Handshake", user: person.name }, ...where, { _tag: "Ping", nonce: 0 }]
      person.write(messages.map(lineOf).join(""))
    }
    person.onLine = (line, now) => this.#hear(person, index, line, now)
    person.onClose = (reason) => {
      if (this.#isOver) return
      this.cuts.push(reasonOf(reason))
      setTimeout(() => {
        if (!this.#isOver) this.#people[index] = this.#arrive(index)
      }, comeBackMillis)
    }
    return person
  }

  #hear(person: Member, index: number, line: string, now: number): void {
    switch (tagOf(line)) {
      case "Pong": {
        const nonce = /"nonce":(\d+)/.exec(line)?.[1] ?? ""
        if (nonce !== "0") return this.watches.ping.end(`ping-${nonce}`, now)
        if (this.#options.room === undefined) this.#settle(person)
        return
      }
      case "RoomJoined":
        return idOf(line) === "join-0" ? this.#settle(person) : this.watches.idle.end(idOf(line), now)
      case "RoomLeft":
        return this.watches.idle.end(idOf(line), now)
      case "GlobalMessage":
      case "RoomMessage":
      case "PrivateMessage": {
        const [, probe, number, from] = contentOf(line) ?? []
        // The one who wrote it hears it too.
        if (from === String(index)) return
        if (probe === "message") this.watches.message.end(`message-${number}`, now)
        if (probe === "private") this.watches.private.end(`private-${number}`, now)
        return
      }
      case "UserList":
      case "RoomList":
        return this.#turnPage(person, line, now)
      case "SearchResults":
        return this.watches.search.end(idOf(line), now)
      case "Rejected":
        return this.#refused(line)
    }
  }

  #settle(person: Member): void {
    this.#settled.add(person)
    this.#onSettled()
  }

  #refused(line: string): void {
    const id = idOf(line)
    const probe = probeNames.find((name) => id.startsWith(`${name}-`))
    if (probe !== undefined) this.watches[probe].refuse(id, reasonOf(line))
  }

  /** A list is read when its last page is. */
  #turnPage(person: Member, line: string, now: number): void {
    const { id = "", more = false, rooms, users } = Option.getOrElse(readList(line), () => notAList)
    const last = rooms?.at(-1)?.room ?? users?.at(-1)
    if (!more || last === undefined) return this.watches.list.end(id, now)
    person.write(lineOf({ _tag: rooms === undefined ? "ListUsers" : "ListRooms", after: last, id }))
  }

  #begin(probe: ProbeName): void {
    const number = ++this.#numbers
    const id = `${probe}-${number}`
    const now = performance.now()
    this.watches[probe].begin(id, now)
    if (probe === "login") return this.#logIn(id)
    const { message, speaker } = this.#request(probe, number, id)
    speaker.write(lineOf(message))
  }

  #request(probe: Exclude<ProbeName, "login">, number: number, id: string) {
    const [one, other, asker] = this.#people
    const from = number % 2
    const [speaker, listener] = from === 0 ? [one, other] : [other, one]
    const { room } = this.#options
    switch (probe) {
      case "ping":
        return { speaker: asker, message: { _tag: "Ping", nonce: number } }
      case "message": {
        const content = `${id} from ${from}`
        const where = room === undefined ? { _tag: "GlobalMessage" } : { _tag: "RoomMessage", room }
        return { speaker, message: { ...where, content, id } }
      }
      case "private":
        return { speaker, message: { _tag: "PrivateMessage", to: listener.name, content: `${id} from ${from}`, id } }
      case "list":
        return { speaker: asker, message: { _tag: from === 0 ? "ListUsers" : "ListRooms", id } }
      case "idle":
        return { speaker: asker, message: { _tag: this.#isIn() ? "LeaveRoom" : "JoinRoom", room: idleRoom, id } }
      case "search":
        return { speaker: asker, message: { _tag: "Search", query: "hello", limit: 10, id } }
    }
  }

  #idleVisits = 0
  #isIn(): boolean {
    return this.#idleVisits++ % 2 === 1
  }

  /** Somebody connects, is welcomed, and leaves. */
  #logIn(id: string): void {
    const { address, connect } = this.#options
    const visitor = new Member(`v${++named}`, address.dialect, address.port, connect)
    this.#visitors.add(visitor)
    const leave = () => {
      this.#visitors.delete(visitor)
      visitor.close()
    }
    visitor.onOpen = () => visitor.write(visitor.dialect.hello(visitor.name))
    visitor.onLine = (line, now) => {
      if (visitor.dialect.isWelcome(line)) this.watches.login.end(id, now)
      else if (tagOf(line) === "Rejected") this.watches.login.refuse(id, reasonOf(line))
      else return
      leave()
    }
    visitor.onClose = (reason) => {
      this.watches.login.refuse(id, reason)
      leave()
    }
  }
}

const lineOf = (message: object) => `${JSON.stringify(message)}\n`

/** Honest people who want in, some a second, and stay: how many were welcomed. */
export const arrive = (address: Address, connect: Connect, count: number, seconds: number) => {
  const people: Array<Member> = []
  let welcomed = 0
  return {
    come: atRate(count, count / seconds, () => {
      const person = new Member(`c${++named}`, address.dialect, address.port, connect)
      people.push(person)
      person.onOpen = () => person.write(person.dialect.hello(person.name))
      person.onLine = (line) => {
        if (person.dialect.isWelcome(line)) welcomed++
      }
    }),
    welcomed: () => welcomed,
    close: () => {
      for (const person of people) person.close()
    }
  }
}
