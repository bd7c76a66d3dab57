import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Option } from "effect"
import type { Entry } from "../../../src/common/log/Entry.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Answer } from "../../../src/server/rooms/Deciding.ts"
import * as Room from "../../../src/server/rooms/Room.ts"
import type { RoomCommand, RoomCommandOf } from "../../../src/server/rooms/RoomCommand.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { type Asker, SessionId } from "../../../src/server/session/Asker.ts"
import type { Delivery } from "../../../src/server/session/Delivery.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"

/** What one of six connections does; two users have two of them each. */
interface Step {
  readonly what: "join" | "catchUp" | "leave" | "say"
  readonly who: number
  /** Says again what was said so many messages ago, if it was. */
  readonly again: number
}

const step: Arbitrary.Arbitrary<Step> = Arbitrary.all({
  what: oneOf<Step["what"]>("join", "join", "catchUp", "catchUp", "catchUp", "leave", "say", "say", "say"),
  who: wholeNumber(1, 6),
  again: wholeNumber(0, 9)
})
const steps = Arbitrary.array(step)
const conversation = oneOf<Room.Room["conversation"]>({ _tag: "Room", room: RoomName.make("dev") }, { _tag: "Lobby" })

const userOf = (who: number) => UserName.make(`user${who > 4 ? who - 4 : who}`)
const askerOf = (who: number, id: number): Asker => ({
  session: SessionId.make(who),
  user: userOf(who),
  request: id
})
const sorted = (names: Iterable<string>) => [...new Set(names)].toSorted()

/** A room as one would write it down: who is in, the log, and what everybody has heard and been answered. */
class NaiveRoom {
  room: Room.Room
  readonly members = new Set<number>()
  readonly log: Array<Entry> = []
  readonly heard = new Map<number, Array<string>>()
  #ids = 0

  constructor(conversation: Room.Room["conversation"]) {
    this.room = Room.make(conversation)
  }

