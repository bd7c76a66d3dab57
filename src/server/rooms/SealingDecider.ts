/**
 * What may be done with the keys of an encrypted room, and what may be sealed with them: pure, part of deciding (see RoomDecider).
 *
 * An entry is accepted only in the current key epoch, so that of commits that were made at once one is, and whoever seals has seen
 * who can read it. Who is out has to be removed before anything else is said. Of the bytes the header alone is looked at: a commit that
 * has the right one and holds nothing else takes everybody out of step; then any of them begins a fresh group (KeysReset).
 */
import type { Seq } from "../../common/log/Cursor.ts"
import type { BodyOf } from "../../common/log/Entry.ts"
import { groupIdOf, maxRoomDevices, requestOf, type Sealing } from "../../common/log/Sealing.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { parseSealedHeader, type SealedHeader } from "../../common/wire/SealedHeader.ts"
import * as Keys from "../governance/Sealing.ts"
import type { RoomConversation } from "../history/History.ts"
import type { Act } from "./Act.ts"

interface SealingAccepted {
  readonly _tag: "Accepted"
  readonly body: Sealing
  /** How the keys stand from then on, and who may read from where, if that changes. */
  readonly keys?: Keys.Keys
  readonly sealed?: Keys.Changes
}

type SealingDecision = SealingAccepted | { readonly _tag: "Refused"; readonly reason: Rejection }

/** `seq`: where the entry would stand. `isOut`: whether somebody was put out since it was looked who is a member. */
export const decideSealing = (
  keys: Keys.Keys,
  act: Act,
  body: Sealing,
  { room }: RoomConversation,
  seq: Seq,
  isOut: (user: UserName) => boolean
): SealingDecision => {
  const { account, keys: known } = act
  if (account === undefined || known?.device === undefined) return refused({ _tag: "DeviceRequired" })
  const self = { account, device: known.device.device }
  const own = keys.devices.find((one) => Keys.isSameDevice(one, self))
  const gone = known.gone ?? []
  const isIn = own !== undefined && own.out === undefined && own.n === known.device.n
  if (body._tag === "KeysReset") {
    const mayReset = isIn || Keys.pending(keys, gone).length === keys.devices.length
    if (!mayReset) return refused(notLetIn(body))
    if (body.incarnation !== keys.incarnation + 1) return stale(keys)
    // Whoever reads already, if by an earlier entry of its list, goes on.
    const isReading = own !== undefined && own.out === undefined
    const ended = keys.devices.filter((one) => one.out === undefined && one !== own)
    return {
      _tag: "Accepted",
      body,
      keys: {
        ...keys,
        incarnation: body.incarnation,
        keyEpoch: 0,
        seq,
        devices: [{ ...self, user: act.from, n: known.device.n }]
      },
      sealed: { begun: isReading ? [] : [self], from: "here", ended: ended.map(ownedOf) }
    }
  }
  if (!isIn) return refused(keys.incarnation === 0 ? noKeys(body) : notLetIn(body))
  if (body.keyEpoch !== keys.keyEpoch) return stale(keys)
  const header = headerOf(body.data)
  if (header !== undefined && isOfEarlier(header, room, keys.incarnation)) return stale(keys)
  const wrong = wrongIn(header, body, groupIdOf(room, keys.incarnation))
  if (wrong !== undefined) return refused({ _tag: "InvalidMessage", issue: wrong })
  if (body._tag === "Sealed") {
    const out = Keys.pending(keys, gone)
    return out.length === 0
      ? { _tag: "Accepted", body }
      : stale(keys, Math.max(keys.seq, ...out.map((one) => one.out ?? 0)))
  }
  return commit(keys, act, body, self, seq, isOut)
}

