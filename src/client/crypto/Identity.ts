/**
 * Who a leaf says it is: a user and one of their devices, as the identity of a basic credential (RFC 9420, section 5.3).
 *
 * One identity has one spelling: a version byte, then both texts in UTF-8, each behind its length in two bytes. What is not
 * a name and a device id of this server is none: a name goes to a terminal.
 */
import { Option, Schema } from "effect"
import type { Credential } from "ts-mls/credential.js"
import { nameKey } from "../../common/name/Name.ts"
import { UserName } from "../../common/name/UserName.ts"
import { DeviceId } from "../../common/wire/AccountRequest.ts"
import { joinBytes } from "./Bytes.ts"

export interface Identity {
  readonly user: UserName
  readonly device: DeviceId
}

const version = 1
const lengthBytes = 2

/** A name of 32 letters with three marks each, and a device id of 64 characters, in four bytes each. */
const maxBytes = 1 + 2 * lengthBytes + 4 * 4 * 32 + 4 * 64

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const isDevice = Schema.is(DeviceId)
const decodeUser = Schema.decodeUnknownOption(UserName)

export const credentialOf = ({ device, user }: Identity): Credential => ({
  credentialType: "basic",
  identity: joinBytes(Uint8Array.of(version), withLength(user), withLength(device))
})

/** Undefined if a credential is of another kind, or names nobody who could be here. */
export const identityIn = (credential: Credential): Identity | undefined => {
  if (credential.credentialType !== "basic") return undefined
  const bytes = credential.identity
  if (bytes.length > maxBytes || bytes[0] !== version) return undefined
  const user = textAt(bytes, 1)
  const device = user === undefined ? undefined : textAt(bytes, user.end)
  if (user === undefined || device === undefined || device.end !== bytes.length) return undefined
  const name = Option.getOrUndefined(decodeUser(user.text))
  return name === user.text && isDevice(device.text) ? { user: name, device: device.text } : undefined
}

/** The same for two spellings of one user's name. */
export const identityKey = ({ device, user }: Identity): string => `${nameKey(user)}\u0000${device}`

export const isSameIdentity = (one: Identity, other: Identity): boolean => identityKey(one) === identityKey(other)

const withLength = (text: string): Uint8Array => {
  const bytes = new TextEncoder().encode(text)
  return joinBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes)
}

const textAt = (bytes: Uint8Array, at: number): { readonly text: string; readonly end: number } | undefined => {
  const start = at + lengthBytes
  const end = start + (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
  if (start > bytes.length || end > bytes.length) return undefined
  try {
    return { text: utf8.decode(bytes.subarray(start, end)), end }
  } catch {
    return undefined
  }
}
