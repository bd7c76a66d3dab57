/** What the AccountProcessor is told, which knows who is connected as which account. */
import { Schema } from "effect"
import { Seq } from "../../common/log/Cursor.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { AccountRequest, DeviceId } from "../../common/wire/AccountRequest.ts"
import { whereabouts } from "../../common/wire/EntryMessage.ts"
import { Rejection } from "../../common/wire/Rejection.ts"
import { DeviceRequest } from "../../common/wire/SealingRequest.ts"
import { AccountId } from "../session/AccountId.ts"
import { Asker, SessionId } from "../session/Asker.ts"

/** Why connections end: the last words to them. */
export const Ending = Schema.TaggedUnion({
  Goodbye: { reason: Schema.String },
  Refused: { reason: Rejection }
})
export type Ending = typeof Ending.Type

export const AccountsCommand = Schema.TaggedUnion({
  /** A connection has proven whose it is; answered with why it is that no more, if it is not. */
  Connect: { session: SessionId, account: AccountId, device: DeviceId },
  /** It has been welcomed, and told where its read marks stand: it hears of others from now on. */
  Welcomed: {
    session: SessionId,
    marks: Schema.Array(Schema.Struct({ ...whereabouts, seq: Seq })),
    /** Of which invitations it was told. */
    invitations: Schema.Array(Schema.Struct({ room: RoomName, by: UserName }))
  },
  /** Somebody lets an account into a room. */
  Invited: { account: AccountId, room: RoomName, by: UserName },
  /** The connection is gone. */
  Gone: { session: SessionId },
  /** Somebody asks about accounts. `isConnected`: whether the user asked for is, where it matters. */
  Request: { from: Asker, request: Schema.Union([AccountRequest, DeviceRequest]), isConnected: Schema.Boolean },
  /** An account has an encrypted conversation with somebody, from now on. */
  Opened: { account: AccountId, room: RoomName, with: UserName, except: SessionId },
  /** These devices of an account are no more, or the account is not: connections that are theirs end. */
  End: { account: AccountId, devices: Schema.UndefinedOr(Schema.Array(DeviceId)), ending: Ending }
})
export type AccountsCommand = typeof AccountsCommand.Type
export type AccountsCommandOf<Tag extends AccountsCommand["_tag"]> = Extract<AccountsCommand, { readonly _tag: Tag }>
