/** Memberships, read marks and logs as anybody would keep them in lists, and what may be done to them. */
import { Arbitrary } from "effect"
import { AuthorId, type Body, type Entry } from "../../../src/common/log/Entry.ts"
import { mentions } from "../../../src/common/log/Mentions.ts"
import * as Timeline from "../../../src/common/log/Timeline.ts"
import { nameKey } from "../../../src/common/name/Name.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Member } from "../../../src/server/accounts/Memberships.ts"
import { AccountId, authorOfAccount } from "../../../src/server/session/AccountId.ts"
import { oneOf, wholeNumber } from "../../support/generators.ts"

const member = (id: number, name: string): Member => ({ account: AccountId.make(id), user: UserName.make(name) })
const [ada, bob, gass] = [member(1, "Ada"), member(2, "bob"), member(3, "Straße")]

/** Made in this order in whatever begins with nothing; in the order of their names. */
export const members: ReadonlyArray<Member> = [ada, bob, gass]

export type Place = RoomName | "the lobby"

export type Step =
  | { readonly do: "say"; readonly place: Place; readonly by: Writer; readonly content: string }
  | {
      readonly do: "edit" | "delete"
      readonly place: Place
      readonly by: Writer
      readonly back: number
      readonly content: string
    }
  | { readonly do: "mark"; readonly member: Member; readonly place: Place; readonly back: number }
  | { readonly do: "join" | "leave"; readonly member: Member; readonly room: RoomName }
  | { readonly do: "forget"; readonly room: RoomName }
  | { readonly do: "delete account"; readonly member: Member }
  | { readonly do: "whisper"; readonly from: Correspondent; readonly to: Member }
  | { readonly do: "unsay"; readonly member: Member; readonly back: number }
  | { readonly do: "mark with"; readonly member: Member; readonly with: Correspondent; readonly back: number }
  | { readonly do: "restart" }

/** Somebody with whom private messages are exchanged: an account, or a guest. */
export interface Correspondent {
  readonly account: AccountId | undefined
  readonly user: UserName
}

interface Writer {
  readonly from: UserName
  readonly author: AuthorId | undefined
}

const someWriter = oneOf<Writer>(
  { from: UserName.make("Ada"), author: authorOfAccount(AccountId.make(1)) },
  { from: UserName.make("bob"), author: authorOfAccount(AccountId.make(2)) },
  { from: UserName.make("Straße"), author: authorOfAccount(AccountId.make(3)) },
  // Before there were accounts, or when these were guests.
  { from: UserName.make("ADA"), author: undefined },
  { from: UserName.make("BOB"), author: AuthorId.make("a1b2c3.7") },
  { from: UserName.make("STRASSE"), author: AuthorId.make("zzz.1") },
  { from: UserName.make("straße"), author: undefined },
  { from: UserName.make("漢"), author: undefined },
  // An account that had the name before.
  { from: UserName.make("ada"), author: authorOfAccount(AccountId.make(99)) }
)
const someContent = oneOf(
  "hi",
  "@ada",
  "@ADA!",
  "@ada.b",
  "@bob, @straße",
  "@STRASSE.",
  "@Ａｄａ",
  "a@b",
  "@bob_",
  "@bo%",
  "👋 @bob"
)
const someMember = oneOf(ada, bob, gass)
const [dev, ...others] = [
  RoomName.make("dev"),
  RoomName.make("DEV"),
  RoomName.make("Ж"),
  RoomName.make("lobby")
] as const
const someRoom = oneOf<RoomName>(dev, ...others)
const somePlace = oneOf<Place>("the lobby", dev, ...others, dev, ...others)
const someone = oneOf<Correspondent>(ada, bob, gass, { account: undefined, user: UserName.make("漢") })
const is = <Do extends Step["do"]>(what: Do) => oneOf(what)
const say = Arbitrary.all({ do: is("say"), place: somePlace, by: someWriter, content: someContent })
const back = wholeNumber(-1, 6)

