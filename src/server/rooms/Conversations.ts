/**
 * Encrypted conversations of two, as the directory of rooms makes them: rooms that are listed nowhere, have a name that is made of
 * theirs, and are theirs for good; and what asks for a device, in whichever encrypted room.
 *
 * A name that somebody else has by now names another partner: then the conversation with the one before goes, whoever is in it.
 *
 * Bounds: in an hour, by one account, `maxOpened` conversations, `maxCommits` and `maxResets`; `maxConversations` in all, some 500 bytes each.
 */
import { type Clock, Deferred, Effect, Option } from "effect"
import { isSealing } from "../../common/log/Sealing.ts"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import { conversationRoom, isConversationRoom, type RoomName } from "../../common/name/RoomName.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { AccountNames } from "../accounts/AccountNames.ts"
import type { AccountsCommand } from "../accounts/AccountsCommand.ts"
import type { Blocks } from "../accounts/Blocks.ts"
import type { Memberships } from "../accounts/Memberships.ts"
import type { PublishedDevices } from "../accounts/PublishedDevices.ts"
import { ungoverned } from "../governance/Governance.ts"
import { isFor, keyless } from "../governance/Sealing.ts"
import type { Governances } from "../history/Governances.ts"
import type { History } from "../history/History.ts"
import { makePerHour } from "../limits/PerHour.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { Involvement, OpenRoom } from "./OpenRoom.ts"
import type { RoomCommand } from "./RoomCommand.ts"
import type { makeRoomMembers } from "./RoomMembers.ts"
import type { RoomsCommandOf } from "./RoomsCommand.ts"

const maxOpened = 60
const maxConversations = 100_000
/** Each takes every device of the room some 15 ms; one change of devices is a commit in each room of an account. */
const maxCommits = 1200
const maxResets = 60
/** How long it is waited for the end of a conversation that is read still. */
const endPatience = "5 seconds"

interface Services {
  readonly blocks: Pick<Blocks["Service"], "has">
  readonly clock: Clock.Clock
  readonly devices: Pick<PublishedDevices["Service"], "entryOf" | "of">
  readonly governances: Pick<Governances["Service"], "get" | "put">
  readonly history: Pick<History["Service"], "erase">
  readonly members: ReturnType<typeof makeRoomMembers>
  readonly names: Pick<AccountNames["Service"], "find">
  readonly sessions: Sessions["Service"]
  readonly count: () => number
  readonly find: (key: NameKey) => OpenRoom | undefined
  readonly register: (name: RoomName) => OpenRoom
  readonly strike: (room: OpenRoom) => void
  readonly involvements: { readonly all: () => Iterable<readonly [SessionId, Involvement]> }
  /** An account is a member of a room from now on. */
  readonly onMember: (account: NonNullable<Asker["account"]>, key: NameKey) => void
  readonly tellAccounts: (command: AccountsCommand) => void
  readonly roomsOf: Memberships["Service"]["rooms"]
  /** Whoever is in is told that it is gone, and is out. */
  readonly end: (room: OpenRoom, from: Asker) => void
  /** As if it had been asked to join. */
  readonly join: (from: Asker, room: RoomName) => void
}

