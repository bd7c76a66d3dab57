/**
 * What a reply says was done, done in the model; and what it tells, held against the model: nobody is told what is not theirs
 * to know, nor anything that is not so. A request that was refused changes nothing.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import { isObject, type Json } from "./FuzzContract.ts"
import { applySent } from "./FuzzEntries.ts"
import { Account, type Log, type Model, Room, sameName, type Session, spelled } from "./FuzzModel.ts"

interface Doing {
  readonly model: Model
  readonly session: Session
  readonly request: Json
  readonly reply: Json
}

/** What a request may be answered with, beside `Rejected`; `Sent` for what is not named. */
const expected: Readonly<Record<string, ReadonlyArray<string>>> = {
  Handshake: ["Welcome", "Challenge"],
  Ping: ["Pong"],
  ListUsers: ["UserList"],
  Disconnect: ["Goodbye"],
  CreateRoom: ["RoomCreated"],
  JoinRoom: ["RoomJoined"],
  LeaveRoom: ["RoomLeft"],
  ListRooms: ["RoomList"],
  ListRoomUsers: ["RoomUsers"],
  GetHistory: ["History"],
  Search: ["SearchResults"],
  Typing: [],
  GetRoom: ["RoomInfo"],
  DeleteRoom: ["RoomDeleted"],
  MarkRead: ["ReadMarked"],
  PublishDevice: ["DevicePublished"],
  GetDevices: ["DeviceList"],
  PublishKeyPackages: ["KeyPackagesPublished"],
  ClaimKeyPackages: ["KeyPackages"],
  GetWelcomes: ["Welcomes"],
  AckWelcome: ["WelcomeAcknowledged"],
  OpenConversation: ["RoomJoined"],
  Block: ["Blocked"],
  Unblock: ["Blocked"],
  ListBlocked: ["Blocked"],
  Report: ["Reported"],
  Register: ["Registered"],
  ChangePassword: ["PasswordChanged"],
  ListDevices: ["Devices"],
  RemoveDevice: ["DeviceRemoved"],
  AddKey: ["KeyAdded"],
  ListKeys: ["Keys"],
  RemoveKey: ["KeyRemoved"],
  DeleteAccount: ["AccountDeleted"],
  GetUser: ["UserInfo"]
}
const forAccounts = new Set(
  "PublishDevice GetDevices PublishKeyPackages ClaimKeyPackages GetWelcomes AckWelcome OpenConversation MarkRead Block Unblock ListBlocked ChangePassword ListDevices RemoveDevice AddKey ListKeys RemoveKey DeleteAccount SetRole InviteUser".split(
    " "
  )
)

export const applyReply = (doing: Doing): void => {
  const { model, reply, request, session } = doing
  if (reply["_tag"] === "Rejected") return
  const tag = String(request["_tag"])
  const must = (isSo: boolean, why: string) => {
    if (!isSo) model.breach(why, request, reply)
  }
  must((expected[tag] ?? ["Sent"]).includes(String(reply["_tag"])), "another reply")
  must(session.user !== undefined || tag === "Handshake", "done before the Handshake")
  must(session.user === undefined || tag !== "Handshake", "a second Handshake")
  must(session.account !== undefined || !forAccounts.has(tag), "done for a guest")
  if (reply["_tag"] === "Sent") return applySent(doing)
  apply[String(reply["_tag"])]?.(doing, must)
}

type Apply = (doing: Doing, must: (isSo: boolean, why: string) => void) => void

/** Whether a room is there for somebody. */
const isThere = (model: Model, room: Room, session: Session): boolean =>
  !room.isPrivate ||
  model.isIn(room, session) ||
  model.governs(room, session) ||
  (session.account !== undefined && room.invited.has(session.account))

