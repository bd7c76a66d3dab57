/**
 * Accounts as they are used: owns who is connected as which, and answers what they ask about themselves.
 *
 * Its fiber waits for nothing: what takes a disk or a hash goes on beside it, of one account one after the other, and of the
 * connections of one account in the order in which they asked. What ends devices tells it which, behind the commit, and it ends
 * their connections; one that proves to be such a device meanwhile is turned away (see Connected).
 */
import { Clock, Context, Effect, Layer, Option, PubSub, RcMap, Result, Semaphore } from "effect"
import { Digest } from "effect/crypto"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { fingerprintOf, formatSshPublicKey, parseSshPublicKey } from "../../common/ssh/SshPublicKey.ts"
import type { AccountRequest, DeviceId } from "../../common/wire/AccountRequest.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { isDeviceRequest } from "../../common/wire/SealingRequest.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { StorageUnavailable } from "../history/History.ts"
import { SealedRooms } from "../history/SealedRooms.ts"
import { Announcements } from "../presence/Announcements.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker } from "../session/Asker.ts"
import { rejected } from "../session/Rejected.ts"
import { Sessions } from "../session/Sessions.ts"
import { noteAccount } from "./AccountLog.ts"
import { AccountNames, fillNames } from "./AccountNames.ts"
import { Accounts } from "./Accounts.ts"
import { AccountsCommand, type AccountsCommandOf, type Ending } from "./AccountsCommand.ts"
import { makeBlocking } from "./Blocking.ts"
import { Blocks, fillBlocks } from "./Blocks.ts"
import { makeConnected } from "./Connected.ts"
import { DeviceLists } from "./DeviceLists.ts"
import { makeDevicesAsked } from "./DevicesAsked.ts"
import { Login } from "./Login.ts"
import { Memberships, type ReadPlace } from "./Memberships.ts"
import { fillDevices, PublishedDevices } from "./PublishedDevices.ts"
import { Registering } from "./Registering.ts"

/** Answers a Connect: why not, if not. */
export type AccountsAnswer = Option.Option<Rejection>

type RequestOf<Tag extends AccountRequest["_tag"]> = Extract<AccountRequest, { readonly _tag: Tag }>

/** An asker that is an account. */
interface Owner extends Asker {
  readonly account: AccountId
}

type Answering = Effect.Effect<ServerMessage, StorageUnavailable>

const refusal = (reason: Rejection): ServerMessage => rejected(reason)

export class AccountProcessor extends Context.Service<
  AccountProcessor,
  Mailbox.Mailbox<AccountsCommand, AccountsAnswer>
