/** What everyone hears. */
import { Schema } from "effect"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { AccountId } from "../session/AccountId.ts"
import { Asker, SessionId } from "../session/Asker.ts"

export const Announcement = Schema.TaggedUnion({
  UserArrived: { user: UserName, session: SessionId },
  UserDeparted: { user: UserName, session: SessionId },
  RoomCreated: { room: RoomName, by: Asker },
  /** It is in no room any more. */
  AccountDeleted: { account: AccountId, user: UserName },
  /** The list of its devices has another entry. */
  DevicesChanged: { account: AccountId, user: UserName, n: Schema.Natural }
})
export type Announcement = typeof Announcement.Type
