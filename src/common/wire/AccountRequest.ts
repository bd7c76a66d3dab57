/** Requests about one's own account, its devices, keys and read marks, and about who somebody is. */
import { Schema } from "effect"
import { Seq } from "../log/Cursor.ts"
import { Device } from "../log/Sealing.ts"
import { UserName } from "../name/UserName.ts"
import { line } from "../text/Content.ts"
import { text } from "../text/Text.ts"
import { Password } from "./Credentials.ts"
import { whereabouts } from "./EntryMessage.ts"
import { RequestId } from "./RequestId.ts"

/** Names one device of an account. Never reused. */
export const DeviceId = Device
export type DeviceId = typeof DeviceId.Type

/** What a person calls a device, or a key. */
export const DeviceName = line(64)
export type DeviceName = typeof DeviceName.Type

/** A code that lets somebody make an account. */
export const Invite = Schema.RedactedFromValue(text(0, 128))

/** Of an OpenSSH key: `SHA256:` and 43 characters of base64 (RFC 4648), as `ssh-keygen -l` prints it. */
export const Fingerprint = line(128)
export type Fingerprint = typeof Fingerprint.Type

const id = Schema.optionalKey(RequestId)

export const accountRequests = {
  Register: { id, password: Password, invite: Schema.optionalKey(Invite) },
  ChangePassword: { id, current: Password, next: Password },
  ListDevices: { id },
  RemoveDevice: { id, device: DeviceId },
  AddKey: { id, publicKey: text(0, 4096), name: Schema.optionalKey(DeviceName) },
  ListKeys: { id },
  RemoveKey: { id, fingerprint: Fingerprint },
  DeleteAccount: { id, password: Password },
  GetUser: { id, user: UserName },
  MarkRead: { id, ...whereabouts, seq: Seq },
  Block: { id, user: UserName },
  Unblock: { id, user: UserName },
  ListBlocked: { id }
}

export const AccountRequest = Schema.TaggedUnion(accountRequests)
export type AccountRequest = typeof AccountRequest.Type

const tags: ReadonlySet<string> = new Set(Object.keys(accountRequests))
export const isAccountRequest = <Message extends { readonly _tag: string }>(
  message: Message
): message is Extract<Message, { readonly _tag: AccountRequest["_tag"] }> => tags.has(message._tag)