export const makeConversations = (services: Services) => {
  const { blocks, clock, count, devices, end, find, governances, history, involvements, join, members } = services
  const { names, onMember, register, roomsOf, sessions, strike, tellAccounts } = services
  const perHour = makePerHour()
  /** Those that are being made: who wants one of them as well waits. */
  const underWay = new Map<NameKey, Deferred.Deferred<void>>()

  /** Those with who had a name before, which are read still, and are being erased. */
  const ending = new Map<NameKey, Deferred.Deferred<void>>()

  /** Whether nobody reads it any more. */
  const ended = Effect.fnUntraced(function* (room: OpenRoom, from: Asker) {
    const done = Deferred.makeUnsafe<void>()
    ending.set(room.key, done)
    end(room, from)
    const found = yield* Effect.timeoutOption(Deferred.await(done), endPatience)
    ending.delete(room.key)
    return Option.isSome(found)
  })

  const isPublished = ({ account, device }: Asker): boolean => devices.entryOf(account, device) !== undefined
  const keysOf = ({ conversation }: Pick<OpenRoom, "conversation">) => governances.get(conversation)?.keys

  /** How long until somebody may change the keys of a room again. */
  const waitFor = (command: RoomCommand, { account }: Asker): number => {
    if (command._tag !== "Act") return 0
    const { body } = command
    const now = monotonicMillis(clock)
    if (body._tag === "KeysCommitted") return perHour.take(`commit ${account}`, maxCommits, now)
    return body._tag === "KeysReset" ? perHour.take(`reset ${account}`, maxResets, now) : 0
  }

  const make = Effect.fnUntraced(function* (
    from: Asker,
    name: RoomName,
    between: Between,
    earlier: OpenRoom | undefined
  ) {
    if (earlier !== undefined) {
      yield* history.erase(earlier.conversation)
      yield* members.forgetErased(earlier)
      strike(earlier)
    }
    const opened = register(name)
    opened.isBeingMade = true
    const now = clock.currentTimeMillisUnsafe()
    const governance = { ...ungoverned(now), isPrivate: true, keys: { ...keyless, between } }
    yield* members.settled(name).pipe(
      Effect.andThen(governances.put(opened.conversation, governance)),
      Effect.andThen(members.enrol(opened, between)),
      Effect.tapCause(() => Effect.sync(() => strike(opened)))
    )
    opened.isBeingMade = false
    const [own, other] = between
    for (const { account } of between) onMember(account, nameKey(name))
    tellAccounts({ _tag: "Opened", account: own.account, room: name, with: other.user, except: from.session })
    if (!blocks.has(other.account, from)) {
      tellAccounts({ _tag: "Opened", account: other.account, room: name, with: own.user, except: from.session })
    }
  })

  return {
    isPublished,

    /** Why this cannot be asked of this room, if it cannot: of encrypted rooms and conversations only. */
    whyNot: (open: OpenRoom, command: RoomCommand, from: Asker): Rejection | undefined => {
      const keys = keysOf(open)
      // How it is kept cannot be read (see SqlGovernances).
      if (isConversationRoom(open.name) && keys?.between === undefined) return { _tag: "StorageUnavailable" }
      if (keys === undefined) return undefined
      if (!isFor(keys, from.account)) return { _tag: "RoomNotFound", room: open.name }
      if (isForDevices(command) && !isPublished(from)) return { _tag: "DeviceRequired" }
      const retryAfter = waitFor(command, from)
      if (retryAfter > 0) return { _tag: "RateLimited", retryAfter }
      const isForGood = keys.between !== undefined && (command._tag === "Leave" || command._tag === "Delete")
      return isForGood ? { _tag: "NotAllowed", action: actions[command._tag], why: forGood } : undefined
    },

    open: ({ from, with: user }: RoomsCommandOf<"Open">): Effect.Effect<void> => {
      const { account } = from
      const refuse = (reason: Rejection) => Effect.sync(() => sessions.refuse(from, reason))
      const notAllowed = (why: string) => refuse({ _tag: "NotAllowed", action: "OpenConversation", why })
      if (account === undefined || !isPublished(from)) return refuse({ _tag: "DeviceRequired" })
      const other = names.find(user)
      if (other === undefined || other.state === "Deleted") return refuse({ _tag: "UserNotFound", user })
      const name = conversationRoom(from.user, other.user)
      const key = nameKey(name)
      const making = underWay.get(key)
      const comeIn = Effect.sync(() => join(from, name))
      if (making !== undefined) return Effect.andThen(Deferred.await(making), comeIn)
      const open = find(key)
      const keys = open && keysOf(open)
      if (keys !== undefined && isFor(keys, account) && isFor(keys, other.id)) return comeIn
      if (devices.of(other.id).devices.size === 0) return notAllowed(noDevices(other.user))
      const retryAfter = perHour.take(`open ${account}`, maxOpened, monotonicMillis(clock))
      if (retryAfter > 0) return refuse({ _tag: "RateLimited", retryAfter })
      if (count() >= maxConversations) return refuse({ _tag: "TooManyRooms", limit: maxConversations })
      const between: Between = [
        { account, user: from.user },
        { account: other.id, user: other.user }
      ]
      const done = Deferred.makeUnsafe<void>()
      underWay.set(key, done)
      const settled = Effect.sync(() => {
        underWay.delete(key)
        Deferred.doneUnsafe(done, Effect.void)
      })
      const isFree = open?.running === undefined ? Effect.succeed(true) : ended(open, from)
      const opening = Effect.flatMap(isFree, (isIt) =>
        isIt ? Effect.as(make(from, name, between, find(key)), comeIn) : Effect.succeed(notAllowed(stillOpen))
      )
      // Who waits for it finds it as it is then.
      return sessions.orRefuse(from, Effect.flatten(Effect.ensuring(opening, settled)))
    },

    /** It is in the directory no more, and nothing is kept of it. */
    erased: (key: NameKey): void => {
      const done = ending.get(key)
      if (done !== undefined) Deferred.doneUnsafe(done, Effect.void)
    },

    /** Whoever is in one of these rooms, if that is encrypted, is told of the list of somebody's devices. */
    tellChanged: ({ account, n, user }: RoomsCommandOf<"DevicesChanged">): Effect.Effect<void> =>
      roomsOf(account).pipe(
        Effect.flatMap((rooms) => {
          const shared = rooms.filter((room) => keysOf({ conversation: { _tag: "Room", room } }) !== undefined)
          const keys = shared.map(nameKey)
          const to = [...involvements.all()].flatMap(([session, { isIn }]) =>
            keys.some((key) => isIn.has(key)) ? session : []
          )
          return sessions.deliverInTurns([{ _tag: "Tell", to, messages: [{ _tag: "DevicesChanged", user, n }] }])
        }),
        // They find it when they look the next time.
        Effect.ignore
      )
  }
}

type Party = { readonly account: NonNullable<Asker["account"]>; readonly user: Asker["user"] }
type Between = readonly [Party, Party]

/** What a connection asks that takes part in an encrypted room; moderators need not. */
const isForDevices = (command: RoomCommand): boolean =>
  command._tag === "Join" || command._tag === "ReadHistory" || (command._tag === "Act" && isSealing(command.body))

const actions = { Leave: "LeaveRoom", Delete: "DeleteRoom" } as const
const forGood = "A private conversation is there for good. Block somebody who is not to write to you."
const stillOpen =
  "Somebody still reads the conversation with whoever had this name before. Try again when they have left."
const noDevices = (user: string): string =>
  `${user} has no device for encrypted conversations yet. Send a private message that is not encrypted, or wait.`
