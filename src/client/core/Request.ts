/**
 * What a program may ask through the client, and which reply it gets.
 *
 * Handshake and Disconnect are missing: connecting and leaving are the client's own. So are `id`, which it numbers, and
 * the need for a `key`, which it adds to every request that makes an entry and has none.
 */
import { nameKey } from "../../common/name/Name.ts"
import type { ClientMessage } from "../../common/wire/ClientMessage.ts"
import type { RoomRequest as WireRoomRequest } from "../../common/wire/RoomRequest.ts"
import { ServerMessage } from "../../common/wire/ServerMessage.ts"
import type { Whereabouts } from "./Heard.ts"

const replies = {
  GlobalMessage: "Sent",
  PrivateMessage: "Sent",
  RoomMessage: "Sent",
  EditMessage: "Sent",
  DeleteMessage: "Sent",
  React: "Sent",
  SetTopic: "Sent",
  SetRole: "Sent",
  SetAccess: "Sent",
  InviteUser: "Sent",
  Kick: "Sent",
  Ban: "Sent",
  Unban: "Sent",
  Mute: "Sent",
  Unmute: "Sent",
  Ping: "Pong",
  ListUsers: "UserList",
  CreateRoom: "RoomCreated",
  JoinRoom: "RoomJoined",
  LeaveRoom: "RoomLeft",
  ListRooms: "RoomList",
  GetRoom: "RoomInfo",
  DeleteRoom: "RoomDeleted",
  ListRoomUsers: "RoomUsers",
  GetHistory: "History",
  Search: "SearchResults",
  Register: "Registered",
  ChangePassword: "PasswordChanged",
  ListDevices: "Devices",
  RemoveDevice: "DeviceRemoved",
  AddKey: "KeyAdded",
  ListKeys: "Keys",
  RemoveKey: "KeyRemoved",
  DeleteAccount: "AccountDeleted",
  GetUser: "UserInfo",
  MarkRead: "ReadMarked",
  Block: "Blocked",
  Unblock: "Blocked",
  ListBlocked: "Blocked",
  Report: "Reported",
  OpenConversation: "RoomJoined",
  SealedMessage: "Sent",
  CommitKeys: "Sent",
  ResetKeys: "Sent",
  PublishDevice: "DevicePublished",
  GetDevices: "DeviceList",
  PublishKeyPackages: "KeyPackagesPublished",
  ClaimKeyPackages: "KeyPackages",
  GetWelcomes: "Welcomes",
  AckWelcome: "WelcomeAcknowledged"
} as const

type Tag = keyof typeof replies
type OmitEach<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never

/** A request without its `id`. */
export type Request = OmitEach<Extract<ClientMessage, { readonly _tag: Tag }>, "id">

/** A chat message on its way out. */
export type ChatRequest = Extract<Request, { readonly _tag: "GlobalMessage" | "PrivateMessage" | "RoomMessage" }>

/** What is to be done to a room, or to somebody in it. */
export type RoomRequest = Extract<Request, { readonly _tag: WireRoomRequest["_tag"] }>

/** What makes an entry of a log: repeated, under one `key`, until the server has stored it. */
export type EntryRequest =
  | ChatRequest
  | RoomRequest
  | Extract<Request, { readonly _tag: "EditMessage" | "DeleteMessage" | "React" }>

export type HistoryRequest = Extract<Request, { readonly _tag: "GetHistory" }>

/** The reply to a request, by the request's tag. */
export type Reply<R extends Request> = Extract<ServerMessage, { readonly _tag: (typeof replies)[R["_tag"]] }>

/** Whether `message` is the reply that such a request is promised, about the same room. */
export const isReplyTo = <R extends Request>(request: R): ((message: ServerMessage) => message is Reply<R>) => {
  const tag: R["_tag"] = request._tag
  const isOfItsKind = ServerMessage.isAnyOf([replies[tag]])
  return (message): message is Reply<R> => isOfItsKind(message) && isAboutItsRoom(request, message)
}

const isAboutItsRoom = (request: Request, reply: ServerMessage): boolean =>
  !("room" in request && "room" in reply) || request.room === undefined || nameKey(request.room) === nameKey(reply.room)

export const isEntryRequest = (request: Request): request is EntryRequest => replies[request._tag] === "Sent"

/** Where the entry is to stand. */
export const whereaboutsOfRequest = (request: EntryRequest): Whereabouts => {
  if (request._tag === "PrivateMessage") return { with: request.to }
  const { room, with: other } = { room: undefined, with: undefined, ...request }
  if (room !== undefined) return { room }
  return other === undefined ? {} : { with: other }
}

export const isChat = (request: Request): request is ChatRequest =>
  request._tag === "GlobalMessage" || request._tag === "PrivateMessage" || request._tag === "RoomMessage"