export const someSteps = Arbitrary.array(
  Arbitrary.flatMap(
    oneOf<Arbitrary.Arbitrary<Step>>(
      say,
      say,
      say,
      say,
      Arbitrary.all({ do: is("edit"), place: somePlace, by: someWriter, back, content: someContent }),
      Arbitrary.all({
        do: oneOf<"delete" | "edit">("delete", "edit"),
        place: somePlace,
        by: someWriter,
        back,
        content: someContent
      }),
      Arbitrary.all({ do: is("mark"), member: someMember, place: somePlace, back }),
      Arbitrary.all({ do: oneOf<"join" | "leave">("join", "join", "leave"), member: someMember, room: someRoom }),
      Arbitrary.all({ do: is("join"), member: someMember, room: someRoom }),
      Arbitrary.all({ do: is("whisper"), from: someone, to: someMember }),
      Arbitrary.all({ do: is("whisper"), from: someone, to: someMember }),
      Arbitrary.all({ do: is("unsay"), member: someMember, back }),
      Arbitrary.all({ do: is("mark with"), member: someMember, with: someone, back }),
      oneOf<Step>({ do: "restart" }, { do: "forget", room: dev }, { do: "delete account", member: bob })
    ),
    (one) => one
  ),
  { maxLength: 40 }
)

interface Log {
  readonly entries: Array<Entry>
  readonly authors: Array<AuthorId | undefined>
}

/** What stands in an inbox. */
interface Private {
  readonly with: Correspondent
  readonly isOwn: boolean
  readonly isMessage: boolean
  isDeleted: boolean
  /** Its place in the other inbox, if that is an account's. */
  readonly twin: number
}

const keyOf = (place: Place) => (place === "the lobby" ? place : `room ${nameKey(place)}`)

export class NaiveMemberships {
  readonly #logs = new Map<string, Log>()
  #memberships: Array<{ readonly account: AccountId; readonly room: RoomName }> = []
  #marks: Array<{ readonly account: AccountId; readonly place: string; seq: number }> = []

  readonly #deleted = new Set<AccountId>()
  readonly #inboxes = new Map<AccountId, Array<Private>>()

  inbox({ account }: Member): Array<Private> {
    const inbox = this.#inboxes.get(account) ?? []
    this.#inboxes.set(account, inbox)
    return inbox
  }
  /** In both inboxes, or the one that there is. */
  whisper(from: Correspondent, to: Correspondent, isMessage = true) {
    const inboxes = [from, to].flatMap(({ account, user }) =>
      account === undefined ? [] : [this.inbox({ account, user })]
    )
    const [mine, theirs] = inboxes.map((inbox) => inbox.length + 1)
    for (const [index, inbox] of inboxes.entries()) {
      const isOwn = from.account !== undefined && index === 0
      const twin = (isOwn ? theirs : mine) ?? 0
      inbox.push({ with: isOwn ? to : from, isOwn, isMessage, isDeleted: false, twin })
    }
  }
  /** The place of something one said oneself, so many messages ago, and to whom. */
  ownMessage(member: Member, back: number) {
    const own = [...this.inbox(member).entries()].filter(([, { isMessage, isOwn }]) => isMessage && isOwn)
    const [index, one] = own.at(-1 - Math.max(0, back)) ?? []
    return index === undefined || one === undefined ? undefined : { seq: index + 1, one }
  }
  unsay(member: Member, one: Private) {
    one.isDeleted = true
    const { account, user } = one.with
    const other = account === undefined ? undefined : this.inbox({ account, user })[one.twin - 1]
    if (other !== undefined) other.isDeleted = true
    this.whisper(member, one.with, false)
  }
  markWith(member: Member, correspondent: Correspondent, seq: number): number {
    if (this.#deleted.has(member.account)) return 0
    if (!this.inbox(member).some((one) => one.isMessage && one.with.user === correspondent.user)) return 0
    const place = `with ${correspondent.user}`
    const before = this.#marks.find((mark) => mark.account === member.account && mark.place === place)
    const now = Math.max(before?.seq ?? 0, Math.min(seq, this.inbox(member).length))
    this.#marks = this.#marks.filter((mark) => mark !== before)
    this.#marks.push({ account: member.account, place, seq: now })
    return now
  }
  #conversations(member: Member) {
    const inbox = this.inbox(member)
    return Array.from(new Set(inbox.map((one) => one.with.user)), (user) => {
      const read =
        this.#marks.find((mark) => mark.account === member.account && mark.place === `with ${user}`)?.seq ?? 0
      const messages = [...inbox.entries()].filter(([, one]) => one.with.user === user && one.isMessage)
      const unread = messages.filter(([index, one]) => index + 1 > read && !one.isOwn && !one.isDeleted).length
      return { with: user, seq: (messages.at(-1)?.[0] ?? 0) + 1, read, unread }
    }).toSorted((one, other) => other.seq - one.seq)
  }

