/** What the ServerProcessor is told, through which everything goes that one connection says. */
import { Schema } from "effect"
import { UserName } from "../../common/name/UserName.ts"
import { ClientMessage } from "../../common/wire/ClientMessage.ts"
import { Asker, SessionId } from "../session/Asker.ts"

/** What a connection hands over: everything but what it answers itself, Ping and Disconnect. */
export const Request = Schema.Union([
  ClientMessage.cases.Handshake,
  ClientMessage.cases.GlobalMessage,
  ClientMessage.cases.PrivateMessage,
  ClientMessage.cases.RoomMessage,
  ClientMessage.cases.EditMessage,
  ClientMessage.cases.DeleteMessage,
  ClientMessage.cases.React,
  ClientMessage.cases.ListUsers,
  ClientMessage.cases.CreateRoom,
  ClientMessage.cases.JoinRoom,
  ClientMessage.cases.LeaveRoom,
  ClientMessage.cases.ListRooms,
  ClientMessage.cases.ListRoomUsers,
  ClientMessage.cases.GetHistory,
  ClientMessage.cases.Search
]).pipe(Schema.toTaggedUnion("_tag"))
export type Request = typeof Request.Type

export const ServerCommand = Schema.TaggedUnion({
  /** Claims a name for a connection. */
  Claim: { session: SessionId, user: UserName },
  /** The connection has been welcomed: from now on others see its user. */
  Arrive: { session: SessionId },
  /** The connection is gone: frees its name. */
  Gone: { session: SessionId },
  Request: { from: Asker, message: Request }
})
export type ServerCommand = typeof ServerCommand.Type
export type ServerCommandOf<Tag extends ServerCommand["_tag"]> = Extract<ServerCommand, { readonly _tag: Tag }>
