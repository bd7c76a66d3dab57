/**
 * What a conversation's manager does about those who govern it: it completes what is asked with what is known of the people, and
 * carries out on this node what follows from the entries. It decides nothing.
 */
import { Clock, Effect, Option } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Timestamp } from "../../common/log/Cursor.ts"
import type { Entry, Intent } from "../../common/log/Entry.ts"
import { type Governing, isGoverning, type Role } from "../../common/log/Governing.ts"
import { moderates } from "../../common/log/RoomPermission.ts"
import { type Device, isSealing, type Sealing } from "../../common/log/Sealing.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { RoomKeys } from "../../common/wire/SealingMessage.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { Blockable } from "../accounts/Account.ts"
import type { NamedAccount } from "../accounts/AccountNames.ts"
import { type Governance, roleOf, standing } from "../governance/Governance.ts"
import { type Keys, partnerIn, type SealedDevice } from "../governance/Sealing.ts"
import { History } from "../history/History.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { Act } from "./Act.ts"
import type { Deciding } from "./Deciding.ts"
import * as Room from "./Room.ts"
import type { About, RoomCommand, RoomCommandOf } from "./RoomCommand.ts"
import type { Actor } from "./RoomDecider.ts"
import type { Waiting } from "./Runs.ts"

/** Who there is, as far as a conversation needs to know. */
export interface People {
  readonly find: (user: UserName) => NamedAccount | undefined
  readonly isAdmin: (account: AccountId | undefined) => boolean
}

/** By which entry a device is in its account's list, if it is (see PublishedDevices). */
export interface Devices {
  readonly entryOf: (account: AccountId | undefined, device: Device | undefined) => number | undefined
}

/** What the rest of the server hears of it. */
export interface GoverningEvents {
  /** An account is let in. */
  readonly onInvited: (account: AccountId, room: RoomName, by: UserName) => void
  /** The room is governed otherwise than before. */
  readonly onGoverned: (act: Governing) => void
}

interface Services extends GoverningEvents {
  /** The accounts that do not want to hear of somebody. */
  readonly blockedBy: (who: Blockable) => ReadonlySet<AccountId>
  readonly conversation: SharedConversation
  readonly deciding: Deciding
  readonly devices: Devices
  readonly guestOwner: () => GuestOwner | undefined
  readonly people: People
  readonly room: () => Room.Room
  readonly sessions: Sessions["Service"]
  /** Somebody is out, and no member any more. */
  readonly expel: (user: UserName, reason: string | undefined) => Effect.Effect<void>
}

/** The guest who made a room, for as long as its connection stands. */
export interface GuestOwner {
  readonly user: UserName
  readonly from: Pick<Asker, "session">
}

/** What is said of a room to somebody who is in it. */
export interface AboutRoom {
  readonly role: Role
  readonly topic?: string
  readonly private?: true
  readonly encrypted?: true
  readonly keys?: RoomKeys
  readonly with?: UserName
}

export const aboutRoom = ({ isPrivate, keys, topic }: Governance) => ({
  ...(topic !== undefined && { topic }),
  ...(isPrivate && { private: true as const }),
  ...(keys !== undefined && { encrypted: true as const })
})