>()("parley/server/accounts/AccountProcessor") {
  static readonly layer = Layer.effect(
    AccountProcessor,
    Effect.gen(function* () {
      const accounts = yield* Accounts
      const announcements = yield* Announcements
      const blocks = yield* Blocks
      const clock = yield* Clock.Clock
      const digest = yield* Digest.Digest
      const login = yield* Login
      const memberships = yield* Memberships
      const lists = yield* DeviceLists
      const published = yield* PublishedDevices
      const names = yield* AccountNames
      const registering = yield* Registering
      const sessions = yield* Sessions
      const scope = yield* Effect.scope
      const mailbox = yield* Mailbox.make<AccountsCommand, AccountsAnswer>()
      const connected = makeConnected()
      const blocking = makeBlocking({ accounts, blocks, names, present: connected.present, sessions })
      const askedOfDevices = makeDevicesAsked({
        clock,
        lists,
        names,
        published,
        sealedRooms: yield* SealedRooms,
        onPublished: ({ account, user }, n) =>
          void PubSub.publishUnsafe(announcements, { _tag: "DevicesChanged", account, user, n })
      })
      /** What changes an account, or is about it, is done one after the other; kept while somebody waits. */
      const inOrder = yield* RcMap.make({ lookup: turnOf })

      const now = () => clock.currentTimeMillisUnsafe()
      const end = (account: AccountId, devices: ReadonlyArray<DeviceId> | undefined, ending: Ending) =>
        Mailbox.tellUnsafe(mailbox, { _tag: "End", account, devices, ending })

      const endConnections = ({ account, devices, ending }: AccountsCommandOf<"End">) => {
        if (devices !== undefined) connected.noteEnded(devices)
        const words = ending._tag === "Goodbye" ? ending : refusal(ending.reason)
        for (const { device, session } of connected.of(account)) {
          if (devices === undefined || devices.includes(device)) sessions.endUnsafe(session, words)
        }
      }

      const connect = ({ account, device, session }: AccountsCommandOf<"Connect">): AccountsAnswer => {
        const isOurs = names.isActive(account) && connected.add(account, { session, device })
        return isOurs ? Option.none() : Option.some({ _tag: "InvalidCredentials" })
      }

      const welcomed = ({ invitations, marks, session }: AccountsCommandOf<"Welcomed">) => {
        const missed = connected.welcomed(session, marks, invitations)
        if (missed.length > 0) sessions.deliver([{ _tag: "Tell", to: [session], messages: missed }])
      }

      const isUnwanted = (account: AccountId, by: UserName) =>
        blocks.has(account, { user: by, account: names.find(by)?.id })

      const invited = ({ account, by, room }: AccountsCommandOf<"Invited">) => {
        if (isUnwanted(account, by)) return
        const message = { _tag: "Invitation" as const, room, by }
        const to = connected.invited(account, message)
        if (to.length > 0) sessions.deliver([{ _tag: "Tell", to, messages: [message] }])
      }

      const opened = ({ account, except, room, with: user }: AccountsCommandOf<"Opened">) => {
        const to = connected.present(account).filter((session) => session !== except)
        const message = { _tag: "ConversationOpened" as const, room, with: user }
        if (to.length > 0) sessions.deliver([{ _tag: "Tell", to, messages: [message] }])
      }

      const gone = ({ session }: AccountsCommandOf<"Gone">) => {
        const was = connected.remove(session)
        if (was === undefined) return
        return beside(Effect.ignore(accounts.seen(was.account, was.device, now())))
      }

      const peerOf = ({ session }: Asker) => sessions.peerOf(session)

      const changePassword = Effect.fnUntraced(function* (
        from: Owner,
        { current, next }: RequestOf<"ChangePassword">
      ): Effect.fn.Return<ServerMessage, StorageUnavailable> {
        const unheard = login.plaintext(peerOf(from), "ChangePassword")
        if (unheard !== undefined) return refusal(unheard)
        const right = yield* login.confirm({ id: from.account, user: from.user }, peerOf(from), current)
        if (Result.isFailure(right)) return refusal(right.failure)
        const hash = yield* registering.newPassword(next, "next")
        if (Result.isFailure(hash)) return refusal(hash.failure)
        const ended = yield* accounts.setPassword(from.account, hash.success, from.device)
        if (Option.isNone(ended)) return refusal({ _tag: "InvalidCredentials" })
        end(from.account, ended.value, {
          _tag: "Goodbye",
          reason: "The password of this account was changed. Log in again."
        })
        return { _tag: "PasswordChanged" }
      })

      const listDevices = (from: Owner): Answering =>
        Effect.map(accounts.devices(from.account), (devices) => {
          const here = from.device
          const there = new Set([...connected.of(from.account).map(({ device }) => device), here])
          return {
            _tag: "Devices",
            devices: devices.map(({ id, lastSeen, name, since }) => ({
              device: id,
              name,
              since,
              lastSeen: there.has(id) ? now() : lastSeen,
              connected: there.has(id),
              ...(id === here && { here: true as const })
            }))
          }
        })

      const removeDevice = (from: Owner, { device }: RequestOf<"RemoveDevice">): Answering =>
        Effect.map(accounts.removeDevice(from.account, device), (wasThere) => {
          if (!wasThere) return refusal({ _tag: "DeviceNotFound", device })
          end(from.account, [device], { _tag: "Goodbye", reason: "This device was removed from its account." })
          return { _tag: "DeviceRemoved", device }
        })

      const addKey = (from: Owner, { name, publicKey }: RequestOf<"AddKey">): Answering =>
        Effect.gen(function* () {
          const key = parseSshPublicKey(publicKey)
          if (key === undefined) return refusal({ _tag: "InvalidMessage", issue: notAKey })
          const fingerprint = yield* Effect.provideService(fingerprintOf(key), Digest.Digest, digest).pipe(Effect.orDie)
          const stored = { fingerprint, publicKey: formatSshPublicKey(key), name, since: now() }
          const added = yield* accounts.addKey(from.account, stored)
          return Result.isSuccess(added)
            ? { _tag: "KeyAdded" as const, fingerprint }
            : refusal({ _tag: "NotAllowed", action: "AddKey" })
        })

      const listKeys = (from: Owner): Answering =>
        Effect.map(accounts.keys(from.account), (keys) => ({
          _tag: "Keys",
          keys: keys.map(({ fingerprint, name, since }) => ({
            fingerprint,
            ...(name !== undefined && { name }),
            since
          }))
        }))

      const removeKey = (from: Owner, { fingerprint }: RequestOf<"RemoveKey">): Answering =>
        Effect.map(accounts.removeKey(from.account, fingerprint), (wasThere) =>
          wasThere ? { _tag: "KeyRemoved", fingerprint } : refusal({ _tag: "KeyNotFound", fingerprint })
        )

      const deleteAccount = Effect.fnUntraced(function* (
        from: Owner,
        { password }: RequestOf<"DeleteAccount">
      ): Effect.fn.Return<ServerMessage, StorageUnavailable> {
        const unheard = login.plaintext(peerOf(from), "DeleteAccount")
        if (unheard !== undefined) return refusal(unheard)
        const right = yield* login.confirm({ id: from.account, user: from.user }, peerOf(from), password)
        if (Result.isFailure(right)) return refusal(right.failure)
        yield* accounts.setState(from.account, "Deleted", undefined)
        names.set({ id: from.account, user: from.user, state: "Deleted" })
        PubSub.publishUnsafe(announcements, { _tag: "AccountDeleted", account: from.account, user: from.user })
        end(from.account, undefined, { _tag: "Goodbye", reason: "This account was deleted." })
        yield* noteAccount("deleted", from.user, "owner")
        return { _tag: "AccountDeleted" }
      })

      const userInfo = (user: UserName, isConnected: boolean): Answering =>
        Effect.map(accounts.find(user), (found) => {
          const account = Option.getOrUndefined(found)?.account
          if (account === undefined || account.state === "Deleted") {
            return isConnected
              ? { _tag: "UserInfo", user, account: false, connected: true }
              : refusal({ _tag: "UserNotFound", user })
          }
          const { isAdmin, lastSeen, since } = account
          return {
            _tag: "UserInfo",
            user: account.user,
            account: true,
            connected: isConnected,
            since,
            lastSeen: isConnected ? now() : lastSeen,
            ...(isAdmin && { admin: true as const })
          }
        })

      /** As it is spelled, if the account is in it. */
      const roomOf = (account: AccountId, room: RoomName) =>
        Effect.map(memberships.rooms(account), (rooms) => rooms.find((one) => nameKey(one) === nameKey(room)))

      const markRead = Effect.fnUntraced(function* (
        from: Owner,
        { room: asked, seq, with: user }: RequestOf<"MarkRead">
      ): Effect.fn.Return<ServerMessage, StorageUnavailable> {
        const room = asked === undefined ? undefined : yield* roomOf(from.account, asked)
        if (asked !== undefined && room === undefined) return refusal({ _tag: "NotInRoom", room: asked })
        const partner = user === undefined ? undefined : (names.find(user)?.user ?? user)
        const marked = yield* memberships.mark(from.account, placeOf(room, partner), seq)
        if (partner !== undefined && marked === 0 && seq > 0) return refusal({ _tag: "UserNotFound", user: partner })
        const where = { ...(room !== undefined && { room }), ...(partner !== undefined && { with: partner }) }
        const message = { _tag: "ReadMarked" as const, ...where, seq: marked }
        const others = connected.hearing(from.account, message).filter((session) => session !== from.session)
        if (others.length > 0) sessions.deliver([{ _tag: "Tell", to: others, messages: [message] }])
        return message
      })

      const answerTo = (from: Owner, request: AccountRequest, isConnected: boolean): Answering => {
        switch (request._tag) {
          case "ChangePassword":
            return changePassword(from, request)
          case "ListDevices":
            return listDevices(from)
          case "RemoveDevice":
            return removeDevice(from, request)
          case "AddKey":
            return addKey(from, request)
          case "ListKeys":
            return listKeys(from)
          case "RemoveKey":
            return removeKey(from, request)
          case "DeleteAccount":
            return deleteAccount(from, request)
          case "MarkRead":
            return markRead(from, request)
          case "Block":
            return blocking.block(from, request.user, isConnected)
          case "Unblock":
            return blocking.unblock(from, request.user)
          case "ListBlocked":
            return blocking.list(from)
          // A guest's own connection registers it (see Dialogue), and who somebody is may be asked by guests.
          case "Register":
          case "GetUser":
            return Effect.succeed(refusal({ _tag: "NotAllowed", action: request._tag }))
        }
      }

      const beside = (effect: Effect.Effect<void>) =>
        Effect.asVoid(Effect.forkIn(effect, scope, { startImmediately: true }))

      const answering = (from: Asker, answer: Answering) =>
        beside(
          sessions.orRefuse(
            from,
            Effect.map(answer, (message) => sessions.reply(from, message))
          )
        )

      const take = ({ from, isConnected, request }: AccountsCommandOf<"Request">): Mailbox.Handled => {
        if (request._tag === "GetUser") return answering(from, userInfo(request.user, isConnected))
        const { account } = from
        if (account === undefined) return sessions.refuse(from, { _tag: "AccountRequired", action: request._tag })
        const owner: Owner = { ...from, account }
        const inTurn = Effect.scoped(
          Effect.flatMap(RcMap.get(inOrder, account), (turn) =>
            turn.withPermits(1)(
              isDeviceRequest(request) ? askedOfDevices(owner, request) : answerTo(owner, request, isConnected)
            )
          )
        )
        return answering(from, inTurn)
      }

      yield* fillNames(accounts, names)
      yield* fillBlocks(accounts, blocks)
      yield* fillDevices(lists, published)
      const facts = yield* PubSub.subscribe(announcements)
      yield* PubSub.take(facts).pipe(
        Effect.map((fact) => {
          if (fact._tag !== "AccountDeleted") return
          blocks.set(fact.account, [])
          published.remove(fact.account)
        }),
        Effect.forever,
        Effect.forkScoped
      )
      yield* Mailbox.process(mailbox, {
        handle: (command, answer) => {
          switch (command._tag) {
            case "Connect":
              return answer(connect(command))
            case "Welcomed":
              return welcomed(command)
            case "Invited":
              return invited(command)
            case "Opened":
              return opened(command)
            case "Gone":
              return gone(command)
            case "Request":
              return take(command)
            case "End":
              return endConnections(command)
          }
        },
        refuse: (command, answer) => {
          if (command._tag === "Request") sessions.refuse(command.from, { _tag: "StorageUnavailable" })
          answer(Option.some({ _tag: "StorageUnavailable" }))
        }
      }).pipe(Effect.forkScoped)
      return mailbox
    })
  )
}

/** Of one account. */
const turnOf: (account: AccountId) => Effect.Effect<Semaphore.Semaphore> = () => Semaphore.make(1)

const placeOf = (room: RequestOf<"MarkRead">["room"], partner: RequestOf<"MarkRead">["with"]): ReadPlace => {
  if (room !== undefined) return { _tag: "Room", room }
  return partner === undefined ? { _tag: "Lobby" } : { _tag: "With", user: partner }
}

const notAKey =
  "publicKey: must be a line like that of an OpenSSH .pub file: an Ed25519, ECDSA or RSA key, the last of 2048 to 8192 bits"
