/**
 * What a program, or the screen, learns from a client, in the order in which it happened.
 *
 * `Received` is the server's own word, replies included; every entry of a log comes once, whatever the connection went
 * through. The other cases tell what the client does on its own: connecting, coming back, and what it could not get.
 */
import { Schema } from "effect"
import { Conversation } from "../../common/log/Conversation.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { ServerMessage } from "../../common/wire/ServerMessage.ts"

export const ClientEvent = Schema.TaggedUnion({
  /** The first connection stands. */
  Connected: { welcome: ServerMessage.cases.Welcome },
  Received: {
    message: ServerMessage,
    /** Of a page: it was asked for of moderation alone. */
    isAudit: Schema.optionalKey(Schema.Literal(true)),
    /** Of a RoomLeft: what ended the membership. */
    putOutBy: Schema.optionalKey(Schema.Literals(["Kicked", "Banned"]))
  },
  /** The connection broke; the client is trying to get it back. */
  Disconnected: { cause: Schema.String },
  /** An attempt to get it back failed for a new cause; the next one follows. */
  Retrying: { cause: Schema.String },
  /**
   * The connection is back; so many lobby messages were missed, and follow but for those a Gap tells of. To an account the
   * Welcome says what else is unread.
   */
  Reconnected: {
    missed: Schema.Natural,
    /** Where the logs stand now, and how many of their entries follow. */
    lobby: Schema.optionalKey(ServerMessage.cases.Welcome.fields.lobby),
    inbox: ServerMessage.cases.Welcome.fields.inbox,
    welcome: Schema.optionalKey(ServerMessage.cases.Welcome)
  },
  /** A room the client was in before has it back; the same of the room's messages. */
  Rejoined: { joined: ServerMessage.cases.RoomJoined, missed: Schema.Natural },
  RejoinRefused: { room: RoomName, with: Schema.optionalKey(UserName), message: Schema.String },
  /** Messages that catching up left out: GetHistory has them. Without a number, nobody can say how many. */
  Gap: { conversation: Conversation, missing: Schema.optionalKey(Schema.Natural) },
  /** How an encrypted room stands for this device; `with` whom, if it is the conversation of two; and whether keys were compared. */
  EncryptionStands: {
    room: RoomName,
    with: Schema.optionalKey(UserName),
    state: Schema.Literals(["away", "waiting", "in", "outOfStep"]),
    isVerified: Schema.Boolean
  },
  /** Something about keys and devices that people are to know; `isAlarm`: it may be an attack. */
  EncryptionTold: { room: Schema.optionalKey(RoomName), message: Schema.String, isAlarm: Schema.Boolean },
  /** The login of this connection could not be kept for the next one. */
  NotKept: { message: Schema.String },
  /** The reader of the events was too slow, and so many were thrown away at this place. */
  Skipped: { events: Schema.Natural }
})
export type ClientEvent = typeof ClientEvent.Type