export const makeGoverning = Effect.fnUntraced(function* (services: Services) {
  const {
    blockedBy,
    conversation,
    deciding,
    devices,
    expel,
    guestOwner,
    onGoverned,
    onInvited,
    people,
    room,
    sessions
  } = services
  const clock = yield* Clock.Clock
  const history = yield* History
  const now = () => clock.currentTimeMillisUnsafe()

  const isGuestOwner = ({ session }: Pick<Asker, "session">) => guestOwner()?.from.session === session

  const roleIn = (governance: Governance, from: Asker): Role =>
    isGuestOwner(from) ? "owner" : roleOf(governance, from)

  /** Of an account that is gone nobody is meant. */
  const aboutWhom = (about: About | undefined, from: Asker): Act["about"] => {
    if (about === undefined) return undefined
    const found = people.find(about.user)
    if (found !== undefined && found.state !== "Deleted") {
      const { id: account, user } = found
      const isMember = Room.isEnrolled(room(), { account, user }) || Room.sessionsOf(room(), user).length > 0
      const whom = { user, account, isAdmin: people.isAdmin(account), isMember }
      return blockedBy(from).has(account) ? { ...whom, hasBlocked: true } : whom
    }
    if (about.guest === undefined) return undefined
    const { author, network } = sessions.authorsOf({ session: about.guest, user: about.user, request: 0 })
    const isMember = Room.isMember(room(), about.guest)
    return { user: about.user, ...(network !== undefined && { network }), author, isAdmin: false, isMember }
  }

  const isThere = ({ account, device, n }: SealedDevice): boolean => devices.entryOf(account, device) === n
  const isMember = (account: AccountId, user: UserName): boolean => Room.isEnrolled(room(), { account, user })

  /** What is to be done with keys, and what is known of the devices that it is about. */
  const sealed = (body: Sealing, from: Asker, welcome: string | undefined) => {
    const { account, device } = from
    const { keys } = deciding.governance()
    const n = devices.entryOf(account, device)
    const gone = keys?.devices.filter((one) => !isThere(one) || !isMember(one.account, one.user))
    const known = {
      ...(device !== undefined && n !== undefined && { device: { device, n } }),
      ...(gone !== undefined && gone.length > 0 && { gone })
    }
    if (body._tag === "Sealed") {
      const other = keys && partnerIn(keys, account)
      const isUnheard = other !== undefined && blockedBy(from).has(other.account)
      return { body: isUnheard ? { ...body, unheard: true as const } : body, keys: known }
    }
    if (body._tag !== "KeysCommitted") return { body, keys: known }
    const found = body.adds.map(({ user }) => people.find(user))
    const adds = body.adds.map((add, index) => {
      const one = found[index]
      const entry = one && devices.entryOf(one.id, add.device)
      return {
        isMember: one !== undefined && isMember(one.id, one.user),
        ...(one !== undefined && { account: one.id }),
        ...(entry !== undefined && { n: entry })
      }
    })
    const named = body.adds.map((add, index) => ({ ...add, user: found[index]?.user ?? add.user }))
    return { body: { ...body, adds: named }, keys: { ...known, adds, ...(welcome !== undefined && { welcome }) } }
  }

  const keysFor = ({ account, device }: Asker, keys: Keys): RoomKeys => {
    const own = keys.devices.find((one) => one.account === account && one.device === device)
    const { incarnation, keyEpoch, seq } = keys
    const isIn = own !== undefined && own.out === undefined && isThere(own)
    return { incarnation, keyEpoch, seq, ...(isIn && { letIn: true as const }) }
  }

  /** As the one who is meant spells it, and until when it binds. */
  const completed = (body: Intent, about: Act["about"], seconds: number | undefined): Intent => {
    if (!isGoverning(body) || !("user" in body)) return body
    const named = about === undefined ? body : { ...body, user: about.user }
    const binds = named._tag === "Banned" || named._tag === "Muted"
    return binds && seconds !== undefined ? { ...named, until: now() + seconds * 1000 } : named
  }

  const followEntry = ({ body, from }: Entry): Effect.Effect<void> => {
    if (!isGoverning(body) || conversation._tag === "Lobby") return Effect.void
    onGoverned(body)
    switch (body._tag) {
      case "Banned":
      case "Kicked":
        return expel(body.user, body.reason)
      case "Invited": {
        const account = people.find(body.user)?.id
        if (account !== undefined) onInvited(account, conversation.room, from)
        return Effect.void
      }
      default:
        return Effect.void
    }
  }

  /** As whom somebody who comes is known, and whether it may come into a private room uninvited. */
  const personOf = (from: Asker) => {
    const { network } = sessions.authorsOf(from)
    const isKnown = people.isAdmin(from.account) || isGuestOwner(from) || Room.isEnrolled(room(), from)
    return { isKnown, person: { ...from, ...(network !== undefined && { network }) } }
  }

  /** Whether there is no such room any more for who asked when there was. */
  const isGoneFor = (from: Asker): boolean => {
    const { isKnown, person } = personOf(from)
    if (isKnown || Room.isMember(room(), from.session)) return false
    return Option.exists(deciding.whyNotEnter(person, false), ({ _tag }) => _tag === "RoomNotFound")
  }

  return {
    /** What is asked, with all that is known of who asks and who is meant. */
    actOf: ({ about, body, from, key, seconds, welcome }: Waiting): Act => {
      const { author, guest, network } = sessions.authorsOf(from)
      const { account, user } = from
      const said: Act = {
        from: user,
        author,
        body,
        key,
        ...(guest !== undefined && { guest }),
        ...(account !== undefined && { account }),
        ...(network !== undefined && { network })
      }
      if (body._tag === "Said") return said
      if (isSealing(body)) return { ...said, ...sealed(body, from, welcome) }
      const whom = aboutWhom(about, from)
      return {
        ...said,
        body: completed(body, whom, seconds),
        ...(people.isAdmin(account) && { isAdmin: true as const }),
        ...(whom !== undefined && { about: whom })
      }
    },

    /** Who asks, as far as it matters what they are here. */
    actorOf: (from: Asker): Actor => {
      const { author, guest } = sessions.authorsOf(from)
      return {
        author,
        ...(guest !== undefined && { guest }),
        ...(from.account !== undefined && { account: from.account }),
        ...(people.isAdmin(from.account) && { isAdmin: true as const })
      }
    },

    person: personOf,

    /** Admins need not be in. */
    isFromOutside: (command: RoomCommand): boolean =>
      command._tag === "Act" &&
      (isGoverning(command.body) || command.body._tag === "Deleted") &&
      people.isAdmin(command.from.account),

    /** What follows from entries, once they have been told. */
    follow: (entries: ReadonlyArray<Entry>): Effect.Effect<void> =>
      entries.some(({ body }) => isGoverning(body))
        ? Effect.forEach(entries, followEntry, { discard: true })
        : Effect.void,

    about: (from: Asker): AboutRoom => {
      const governance = deciding.governance()
      const { keys } = governance
      const partner = keys && partnerIn(keys, from.account)
      return {
        role: roleIn(governance, from),
        ...aboutRoom(governance),
        ...(keys !== undefined && { keys: keysFor(from, keys) }),
        ...(partner !== undefined && { with: partner.user })
      }
    },

    describe: ({ from }: RoomCommandOf<"Describe">): Effect.Effect<void> => {
      if (conversation._tag === "Lobby") return Effect.void
      const described = Effect.gen(function* () {
        const begun = deciding.governance()
        const oldest = begun.createdAt > 0 ? undefined : yield* history.read(conversation, oldestOnly)
        if (isGoneFor(from)) return sessions.refuse(from, { _tag: "RoomNotFound", room: conversation.room })
        const governance = deciding.governance()
        const createdAt: Timestamp = governance.createdAt || (oldest?.entries[0]?.at ?? now())
        const owner = governance.owner?.user ?? guestOwner()?.user
        const party = { role: roleIn(governance, from), isAdmin: people.isAdmin(from.account), isGuest: false }
        const message: ServerMessageOf<"RoomInfo"> = {
          _tag: "RoomInfo",
          room: conversation.room,
          ...(governance.topic !== undefined && { topic: governance.topic }),
          private: governance.isPrivate,
          ...(governance.keys !== undefined && { encrypted: true as const }),
          ...(owner !== undefined && { owner }),
          moderators: governance.moderators.map(({ user }) => user).toSorted(byName),
          members: Room.membersOf(room(), undefined).count,
          createdAt,
          ...(moderates(party) && {
            bans: standing(governance.bans, now()).map(shownBound),
            mutes: standing(governance.mutes, now()).map(shownBound)
          })
        }
        sessions.reply(from, message)
      })
      return sessions.orRefuse(from, described)
    }
  }
})

const oldestOnly = { after: 0, before: undefined, limit: 1 }

const byName = (one: UserName, other: UserName) => (nameKey(one) < nameKey(other) ? -1 : 1)

const shownBound = ({ by, reason, until, user }: Governance["bans"][number]) => ({
  user,
  by,
  ...(until !== undefined && { until }),
  ...(reason !== undefined && { reason })
})
