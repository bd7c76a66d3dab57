/** What somebody wants to do in a conversation's log: data, as the delivering half hands it to the deciding half. */
import { Schema } from "effect"
import { AuthorId, Intent } from "../../common/log/Entry.ts"
import { base64, Device, maxAdds, maxRoomDevices, maxWelcomeBytes } from "../../common/log/Sealing.ts"
import { UserName } from "../../common/name/UserName.ts"
import { MessageKey } from "../../common/wire/RequestId.ts"
import { Subject } from "../governance/Governance.ts"
import { OwnedDevice } from "../governance/Sealing.ts"
import { Partner } from "../history/Partner.ts"
import { AccountId } from "../session/AccountId.ts"

export const Act = Schema.Struct({
  from: UserName,
  author: AuthorId,
  /** Who it was on this connection as a guest, before it registered: what it wrote then is still its own here. */
  guest: Schema.optionalKey(AuthorId),
  body: Intent,
  /** Done once, however often it is asked for with the same key. */
  key: Schema.UndefinedOr(MessageKey),
  /** In an inbox, with whom: only what was exchanged with the same one is known to it. */
  with: Schema.optionalKey(Partner),
  /** In a shared log, as whom somebody is known there: an account, or where a guest comes from; and whether it is an admin. */
  account: Schema.optionalKey(AccountId),
  network: Schema.optionalKey(Schema.String),
  isAdmin: Schema.optionalKey(Schema.Literal(true)),
  /** Whom a room is governed about: an account, or a guest who is here. */
  about: Schema.optionalKey(
    Schema.Struct({
      ...Subject.fields,
      /** Of a guest. */
      author: Schema.optionalKey(AuthorId),
      isAdmin: Schema.Boolean,
      isMember: Schema.Boolean,
      /** It does not want to hear of whoever asks. */
      hasBlocked: Schema.optionalKey(Schema.Literal(true))
    })
  ),
  /** In an encrypted room, what is known of the devices that it is about. */
  keys: Schema.optionalKey(
    Schema.Struct({
      /** By which it is done, if that is in its account's list: by the entry `n`. */
      device: Schema.optionalKey(Schema.Struct({ device: Device, n: Schema.Natural })),
      /** Of those of the group, the ones that are in no list any more, or whose account is no member. */
      gone: Schema.optionalKey(Schema.Array(OwnedDevice).check(Schema.isMaxLength(maxRoomDevices))),
      /** Those that are to be let in, in their order. */
      adds: Schema.optionalKey(
        Schema.Array(
          Schema.Struct({
            account: Schema.optionalKey(AccountId),
            isMember: Schema.Boolean,
            n: Schema.optionalKey(Schema.Natural)
          })
        ).check(Schema.isMaxLength(maxAdds))
      ),
      welcome: Schema.optionalKey(base64(maxWelcomeBytes))
    })
  )
})
export type Act = typeof Act.Type