  #log(place: Place) {
    const log = this.#logs.get(keyOf(place)) ?? { entries: [], authors: [] }
    this.#logs.set(keyOf(place), log)
    return log
  }
  newest(place: Place): number {
    return this.#log(place).entries.length
  }
  /** The place of what was written so many entries ago. */
  target(place: Place, back: number): number {
    return Math.max(1, this.newest(place) - back)
  }
  write(place: Place, { author, from }: Writer, body: Body) {
    const { authors, entries } = this.#log(place)
    entries.push({ seq: entries.length + 1, at: 1, from, body })
    authors.push(author)
  }
  #mark({ account }: Member, place: Place) {
    return this.#marks.find((mark) => mark.account === account && mark.place === keyOf(place))
  }
  mark(member: Member, place: Place, seq: number): number {
    if (this.#deleted.has(member.account)) return 0
    const before = this.#mark(member, place)?.seq ?? 0
    const now = Math.max(before, Math.min(seq, this.newest(place)))
    this.#marks = this.#marks.filter((mark) => mark !== this.#mark(member, place))
    this.#marks.push({ account: member.account, place: keyOf(place), seq: now })
    return now
  }
  join(member: Member, room: RoomName): number {
    if (this.#deleted.has(member.account)) return 0
    if (!this.#isIn(member, room)) this.#memberships.push({ account: member.account, room })
    if (this.#mark(member, room) === undefined) {
      this.#marks.push({ account: member.account, place: keyOf(room), seq: this.newest(room) })
    }
    return this.#mark(member, room)?.seq ?? 0
  }
  leave(member: Member, room: RoomName) {
    this.#memberships = this.#memberships.filter(
      (one) => one.account !== member.account || nameKey(one.room) !== nameKey(room)
    )
  }
  forget(room: RoomName) {
    this.#memberships = this.#memberships.filter((one) => nameKey(one.room) !== nameKey(room))
    this.#marks = this.#marks.filter(({ place }) => place !== keyOf(room))
  }
  /** From then on it joins nothing, and reads nothing. */
  delete({ account }: Member) {
    this.#deleted.add(account)
    this.#memberships = this.#memberships.filter((one) => one.account !== account)
    this.#marks = this.#marks.filter((one) => one.account !== account)
  }
  #isIn({ account }: Member, room: RoomName) {
    return this.#memberships.some((one) => one.account === account && nameKey(one.room) === nameKey(room))
  }
  members(room: RoomName): ReadonlyArray<Member> {
    return members.filter((member) => this.#isIn(member, room))
  }
  rooms({ account }: Member): ReadonlyArray<RoomName> {
    return this.#memberships
      .filter((one) => one.account === account)
      .map(({ room }) => room)
      .toSorted((one, other) => (nameKey(one) < nameKey(other) ? -1 : 1))
  }
  standing(member: Member) {
    return {
      rooms: this.rooms(member).map((room) => {
        const { authors, entries } = this.#log(room)
        const read = this.#mark(member, room)?.seq ?? 0
        const unread = [...Timeline.of(entries).values()].flatMap((message) => {
          if (message._tag !== "Message" || message.seq <= read) return []
          const author = authors[message.seq - 1]
          const isOwn =
            author === authorOfAccount(member.account) ||
            (author?.startsWith("account.") !== true && nameKey(message.from) === nameKey(member.user))
          return isOwn ? [] : [message.content]
        })
        const named = unread.filter((content) => mentions(content, member.user))
        return {
          room,
          seq: entries.length,
          read,
          unread: unread.length,
          mentions: named.length,
          role: "member" as const
        }
      }),
      conversations: this.#conversations(member),
      lobbyRead: this.#mark(member, "the lobby")?.seq ?? 0
    }
  }
}
