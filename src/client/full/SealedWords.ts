/** How an encrypted conversation stands for this device, in words. Nothing alarming is said of what is only on its way. Pure. */
import type { UserName } from "../../common/name/UserName.ts"
import type { EncryptionState } from "../core/Encryption.ts"

export const says: Readonly<Record<EncryptionState, string | undefined>> = {
  away: undefined,
  in: undefined,
  waiting: "waiting to be let in by a member",
  outOfStep: "out of step, :rekey makes new keys"
}

export const encryptedFromNow = (user: UserName): string =>
  `What you and ${user} say to each other is encrypted from now on; :verify ${user} compares keys.`