const apply: Readonly<Record<string, Apply>> = {
  Welcome: ({ model, reply, request, session }, must) => {
    const { credentials, device, register } = request
    session.user = String(reply["user"])
    for (const secret of [reply["token"]]) if (secret !== undefined) model.secrets.add(String(secret))
    if (isObject(register)) {
      must(model.account(session.user) === undefined, "registered twice")
      makeAccount(model, session, String(register["password"]))
    } else if (isObject(credentials)) {
      session.account = model.account(session.user)
      must(session.account !== undefined && !session.account.isDeleted, "logged in as nobody")
      if (credentials["_tag"] === "Password")
        must(session.account?.password === credentials["password"], "a wrong password")
      if (credentials["_tag"] === "Token") must(model.secrets.has(String(credentials["token"])), "a wrong token")
    } else
      must(
        model.account(session.user) === undefined && model.here(session.user).length === 1,
        "a guest by a name that is taken"
      )
    must(reply["account"] === (session.account !== undefined), "account or guest")
    if (session.account !== undefined) session.inbox = session.account.inbox
    session.device = reply["device"] === undefined ? undefined : String(reply["device"])
    if (device !== undefined) session.deviceName = String(device)
    const known = session.account?.devices.get(String(session.device))
    const name = device === undefined ? (known ?? "unnamed") : String(device)
    if (session.device !== undefined) session.account?.devices.set(session.device, name)
  },
  Registered: ({ model, reply, request, session }, must) => {
    const user = session.user ?? ""
    must(session.account === undefined && model.account(user) === undefined, "registered twice")
    const account = makeAccount(model, session, String(request["password"]))
    model.secrets.add(String(reply["token"]))
    session.device = String(reply["device"])
    account.devices.set(session.device, session.deviceName)
    for (const room of model.rooms.values()) {
      if (room.guests.delete(session)) {
        room.accounts.add(account)
        account.roomRead.set(nameKey(room.name), room.log.newest)
      }
      if (room.owner === session.id) room.owner = account
    }
  },
  PasswordChanged: ({ model, request, session }, must) => {
    must(session.account?.password === request["current"], "changed by a wrong password")
    if (session.account === undefined) return
    session.account.password = String(request["next"])
    for (const device of session.account.devices.keys()) {
      if (device !== session.device) session.account.devices.delete(device)
    }
    endOthers(model, session, () => true)
  },
  AccountDeleted: ({ model, request, session: { account } }, must) => {
    must(account?.password === request["password"], "deleted by a wrong password")
    if (account === undefined) return
    account.isDeleted = true
    for (const held of [account.devices, account.keys, account.blocked, account.roomRead, account.partnerRead])
      held.clear()
    for (const room of model.rooms.values()) {
      for (const held of [room.accounts, room.moderators, room.invited]) held.delete(account)
      if (room.owner === account) room.owner = undefined
    }
    for (const session of model.sessions) if (session.account === account) model.leave(session)
  },
  Goodbye: ({ model, session }) => model.leave(session),
  RoomCreated: ({ model, reply, request, session }, must) => {
    const before = model.room(request["room"])
    must(before === undefined || model.isVacant(before), "made twice")
    must(request["private"] !== true || session.account !== undefined, "a private room of a guest")
    if (before !== undefined) model.deleteRoom(before)
    const room = new Room(String(reply["room"]))
    room.isPrivate = request["private"] === true
    room.topic = request["topic"] === "" || request["topic"] === undefined ? undefined : String(request["topic"])
    room.owner = session.account ?? session.id
    model.rooms.set(nameKey(room.name), room)
  },
  RoomDeleted: ({ model, request, session }, must) => {
    const room = model.room(request["room"])
    must(
      room !== undefined && (model.isOwner(room, session) || session.account?.isAdmin === true),
      "deleted by a stranger"
    )
    if (room !== undefined) model.deleteRoom(room)
  },
  RoomJoined: ({ model, reply, request, session }, must) => {
    const room = model.room(request["room"])
    if (room === undefined) return must(false, "joined what is not")
    const key = nameKey(room.name)
    must(isThere(model, room, session), "a private room let somebody in")
    const ban = room.bans.get(nameKey(session.user ?? ""))
    must(ban === undefined || ban.until !== undefined, "banned, and let in")
    must(!session.rooms.has(key), "joined twice")
    must(reply["seq"] === room.log.newest, "stands elsewhere")
    session.rooms.add(key)
    const { account } = session
    if (account === undefined) return void room.guests.add(session)
    room.accounts.add(account)
    room.invited.delete(account)
    if (!account.roomRead.has(key)) account.roomRead.set(key, room.log.newest)
  },
  RoomLeft: ({ model, request, session }, must) => {
    const room = model.room(request["room"])
    if (room === undefined || !model.isIn(room, session)) return must(false, "left where it was not")
    model.putOut(room, session.account ?? session)
  },
  ReadMarked: ({ model, reply, request, session: { account } }, must) => {
    if (account === undefined) return
    const { room: name, seq, with: partner } = request
    const room = model.room(name)
    const log = name === undefined ? (partner === undefined ? model.lobby : account.inbox) : room?.log
    const [held, key] =
      room === undefined ? [account.partnerRead, nameKey(spelled(partner))] : [account.roomRead, nameKey(room.name)]
    const isLobby = name === undefined && partner === undefined
    const before = isLobby ? account.lobbyRead : (held.get(key) ?? 0)
    // The newest place of an inbox may be of another conversation.
    const newest = log?.newest ?? 0
    const least = Math.max(before, Math.min(Number(seq), log?.newestBefore ?? 0))
    const most = Math.max(before, Math.min(Number(seq), newest))
    const mark = Number(reply["seq"])
    must(mark >= least && mark <= most, `marked elsewhere than ${most}`)
    if (isLobby) account.lobbyRead = mark
    else held.set(key, mark)
  },
  Blocked: ({ model, reply, request, session: { account, user } }, must) => {
    if (account === undefined) return
    const whom = request["user"]
    const key = nameKey(spelled(whom))
    if (request["_tag"] === "Block") {
      must(!sameName(whom, user), "blocked oneself")
      const name = model.account(whom)?.name ?? model.here(whom)[0]?.user
      must(name !== undefined, "blocked nobody")
      if (!account.blocked.has(key)) account.blocked.set(key, name ?? spelled(whom))
    } else if (request["_tag"] === "Unblock") account.blocked.delete(key)
    must(
      isSame(reply["users"], [...account.blocked.values()].toSorted(byName)),
      `blocked are ${[...account.blocked.values()].join()}`
    )
  },
  Reported: ({ model, request, session }, must) => {
    const { reason, room: name, target, with: partner } = request
    const room = model.room(name)
    const log = name === undefined ? (partner === undefined ? model.lobby : session.inbox) : room?.log
    const entry = log?.standing(target)
    // Who joins or leaves in the same turn is a member while that is being stored, whichever reply comes first.
    const mayBeIn = room !== undefined && (model.isIn(room, session) || !room.isPrivate)
    must(name === undefined || mayBeIn, "reported from a room by an outsider")
    if (entry === undefined) return must(false, "reported nothing")
    const place = room === undefined ? {} : { room: room.name }
    const where = partner === undefined ? place : { with: sameName(entry.from, session.user) ? entry.to : entry.from }
    const content = entry.versions.at(-1) ?? ""
    model.reports.push({
      by: session.user ?? "?",
      reason: String(reason),
      where,
      seq: entry.seq,
      from: entry.from,
      content
    })
  },
  Devices: ({ reply, session }, must) => {
    const told = list(reply["devices"]).map(({ device, name }) => [device, name])
    must(isSame(told, [...(session.account?.devices ?? [])]), "other devices")
    const here = list(reply["devices"]).filter((device) => device["here"] === true)
    must(here.length === 1 && here[0]?.["device"] === session.device && here[0]?.["connected"] === true, "not here")
  },
  DeviceRemoved: ({ model, request, session }, must) => {
    const device = String(request["device"])
    must(session.account?.devices.delete(device) === true, "removed no device of its own")
    for (const one of model.sessions) if (one.account === session.account && one.device === device) model.leave(one)
  },
  KeyAdded: ({ reply, request, session: { account } }) => {
    const name = request["name"]
    const fingerprint = String(reply["fingerprint"])
    // Added again, it keeps the name it has unless it is given another.
    account?.keys.set(fingerprint, name === undefined ? account.keys.get(fingerprint) : String(name))
  },
  KeyRemoved: ({ request, session }, must) => {
    must(session.account?.keys.delete(String(request["fingerprint"])) === true, "removed no key of its own")
  },
  Keys: ({ reply, session }, must) => {
    const told = list(reply["keys"]).map(({ fingerprint, name }) => [fingerprint, name])
    must(isSame(told, [...(session.account?.keys ?? [])]), "other keys")
  },
  Pong: ({ reply, request }, must) => must(Number(reply["nonce"]) === Number(request["nonce"]), "another nonce"),
  RoomInfo: ({ model, reply, request, session }, must) => {
    const room = model.room(request["room"])
    if (room === undefined) return must(false, "told of what is not")
    must(isThere(model, room, session), "told of a private room")
    must(reply["topic"] === room.topic && reply["private"] === room.isPrivate, "another topic")
    must(model.governs(room, session) || (reply["bans"] ?? reply["mutes"]) === undefined, "told of bans")
  },
  RoomUsers: ({ model, request, session }, must) => {
    const room = model.room(request["room"])
    if (room === undefined) return must(false, "told of what is not")
    must(
      !room.isPrivate || model.isIn(room, session) || session.account?.isAdmin === true,
      "told who is in a private room"
    )
  },
  RoomList: ({ model, reply, session }, must) => {
    for (const { room: name } of list(reply["rooms"])) {
      const room = model.room(name)
      must(room !== undefined && isThere(model, room, session), `listed ${String(name)}`)
    }
  },
  UserInfo: ({ model, reply, request }, must) => {
    const account = model.account(request["user"])
    must(reply["account"] === (account !== undefined), "account or guest")
    must(reply["connected"] === model.here(request["user"]).length > 0, "connected or not")
    must((reply["admin"] === true) === (account?.isAdmin === true), "admin or not")
  },
  UserList: ({ model, reply }, must) => {
    if (!Array.isArray(reply["users"])) return
    for (const user of reply["users"]) must(model.here(user).length > 0, `${String(user)} is not here`)
  },
  History: (doing, must) => checkMessages(doing, must),
  SearchResults: (doing, must) => checkMessages(doing, must)
}

