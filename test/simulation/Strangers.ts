/**
 * Who has no client of ours: connections that say what they like, all at once, and end or fall silent at any point.
 *
 * They come under a few names, some of them taken, ask for much, read it or do not, and are closed, reset, closed halfway
 * or forgotten, in the middle of a line, before the Handshake, or while they are being answered.
 */
import { type Array as Arr, Effect, Exit, Scope } from "effect"
import type { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import type { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import { encodeLine } from "../../src/connection/Line.ts"
import type { Chance } from "./Chance.ts"
import { reactions } from "./Deeds.ts"
import type { Disk } from "./Disk.ts"
import { lobbyKey, roomKey } from "./Entries.ts"
import type { Journal } from "./Journal.ts"
import type { Network } from "./Network.ts"

export interface StrangersOptions {
  readonly chance: Chance
  readonly disk: Disk
  readonly journal: Journal
  readonly network: Network
  readonly scope: Scope.Scope
  readonly rooms: Arr.NonEmptyReadonlyArray<RoomName>
  /** Names that others have. */
  readonly names: Arr.NonEmptyReadonlyArray<UserName>
}

interface Stranger {
  readonly name: string
  readonly scope: Scope.Closeable
}

export class Strangers {
  readonly #options: StrangersOptions
  #here: Array<Stranger> = []
  #count = 0
  #said = 0

  constructor(options: StrangersOptions) {
    this.#options = options
  }

  /** One comes, says all it has to say, and may stop reading. */
  readonly come = Effect.fnUntraced({ self: this }, function* (this: Strangers, mayTakeNames: boolean) {
    const { chance, journal, network, scope } = this.#options
    const name = `stranger${++this.#count}`
    const end = network.connect(name)
    if (end === undefined) return
    const own = yield* Scope.fork(scope)
    this.#here.push({ name, scope: own })
    const { reader, writer } = end.socket
    const said = this.#words(mayTakeNames)
    journal.note(`${name} says ${said.length} lines`)
    if (chance.is(0.4)) network.setPaused(name, "client", true)
    yield* Effect.gen(function* () {
      const { pull } = yield* reader
      const { writeAll } = yield* writer
      yield* Effect.forkScoped(Effect.ignore(Effect.forever(pull)))
      const [line, ...others] = said
      if (line !== undefined) yield* Effect.forkScoped(Effect.ignore(writeAll([line, ...others])))
    }).pipe(Scope.provide(own), Effect.orDie)
  })

  /** One of them goes, in one of the ways there are. */
  readonly go = Effect.suspend(() => {
    const { chance, network } = this.#options
    const [one] = this.#here.splice(chance.between(0, this.#here.length - 1), 1)
    if (one === undefined) return Effect.void
    const dice = chance.next()
    if (dice < 0.4) network.lose(one.name)
    else if (dice < 0.6) network.halfClose(one.name)
    // Who has closed halfway goes for good when all go.
    if (dice >= 0.4 && dice < 0.6) this.#here.push(one)
    else return Scope.close(one.scope, Exit.void)
    return Effect.void
  })

  readonly allGo = Effect.suspend(() =>
    Effect.forEach(this.#here.splice(0), ({ scope }) => Scope.close(scope, Exit.void), { discard: true })
  )

  #words(mayTakeNames: boolean): ReadonlyArray<Uint8Array> {
    const { chance, names } = this.#options
    const dice = chance.next()
    if (dice < 0.1) return []
    if (dice < 0.15) return [Buffer.from('{"_tag":"Handsh')]
    if (dice < 0.2) return [Buffer.from("GET / HTTP/1.1\r\n\r\n")]
    const user = mayTakeNames && chance.is(0.1) ? chance.pick(names) : UserName.make(`x${this.#count}`)
    const after = chance.is(0.5) ? { after: { lobby: this.#cursor(undefined) } } : {}
    // Some want nothing but what takes long to find.
    const isGreedy = chance.is(0.3)
    const requests = Array.from({ length: chance.between(0, 20) }, (_, index) =>
      this.#request(`${index + 1}`, isGreedy)
    )
    return [{ _tag: "Handshake", id: "0", user, ...after } as const, ...requests].map(encodeLine)
  }

  #cursor(room: RoomName | undefined) {
    const { chance, disk } = this.#options
    const log = room === undefined ? lobbyKey : roomKey(room)
    // Many from the same place: what is read for one may be kept for the next.
    const newest = disk.newest(log)
    const seq = chance.pick([0, 0, chance.between(0, newest), chance.between(0, newest), newest + chance.between(1, 5)])
    return { epoch: disk.epochOf(log), seq }
  }

  #request(id: string, isGreedy: boolean): ClientMessage {
    const { chance, disk, names, rooms } = this.#options
    const room = chance.pick(rooms)
    const where = chance.is(0.5) ? { room } : {}
    const content = `a stranger's ${++this.#said}`
    const key = chance.is(0.3) ? { key: `a stranger's key ${chance.between(1, 3)}` } : {}
    const newest = disk.newest(where.room === undefined ? lobbyKey : roomKey(where.room))
    // Some of it is only about to be there.
    const target = chance.between(Math.max(0, newest - 5), newest + 10)
    const dear: Arr.NonEmptyReadonlyArray<() => ClientMessage> = [
      () => ({ _tag: "JoinRoom", id, room, ...(chance.is(0.7) && { after: this.#cursor(room) }) }),
      () => ({ _tag: "GetHistory", id, ...where, limit: chance.between(1, 500) }),
      () => ({ _tag: "GetHistory", id, ...where, after: this.#cursor(where.room).seq, limit: 500 }),
      () => ({ _tag: "Search", id, ...where, query: chance.pick(["ada", "another", "ben 1", "stranger"]) }),
      () => ({ _tag: "Search", id, query: "cyd" })
    ]
    const cheap: Arr.NonEmptyReadonlyArray<() => ClientMessage> = [
      () => ({ _tag: "ListUsers", id }),
      () => ({ _tag: "ListRooms", id }),
      () => ({ _tag: "ListRoomUsers", id, room }),
      () => ({ _tag: "PrivateMessage", id, to: chance.pick(names), content }),
      () => ({ _tag: "GlobalMessage", id, content }),
      () => ({ _tag: "GlobalMessage", id, content, replyTo: target, ...key }),
      () => ({ _tag: "EditMessage", id, ...where, target, content, ...key }),
      () => ({ _tag: "DeleteMessage", id, ...where, target, ...key }),
      () => ({ _tag: "React", id, ...where, target, reaction: chance.pick(reactions), ...key }),
      () => ({ _tag: "React", id, ...where, target, reaction: chance.pick(reactions), remove: true }),
      () => ({ _tag: "EditMessage", id, with: chance.pick(names), target, content }),
      () => ({ _tag: "RoomMessage", id, room, content }),
      () => ({ _tag: "LeaveRoom", id, room }),
      () => ({ _tag: "CreateRoom", id, room }),
      () => ({ _tag: "Ping", id, nonce: 1 })
    ]
    return chance.pick(isGreedy || chance.is(0.3) ? dear : cheap)()
  }
}
