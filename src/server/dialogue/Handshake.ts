/**
 * How a stranger becomes a user: from the first message of a connection to its Welcome. Read it from top to bottom.
 *
 * A guest's waits for no disk, unless messages were missed: then the first of them are read before anything is said, and
 * what cannot be read refuses the Handshake, which may be tried again. Nothing is heard before Welcome. What fails behind the
 * claim gives the name back.
 */
import { Effect, Option, Redacted, Result } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { maxInvitations } from "../../common/wire/AccountMessage.ts"
import type { DeviceId } from "../../common/wire/AccountRequest.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { protocolVersion, type ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { Account } from "../accounts/Account.ts"
import { AccountNames } from "../accounts/AccountNames.ts"
import { AccountProcessor } from "../accounts/AccountProcessor.ts"
import type { AccountsCommandOf } from "../accounts/AccountsCommand.ts"
import { Blocks } from "../accounts/Blocks.ts"
import { Login } from "../accounts/Login.ts"
import { Memberships, type Standing } from "../accounts/Memberships.ts"
import type { Enrolled } from "../accounts/Proof.ts"
import { identity } from "../config/Identity.ts"
import { roleOf } from "../governance/Governance.ts"
import { partnerIn } from "../governance/Sealing.ts"
import { Governances, type Invitation } from "../history/Governances.ts"
import { Inboxes } from "../inbox/Inboxes.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import { aboutRoom } from "../rooms/Governing.ts"
import { Lobby } from "../rooms/Lobby.ts"
import type { CatchUp } from "../rooms/Newcomers.ts"
import { ServerProcessor } from "../routing/ServerProcessor.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker } from "../session/Asker.ts"
import type { Session } from "../session/Session.ts"
import { Sessions } from "../session/Sessions.ts"
import * as Identification from "./Identification.ts"

/**
 * What became of it. `Refused` has not been answered, and ends the connection where the reason does; after `Failed`, which has
 * been answered, it may try again; after `Challenged` it is to.
 */
export type Outcome =
  | {
      readonly _tag: "Welcomed"
      readonly user: UserName
      readonly account: AccountId | undefined
      readonly device: DeviceId | undefined
      readonly follow: Effect.Effect<void>
    }
  | { readonly _tag: "Challenged"; readonly nonce: string }
  | { readonly _tag: "Refused"; readonly reason: Rejection }
  | { readonly _tag: "Failed" }

/** Somebody with an account, on one of its devices. */
interface Owner {
  readonly account: Account
  readonly enrolled: Enrolled
}

