/**
 * Judges what an account is told of itself on one connection, at the moment it is told, by what is kept.
 *
 * 1. Whoever is told to have joined a room is a member of it by then, unless somebody left meanwhile; and the other way round.
 * 2. A mark that is told is kept.
 * 3. What a Welcome says is unread is so, counted again message by message, where nothing was stored meanwhile.
 */
import { Effect } from "effect"
import { nameKey } from "../../src/common/name/Name.ts"
import type { RoomName } from "../../src/common/name/RoomName.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import type { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import type { ServerMessage, ServerMessageOf } from "../../src/common/wire/ServerMessage.ts"
import type { Member, ReadPlace } from "../../src/server/accounts/Memberships.ts"
import type { Partner } from "../../src/server/history/Partner.ts"
import { authorOfAccount } from "../../src/server/session/AccountId.ts"
import type { Disk } from "./Disk.ts"
import { roomKey } from "./Entries.ts"
import type { Safe } from "./Safe.ts"

/** How many requests there were to come and go, and how many of them have no answer yet; those that were cut off never have. */
interface Changes {
  joins: number
  leaves: number
  openJoins: number
  openLeaves: number
}

/** Of all accounts and rooms. */
export class Comings {
  readonly #changes = new Map<string, Changes>()

  of({ account }: Member, room: RoomName): Changes {
    const name = `${account} ${nameKey(room)}`
    const known = this.#changes.get(name) ?? { joins: 0, leaves: 0, openJoins: 0, openLeaves: 0 }
    this.#changes.set(name, known)
    return known
  }
}

export interface AccountWitness {
  readonly safe: Safe
  readonly disk: Disk
  readonly comings: Comings
}

export class AccountWatch {
  readonly #witness: AccountWitness
  readonly #asked = new Map<string, Changes>()
  readonly member: Member

  constructor(member: Member, witness: AccountWitness) {
    this.member = member
    this.#witness = witness
  }

  said(message: ClientMessage): void {
    if (message._tag !== "JoinRoom" && message._tag !== "LeaveRoom") return
    const changes = this.#witness.comings.of(this.member, message.room)
    if (message.id !== undefined) this.#asked.set(message.id, { ...changes })
    if (message._tag === "JoinRoom") {
      changes.joins++
      changes.openJoins++
    } else {
      changes.leaves++
      changes.openLeaves++
    }
  }

  /** What is wrong with a reply, if anything is. `isStill`: nothing was stored since it was asked for. */
  told(message: ServerMessage, request: ClientMessage, isStill: boolean): string | undefined {
    if (request._tag === "JoinRoom" || request._tag === "LeaveRoom") return this.#toldOfRoom(message, request)
    if (message._tag === "ReadMarked") return this.#toldMark(message)
    return message._tag === "Welcome" && isStill ? this.#toldStanding(message) : undefined
  }

  #toldOfRoom(
    message: ServerMessage,
    request: Extract<ClientMessage, { readonly _tag: "JoinRoom" | "LeaveRoom" }>
  ): string | undefined {
    const { comings, safe } = this.#witness
    const now = comings.of(this.member, request.room)
    const before = this.#asked.get(request.id ?? "")
    if (request._tag === "JoinRoom") now.openJoins--
    else now.openLeaves--
    if (before === undefined) return undefined
    const isMember = Effect.runSync(safe.isMember(this.member, request.room))
    if (message._tag === "RoomJoined" && before.openLeaves === 0 && before.leaves === now.leaves && !isMember) {
      return `it is told that it joined ${request.room}, and is no member`
    }
    if (message._tag === "RoomLeft" && before.openJoins === 0 && before.joins === now.joins && isMember) {
      return `it is told that it left ${request.room}, and is still a member`
    }
    return undefined
  }

  #toldMark({ room, seq, with: partner }: ServerMessageOf<"ReadMarked">): string | undefined {
    const kept = Effect.runSync(this.#witness.safe.markOf(this.member, placeOf(room, partner)))
    return seq <= kept ? undefined : `it is told that it has read up to ${seq}, and ${kept} is kept`
  }

  #toldStanding({ conversations = [], rooms = [] }: ServerMessageOf<"Welcome">): string | undefined {
    const { safe } = this.#witness
    for (const { mentions, read, room, seq, unread } of rooms) {
      const counted = this.#count(roomKey(room), read, undefined)
      const isRight = counted.newest === seq && counted.unread === unread && counted.mentions === mentions
      if (!isRight)
        return `it is told of ${JSON.stringify({ room, read, seq, unread, mentions })}, not ${JSON.stringify(counted)}`
    }
    for (const { read, seq, unread, with: partner } of conversations) {
      const counted = this.#count(safe.inboxKey(this.member.user) ?? "", read, safe.partnerNamed(partner))
      const isRight = counted.newestMessage === seq && counted.unread === unread
      if (!isRight)
        return `it is told of ${JSON.stringify({ partner, read, seq, unread })}, not ${JSON.stringify(counted)}`
    }
    return undefined
  }

  #count(name: string, read: number, partner: Partner | undefined) {
    const log = this.#witness.disk.log(name)
    const { account, user } = this.member
    const messages = log?.views(partner) ?? []
    const own = authorOfAccount(account)
    const unread = messages.flatMap(({ seq, view }) =>
      view._tag === "Message" && seq > read && log?.authors[seq - 1] !== own ? [view.content] : []
    )
    return {
      newest: log?.newest ?? 0,
      newestMessage: messages.at(-1)?.seq ?? 0,
      unread: Math.min(unread.length, 1000),
      mentions: Math.min(unread.filter((content) => content.split(" ").includes(`@${user}`)).length, 1000)
    }
  }
}

const placeOf = (room: RoomName | undefined, partner: UserName | undefined): ReadPlace => {
  if (room !== undefined) return { _tag: "Room", room }
  return partner === undefined ? { _tag: "Lobby" } : { _tag: "With", user: partner }
}
