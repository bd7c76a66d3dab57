/**
 * Who is connected as which account, on which device; and which devices ended a moment ago, for a connection that proved to be
 * one just before.
 *
 * Bounds: one entry for each connection, and `maxEnded` devices.
 */
import type { DeviceId } from "../../common/wire/AccountRequest.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { SessionId } from "../session/Asker.ts"

/** Whoever proved to be a device is connected within HANDSHAKE_TIMEOUT. So many will not end meanwhile. */
const maxEnded = 10_000

interface Connection {
  readonly session: SessionId
  readonly device: DeviceId
}

export const makeConnected = () => {
  const byAccount = new Map<AccountId, Map<SessionId, Connection>>()
  const accountOf = new Map<SessionId, AccountId>()
  const ended = new Set<DeviceId>()

  return {
    /** False if the device has ended. */
    add: (account: AccountId, connection: Connection): boolean => {
      if (ended.has(connection.device)) return false
      const connections = byAccount.get(account) ?? new Map<SessionId, Connection>()
      byAccount.set(account, connections.set(connection.session, connection))
      accountOf.set(connection.session, account)
      return true
    },
    /** Whose it was, and as which device. */
    remove: (session: SessionId): { readonly account: AccountId; readonly device: DeviceId } | undefined => {
      const account = accountOf.get(session)
      if (account === undefined) return undefined
      accountOf.delete(session)
      const connections = byAccount.get(account)
      const device = connections?.get(session)?.device
      connections?.delete(session)
      if (connections?.size === 0) byAccount.delete(account)
      return device === undefined ? undefined : { account, device }
    },
    of: (account: AccountId): ReadonlyArray<Connection> => [...(byAccount.get(account)?.values() ?? [])],
    noteEnded: (devices: ReadonlyArray<DeviceId>): void => {
      for (const device of devices) ended.add(device)
      for (const oldest of ended) {
        if (ended.size <= maxEnded) break
        ended.delete(oldest)
      }
    },
    count: (): number => accountOf.size
  }
}