const makeAccount = (model: Model, session: Session, password: string): Account => {
  const account = new Account(session.user ?? "", password)
  model.accounts.set(nameKey(account.name), account)
  model.secrets.add(password)
  session.account = account
  session.inbox = account.inbox
  return account
}

/** Other connections of the account are told nothing more. */
const endOthers = (model: Model, self: Session, isMeant: (session: Session) => boolean) => {
  for (const one of model.sessions) if (one !== self && one.account === self.account && isMeant(one)) model.leave(one)
}

/** Every message that somebody is given is one of a log that they may read, and reads as it was written. */
const checkMessages = ({ model, reply, session }: Doing, must: (isSo: boolean, why: string) => void) => {
  for (const message of list(reply["messages"])) {
    const room = message["room"] === undefined ? undefined : model.room(message["room"])
    const wasIn = reply["_tag"] === "SearchResults" && session.wasIn.has(nameKey(spelled(message["room"])))
    if (room === undefined && wasIn) continue
    if (room !== undefined) must(model.isIn(room, session) || wasIn, "read by an outsider")
    const isPrivate = message["_tag"] === "PrivateMessage" || message["with"] !== undefined
    const log: Log | undefined = message["room"] === undefined ? (isPrivate ? session.inbox : model.lobby) : room?.log
    const entry = log?.entries.get(Number(message["seq"]))
    if (entry === undefined) must(false, `${String(message["seq"])} was never said`)
    else {
      must(entry.from === message["from"] && entry.at === message["at"], `${entry.seq} is by another`)
      must(
        message["content"] === undefined || entry.versions.includes(String(message["content"])),
        `${entry.seq} reads otherwise`
      )
    }
  }
}

const list = (value: unknown): ReadonlyArray<Json> => (Array.isArray(value) ? value.filter(isObject) : [])
const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)
export const byName = (one: string, other: string): number => (nameKey(one) < nameKey(other) ? -1 : 1)