export const make = Effect.gen(function* () {
  const accounts = yield* AccountProcessor
  const blocks = yield* Blocks
  const names = yield* AccountNames
  const identify = yield* Identification.make
  const inboxes = yield* Inboxes
  const lobby = yield* Lobby
  const governances = yield* Governances
  const login = yield* Login
  const memberships = yield* Memberships
  const server = yield* ServerProcessor
  const sessions = yield* Sessions

  const claim = (session: Session, user: UserName, account: AccountId | undefined) =>
    Mailbox.ask(server, { _tag: "Claim", session: session.id, user, ...(account !== undefined && { account }) })

  /** The account and the device it is from now on, if it is one; what was proven is here once it has the name. */
  const own = Effect.fnUntraced(function* (
    session: Session,
    greeting: Identification.Greeting,
    who: Identification.Identity
  ): Effect.fn.Return<Result.Result<Owner | undefined, Rejection>> {
    if (who._tag === "Account") {
      if (who.enrolled !== undefined) return Result.succeed({ account: who.account, enrolled: who.enrolled })
      const enrolled = yield* login.enrol(who, greeting.device)
      return Result.map(enrolled, (device) => ({ account: who.account, enrolled: device }))
    }
    if (who._tag !== "Newcomer") return Result.succeed(undefined)
    const registered = yield* who.register
    if (Result.isSuccess(registered)) {
      const { account } = registered.success
      yield* Mailbox.ask(server, { _tag: "Own", session: session.id, account: account.id, user: account.user })
    }
    return registered
  })

  const enter = Effect.fnUntraced(function* (
    session: Session,
    greeting: Identification.Greeting,
    who: Identification.Identity
  ): Effect.fn.Return<Outcome> {
    const { after, id } = greeting

    // 3. Whose it is.
    const owned = yield* own(session, greeting, who)
    if (Result.isFailure(owned)) return refused(owned.failure)
    const owner = owned.success
    const user = owner?.account.user ?? greeting.user
    if (owner !== undefined) {
      const { account, enrolled } = owner
      const owns = { account: account.id, device: enrolled.device }
      const ended = yield* Mailbox.ask(accounts, { _tag: "Connect", session: session.id, ...owns })
      if (Option.isSome(ended)) return refused(yield* login.whyNot(account.id))
    }

    // 4. The lobby, in which everybody is, and the account's own log.
    const request = session.requests.add({ id, about: undefined, characters: 0, isLarge: true })
    const from: Asker = {
      session: session.id,
      user,
      request,
      ...(owner !== undefined && { account: owner.account.id })
    }
    const joined = Option.getOrUndefined(yield* Mailbox.ask(lobby.mailbox, { _tag: "Join", from, after: after?.lobby }))
    // What could not be read has been answered.
    if (joined === undefined) return failed
    const found = owner === undefined ? undefined : yield* Effect.exit(look(from, owner, after?.inbox))
    if (found?._tag === "Failure") {
      sessions.refuse(from, { _tag: "StorageUnavailable" })
      return failed
    }

    // 5. Welcome. From now on others may write to it.
    const message = welcome(user, joined, after?.lobby !== undefined, owner, found?.value)
    sessions.deliver([{ _tag: "Begin", to: from, message }])
    Mailbox.tellUnsafe(server, { _tag: "Arrive", session: session.id })
    if (found !== undefined) {
      Mailbox.tellUnsafe(accounts, { _tag: "Welcomed", session: session.id, ...found.value.told })
    }

    // 6. Behind it, what was missed, as fast as it reads, and then what is said.
    const follow = Effect.andThen(found?.value.inbox.follow ?? Effect.void, joined.follow)
    return { _tag: "Welcomed", user, account: owner?.account.id, device: owner?.enrolled.device, follow }
  })

  /** What a room is to an account. */
  const governed = (account: AccountId, room: RoomName) => {
    const governance = governances.get({ _tag: "Room", room })
    if (governance === undefined) return {}
    const { keys } = governance
    const partner = keys === undefined ? undefined : partnerIn(keys, account)
    return {
      ...aboutRoom(governance),
      role: roleOf(governance, { account }),
      ...(partner !== undefined && { with: partner.user })
    }
  }

  const isBlocked = (account: AccountId, by: UserName) => blocks.has(account, { user: by, account: names.find(by)?.id })

  /** What an account finds. */
  const look = Effect.fnUntraced(function* (from: Asker, { account }: Owner, after: CatchUpCursor) {
    const inbox = yield* inboxes.catchUp(from, after)
    const standing = yield* memberships.standing({ account: account.id, user: account.user })
    const rooms = standing.rooms
      .map((room) => ({ ...room, ...governed(account.id, room.room) }))
      // A conversation that somebody has begun who is blocked.
      .filter((room) => !("with" in room) || room.with === undefined || !isBlocked(account.id, room.with))
    const isIn = new Set(rooms.map(({ room }) => nameKey(room)))
    const invitations = governances
      .invitations(account.id)
      .filter(({ by, room }) => !isIn.has(nameKey(room)) && !isBlocked(account.id, by))
      .slice(-maxInvitations)
    return {
      inbox,
      isAsked: after !== undefined,
      standing: { ...standing, rooms, ...(invitations.length > 0 && { invitations }) },
      told: { marks: marksIn(standing), invitations }
    }
  })

  return Effect.fnUntraced(function* (
    session: Session,
    greeting: Identification.Greeting,
    challenge: string | undefined
  ): Effect.fn.Return<Outcome> {
    // 1. Who is it?
    const identified = yield* identify(session, greeting, challenge)
    if (Result.isFailure(identified)) return refused(identified.failure)
    const who = identified.success
    if (who._tag === "Challenged") return who

    // 2. The name, which nobody else has from now on.
    const [user, account] = who._tag === "Account" ? [who.account.user, who.account.id] : [greeting.user, undefined]
    const refusal = yield* claim(session, user, account)
    if (Option.isSome(refusal)) return refused(refusal.value)

    const outcome = yield* enter(session, greeting, who)
    if (outcome._tag !== "Welcomed") yield* Mailbox.ask(server, { _tag: "Gone", session: session.id })
    return outcome
  })
})

type CatchUpCursor = NonNullable<Identification.Greeting["after"]>["inbox"]

interface Found {
  readonly inbox: CatchUp
  readonly isAsked: boolean
  readonly standing: Standing & { readonly invitations?: ReadonlyArray<Invitation> }
  /** What its other connections hear of from then on. */
  readonly told: Pick<AccountsCommandOf<"Welcomed">, "invitations" | "marks">
}

const marksIn = ({ conversations, lobbyRead, rooms }: Standing) => [
  { seq: lobbyRead },
  ...rooms.map(({ read, room }) => ({ room, seq: read })),
  ...conversations.map(({ read, with: partner }) => ({ with: partner, seq: read }))
]

const refused = (reason: Rejection): Outcome => ({ _tag: "Refused", reason })
const failed: Outcome = { _tag: "Failed" }

/** Where a log stands; and what follows, for who asked. */
const place = ({ epoch, missed, seq, truncated }: CatchUp, isAsked: boolean) =>
  isAsked ? { epoch, seq, missed, truncated } : { epoch, seq }

const welcome = (
  user: UserName,
  joined: CatchUp,
  isAsked: boolean,
  owner: Owner | undefined,
  found: Found | undefined
): ServerMessageOf<"Welcome"> => ({
  _tag: "Welcome",
  user,
  protocol: protocolVersion,
  server: identity,
  account: owner !== undefined,
  lobby: place(joined, isAsked),
  ...(owner?.account.isAdmin === true && { admin: true as const }),
  ...(owner !== undefined && { device: owner.enrolled.device, token: Redacted.value(owner.enrolled.token) }),
  ...(found !== undefined && { inbox: place(found.inbox, found.isAsked), ...found.standing })
})