  /** What each connection is given by some deliveries, in order. */
  #given(deliveries: ReadonlyArray<Delivery>): ReadonlyMap<number, ReadonlyArray<string>> {
    const given = new Map<number, Array<string>>()
    const give = (to: number, text: string) => given.set(to, [...(given.get(to) ?? []), text])
    for (const delivery of deliveries) {
      if (delivery._tag === "Reply") give(delivery.to.session, `${delivery.message._tag} to ${delivery.to.request}`)
      else if (delivery._tag === "Tell") {
        for (const to of delivery.to) for (const message of delivery.messages) give(to, showMessage(message))
      }
    }
    return given
  }

  refusal(command: RoomCommand): string | undefined {
    return Option.getOrUndefined(Room.refusal(this.room, command))?._tag
  }

  join(who: number): void {
    const from = askerOf(who, ++this.#ids)
    const isRoom = this.room.conversation._tag === "Room"
    const expected = isRoom && this.members.has(who) ? "AlreadyInRoom" : undefined
    assert.strictEqual(this.refusal({ _tag: "Join", from, after: undefined }), expected)
    if (this.members.has(who)) return
    this.room = Room.join(this.room, from)
    this.members.add(who)
  }

  catchUp(who: number): void {
    this.room = Room.caughtUp(this.room, SessionId.make(who))
    if (this.members.has(who) && !this.heard.has(who)) this.heard.set(who, [])
  }

  leave(who: number): void {
    const from = askerOf(who, ++this.#ids)
    const isRoom = this.room.conversation._tag === "Room"
    const expected = isRoom && !this.members.has(who) ? "NotInRoom" : undefined
    assert.strictEqual(this.refusal({ _tag: "Leave", from }), expected)
    const left = Room.leave(this.room, from.session)
    assert.strictEqual(Option.isSome(left), this.members.has(who))
    if (Option.isNone(left)) return
    this.members.delete(who)
    this.heard.delete(who)
    const isNameGone = ![...this.members].some((other) => userOf(other) === userOf(who))
    assert.deepInclude(left.value, { user: userOf(who), isNameGone })
    this.room = left.value.room
  }

  /** Several connections say something at the same time: one run, which is decided and stored. */
  say(batch: ReadonlyArray<Step>): void {
    const run: Array<RoomCommandOf<"Act">> = []
    const answers: Array<Answer> = []
    const fresh: Array<Entry> = []
    const expected = new Map<number, Array<string>>()
    for (const { again, who } of batch) {
      const from = askerOf(who, ++this.#ids)
      const first = this.log.at(-1 - again)
      const repeated = again > 6 && first !== undefined
      const body = repeated ? { _tag: "Said" as const, content: "again" } : say(`message ${from.request}`)
      const act: RoomCommandOf<"Act"> = { _tag: "Act", from, body, key: undefined }
      const mayNot = this.room.conversation._tag === "Room" && !this.members.has(who)
      assert.strictEqual(this.refusal(act), mayNot ? "NotInRoom" : undefined)
      if (!this.members.has(who)) continue
      const entry = repeated ? first : { seq: this.log.length + 1, at: 1000 + this.#ids, from: userOf(who), body }
      if (!repeated) {
        this.log.push(entry)
        fresh.push(entry)
      }
      run.push(act)
      answers.push({ _tag: "Stored", seq: entry.seq, at: entry.at, repeated })
      expected.set(who, [...(expected.get(who) ?? []), `Sent to ${from.request}`])
    }
    const given = this.#given([...Room.told(this.room, fresh), ...Room.answered(run, answers)])
    for (const who of [1, 2, 3, 4, 5, 6]) {
      const messages = this.heard.has(who) ? fresh.map(showEntry) : []
      assert.deepStrictEqual(given.get(who) ?? [], [...messages, ...(expected.get(who) ?? [])])
      this.heard.get(who)?.push(...messages)
    }
  }

  check(): void {
    const { room } = this
    assert.deepStrictEqual<ReadonlyArray<string>>(room.roster, sorted([...this.members].map(userOf)))
    assert.deepStrictEqual<ReadonlyArray<number>>([...Room.everybody(room)].toSorted(), [...this.members].toSorted())
    assert.strictEqual(Room.isEmpty(room), this.members.size === 0)
    for (const who of [1, 2, 3, 4, 5, 6]) {
      assert.strictEqual(Room.isMember(room, SessionId.make(who)), this.members.has(who))
    }
    const log = this.log.map(showEntry)
    for (const heard of this.heard.values()) assert.deepStrictEqual(heard, log.slice(log.length - heard.length))
  }
}

const showMessage = (message: object) =>
  "seq" in message && "content" in message ? `${message.seq} ${message.content}` : JSON.stringify(message)

const showEntry = ({ body, seq }: Entry) => showMessage({ seq, ...body })

const say = (content: string) => ({ _tag: "Said" as const, content })

const play = (naive: NaiveRoom, steps: ReadonlyArray<Step>) => {
  let batch: ReadonlyArray<Step> = []
  const flush = () => {
    naive.say(batch)
    batch = []
  }
  for (const step of steps) {
    if (step.what === "say") {
      batch = [...batch, step]
      continue
    }
    flush()
    if (step.what === "join") naive.join(step.who)
    else if (step.what === "catchUp") naive.catchUp(step.who)
    else naive.leave(step.who)
    naive.check()
  }
  flush()
  naive.check()
}

describe("A conversation with members", () => {
  it.prop(
    "lets every member who has caught up hear every message once and in order, its sender before its Sent, and nobody else",
    [conversation, steps],
    ([conversation, steps]) => play(new NaiveRoom(conversation), steps),
    tries(400, 40)
  )

  it.prop(
    "answers a repeat with where the first one stands, and tells nobody else",
    [conversation, wholeNumber(1, 5)],
    ([conversation, seq]) => {
      const from = askerOf(1, 1)
      const room = Room.join(Room.make(conversation), from)
      const act: RoomCommandOf<"Act"> = { _tag: "Act", from, body: say("x"), key: undefined }
      assert.isTrue(Room.isMember(room, from.session))
      assert.deepStrictEqual(Room.told(room, []), [])
      assert.deepStrictEqual(Room.answered([act], [{ _tag: "Stored", seq, at: 7, repeated: true }]), [
        { _tag: "Reply", to: from, message: { _tag: "Sent", seq, at: 7, repeated: true } }
      ])
    },
    tries(20)
  )

  it("tells who is put out of that, and of nothing behind it", () => {
    const dev = Room.make({ _tag: "Room", room: RoomName.make("dev") })
    const members = [1, 2, 5].map((who) => askerOf(who, 1))
    const room = members.reduce((room, from) => Room.caughtUp(Room.join(room, from), from.session), dev)
    // The fifth is the first again, on another connection.
    const bodies = [say("before"), { _tag: "Banned" as const, user: userOf(1) }, say("behind"), say("at last")]
    const entries = bodies.map((body, index): Entry => ({ seq: index + 1, at: 7, from: userOf(2), body }))
    const heard = Room.told(room, entries).flatMap((one) =>
      one._tag === "Tell" ? one.to.map((to) => [to, one.messages.map(({ _tag }) => _tag)] as const) : []
    )
    const ofAll = (session: number) => heard.filter(([to]) => to === session).flatMap(([, tags]) => tags)
    for (const session of [1, 5]) assert.deepStrictEqual(ofAll(session), ["RoomMessage", "Banned"])
    assert.deepStrictEqual(ofAll(2), ["RoomMessage", "Banned", "RoomMessage", "RoomMessage"])
  })

  it.prop(
    "names who is in to whoever joins, newcomer included, in order",
    [Arbitrary.array(wholeNumber(1, 6), { minLength: 1 })],
    ([joiners]) => {
      let room = Room.make({ _tag: "Room", room: RoomName.make("Dev") })
      const joined = new Set<number>()
      for (const who of joiners) {
        joined.add(who)
        room = Room.join(room, askerOf(who, 1))
        assert.deepStrictEqual(Room.usersOf(room, undefined), {
          users: sorted([...joined].map(userOf)).map((user) => UserName.make(user)),
          count: new Set([...joined].map(userOf)).size
        })
      }
    },
    tries(50)
  )

  it.prop(
    "gives its members in pages of at most a thousand, those in and those away in one order, and counts both",
    [wholeNumber(0, 2300), wholeNumber(0, 2300), wholeNumber(1, 5)],
    ([present, away, stride]) => {
      const names = Array.from({ length: present + away }, (_, index) => UserName.make(`user${10_000 + index}`))
      // Those in are spread among those away.
      const isPresent = (index: number) =>
        (index % stride === 0 && index / stride < present) || index >= present * stride
      const members = names.map((user, index) => ({ account: AccountId.make(index), user }))
      const inside = members.filter((_, index) => isPresent(index))
      const room = inside.reduce(
        (room, { user }, index) => Room.join(room, { ...askerOf(index, 1), user }),
        Room.make(
          { _tag: "Room", room: RoomName.make("dev") },
          members.filter((_, index) => !isPresent(index))
        )
      )
      const users: Array<string> = []
      const absent: Array<string> = []
      let after: string | undefined
      for (let more = true; more;) {
        const page = { away: [], ...Room.membersOf(room, after) }
        assert.isAtMost(page.users.length + page.away.length, 1000)
        assert.strictEqual(page.count, names.length)
        const behind = after ?? ""
        for (const name of [...page.users, ...page.away]) assert.isTrue(name > behind)
        users.push(...page.users)
        absent.push(...page.away)
        after = [...page.users, ...page.away].toSorted().at(-1)
        more = page.more === true
      }
      assert.deepStrictEqual<ReadonlyArray<string>>(
        users,
        inside.map(({ user }) => user)
      )
      assert.deepStrictEqual<ReadonlyArray<string>>(
        absent,
        names.filter((_, index) => !isPresent(index))
      )
    },
    tries(12)
  )

  it("keeps a member away whom no connection is in for, and as it is spelled there; a guest only while it is in", () => {
    const ada = { account: AccountId.make(1), user: UserName.make("Ada") }
    const empty = Room.make({ _tag: "Room", room: RoomName.make("dev") })
    const one: Asker = { ...askerOf(1, 1), ...ada }
    const other: Asker = { ...askerOf(2, 1), ...ada }
    const guest = askerOf(3, 1)
    let room = [one, other, guest].reduce(Room.join, Room.enrol(empty, ada))
    assert.deepStrictEqual<ReadonlyArray<string>>(room.away, [])
    for (const { session } of [one, guest]) room = Option.getOrThrow(Room.leave(room, session)).room
    assert.deepStrictEqual<ReadonlyArray<string>>([...room.roster, ...room.away], ["Ada"])
    room = Option.getOrThrow(Room.leave(room, other.session)).room
    assert.deepStrictEqual([room.roster, room.away], [[], [ada.user]])
    assert.isTrue(Room.isEmpty(room))
    const away: Asker = { ...askerOf(4, 1), ...ada }
    const range = { before: undefined, after: undefined, limit: 50 }
    const refusals = (from: Asker) =>
      [
        Room.refusal(room, { _tag: "Join", from, after: undefined }),
        Room.refusal(room, { _tag: "Leave", from }),
        Room.refusal(room, { _tag: "ReadHistory", from, range }),
        Room.refusal(room, { _tag: "Act", from, body: say("x"), key: undefined })
      ].map((refusal) => Option.getOrUndefined(refusal)?._tag ?? "ok")
    assert.deepStrictEqual(refusals(away), ["ok", "ok", "ok", "NotInRoom"])
    assert.deepStrictEqual(refusals({ ...away, account: AccountId.make(2) }), [
      "ok",
      "NotInRoom",
      "NotInRoom",
      "NotInRoom"
    ])
    assert.deepStrictEqual(Room.dismiss(room, { ...ada, account: AccountId.make(2) }), room)
    room = Room.dismiss(room, ada)
    assert.deepStrictEqual([room.away, Room.countEnrolled(room)], [[], 0])
    assert.deepStrictEqual(refusals(away), ["ok", "NotInRoom", "NotInRoom", "NotInRoom"])
  })

  it("names who is in as its latest connection spells it, whichever goes first", () => {
    const loud: Asker = { ...askerOf(2, 1), user: UserName.make("USER1") }
    const both = Room.join(Room.join(Room.make({ _tag: "Lobby" }), askerOf(1, 1)), loud)
    assert.deepStrictEqual<ReadonlyArray<string>>(both.roster, ["USER1"])
    const left = Option.getOrThrow(Room.leave(both, SessionId.make(2)))
    assert.deepStrictEqual<ReadonlyArray<string>>(left.room.roster, ["user1"])
    assert.isFalse(left.isNameGone)
    const gone = Option.getOrThrow(Room.leave(left.room, SessionId.make(1)))
    assert.deepStrictEqual([gone.isNameGone, gone.room.roster], [true, []])
  })

  it("keeps a name in while a later connection has it, however the earlier one goes", () => {
    const before = Room.join(Room.make({ _tag: "Lobby" }), askerOf(1, 1))
    const again: Asker = { ...askerOf(2, 1), user: UserName.make("USER1") }
    const left = Option.getOrThrow(Room.leave(Room.join(before, again), SessionId.make(1)))
    assert.isFalse(left.isNameGone)
    assert.deepStrictEqual<ReadonlyArray<string>>(left.room.roster, ["USER1"])
    const gone = Option.getOrThrow(Room.leave(left.room, SessionId.make(2)))
    assert.isTrue(gone.isNameGone)
    assert.deepStrictEqual(gone.room.roster, [])
  })
})