/** `removes` are devices that are to go: of who is out, taken off their list, or one's own. */
const commit = (
  keys: Keys.Keys,
  { keys: known }: Act,
  body: BodyOf<"KeysCommitted">,
  self: Keys.OwnedDevice,
  seq: Seq,
  isOut: (user: UserName) => boolean
): SealingDecision => {
  const letIn = known?.adds ?? []
  const out = Keys.pending(keys, known?.gone ?? [])
  const removed: Array<Keys.SealedDevice> = []
  for (const remove of body.removes) {
    const found = keys.devices.find((one) => one.device === remove.device && nameKey(one.user) === nameKey(remove.user))
    if (found === undefined || removed.includes(found)) return invalid("removes: each must be a device of the group")
    if (Keys.isSameDevice(found, self)) return invalid("removes: a device cannot remove itself")
    if (!out.includes(found) && found.account !== self.account) {
      return refused({
        _tag: "NotAllowed",
        action: requestOf.KeysCommitted,
        why: `${found.user} is still in this room. A moderator can put somebody out (Kick).`
      })
    }
    removed.push(found)
  }
  const rest = keys.devices.filter((one) => !removed.includes(one))
  const added: Array<Keys.SealedDevice> = []
  for (const [index, add] of body.adds.entries()) {
    const { account, isMember = false, n } = letIn[index] ?? {}
    if (account === undefined || !isMember || isOut(add.user)) return refused({ _tag: "UserNotFound", user: add.user })
    if (n === undefined) return refused({ _tag: "DeviceNotFound", device: add.device })
    const one = { account, device: add.device, user: add.user, n }
    if ([...rest, ...added].some((other) => Keys.isSameDevice(one, other))) {
      return invalid("adds: no device may be in the group already")
    }
    added.push(one)
  }
  if ((known?.welcome !== undefined) !== added.length > 0) {
    return invalid("welcome: must be there if, and only if, somebody is let in")
  }
  if (rest.length + added.length > maxRoomDevices) return refused(full)
  // Whom the group still has is named as it is known there.
  const removes = removed.map(({ device, user }) => ({ device, user }))
  return {
    _tag: "Accepted",
    body: { ...body, removes },
    keys: { ...keys, keyEpoch: keys.keyEpoch + 1, seq, devices: [...rest, ...added] },
    sealed: {
      begun: added.map(ownedOf),
      from: "behind",
      ended: removed.filter((one) => one.out === undefined).map(ownedOf)
    }
  }
}

const ownedOf = ({ account, device }: Keys.OwnedDevice): Keys.OwnedDevice => ({ account, device })

const headerOf = (data: string): SealedHeader | undefined => parseSealedHeader(Buffer.from(data, "base64"))

/** Whether it was made for a group that this room had before. */
const isOfEarlier = ({ groupId }: SealedHeader, room: string, incarnation: number): boolean => {
  const [, number] = groupId.startsWith(`${room}/`) ? (/^(\d{1,15})$/.exec(groupId.slice(room.length + 1)) ?? []) : []
  return number !== undefined && Number(number) < incarnation
}

const wrongIn = (
  header: SealedHeader | undefined,
  { _tag, keyEpoch }: BodyOf<"KeysCommitted" | "Sealed">,
  groupId: string
): string | undefined => {
  if (header === undefined) return "data: must be an MLS private message (RFC 9420)"
  if (header.groupId !== groupId) return `data: its group must be ${groupId}`
  if (header.keyEpoch !== keyEpoch) return "data: its epoch must be that of keyEpoch"
  const contentType = _tag === "Sealed" ? "application" : "commit"
  return header.contentType === contentType ? undefined : `data: its content must be of the type ${contentType}`
}

const refused = (reason: Rejection) => ({ _tag: "Refused", reason }) as const
const invalid = (issue: string) => refused({ _tag: "InvalidMessage", issue })
const stale = ({ keyEpoch, seq: since }: Keys.Keys, seq = since) => refused({ _tag: "StaleKeyEpoch", keyEpoch, seq })

const noKeys = ({ _tag }: Sealing): Rejection => ({
  _tag: "NotAllowed",
  action: requestOf[_tag],
  why: "Nobody has made keys for this room yet. Make a group of your own first (ResetKeys)."
})
const notLetIn = ({ _tag }: Sealing): Rejection => ({
  _tag: "NotAllowed",
  action: requestOf[_tag],
  why: "This device has not been let in here yet. Wait until a client of a member does."
})
const full: Rejection = {
  _tag: "NotAllowed",
  action: requestOf.KeysCommitted,
  why: `An encrypted room holds ${maxRoomDevices} devices at most. Remove one that is not used any more.`
}
