/**
 * Who is connected as which account, on which device; and which devices ended a moment ago, for a connection that proved to be
 * one just before.
 *
 * A connection hears nothing before its Welcome: what was read meanwhile is kept for it until then, for the Welcome may say less.
 *
 * Bounds: one entry for each connection, `maxEnded` devices, and `maxMissed` marks for each that has not been welcomed.
 */
import { nameKey } from "../../common/name/Name.ts"
import type { DeviceId } from "../../common/wire/AccountRequest.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { SessionId } from "../session/Asker.ts"

/** Whoever proved to be a device is connected within HANDSHAKE_TIMEOUT. So many will not end meanwhile. */
const maxEnded = 10_000

/** Nobody reads so much while a connection logs in; of more, the oldest is not told, but at the next Welcome. */
const maxMissed = 1000

type ReadMarked = ServerMessageOf<"ReadMarked">
type Invitation = ServerMessageOf<"Invitation">
type Mark = Pick<ReadMarked, "room" | "seq" | "with">

const placeOf = ({ room, with: partner }: Mark): string => {
  if (room !== undefined) return `room ${nameKey(room)}`
  return partner === undefined ? "lobby" : `with ${nameKey(partner)}`
}

const invitationTo = ({ room }: Pick<Invitation, "room">) => `invitation ${nameKey(room)}`

interface Connection {
  readonly session: SessionId
  readonly device: DeviceId
}

export const makeConnected = () => {
  const byAccount = new Map<AccountId, Map<SessionId, Connection>>()
  const accountOf = new Map<SessionId, AccountId>()
  const ended = new Set<DeviceId>()
  /** For those that have not been welcomed: where each mark stands that was moved meanwhile, and who invited them where. */
  const missed = new Map<SessionId, Map<string, ReadMarked | Invitation>>()

  /** Whether it is kept for this connection, until that is welcomed. */
  const keep = (session: SessionId, place: string, news: ReadMarked | Invitation): boolean => {
    const kept = missed.get(session)
    if (kept === undefined) return false
    kept.delete(place)
    kept.set(place, news)
    for (const oldest of kept.keys()) {
      if (kept.size <= maxMissed) break
      kept.delete(oldest)
    }
    return true
  }

  return {
    /** False if the device has ended. */
    add: (account: AccountId, connection: Connection): boolean => {
      if (ended.has(connection.device)) return false
      const connections = byAccount.get(account) ?? new Map<SessionId, Connection>()
      byAccount.set(account, connections.set(connection.session, connection))
      accountOf.set(connection.session, account)
      missed.set(connection.session, new Map())
      return true
    },
    /** It has been told that these marks stand so, and of these invitations; gives the others, and hears of more from now on. */
    welcomed: (
      session: SessionId,
      told: ReadonlyArray<Mark>,
      invitations: ReadonlyArray<Pick<Invitation, "room">> = []
    ): ReadonlyArray<ReadMarked | Invitation> => {
      const kept = missed.get(session)
      missed.delete(session)
      if (kept === undefined || kept.size === 0) return []
      const known = new Map(told.map((mark) => [placeOf(mark), mark.seq]))
      const invited = new Set(invitations.map(invitationTo))
      return [...kept].flatMap(([place, news]) => {
        const isNews = news._tag === "Invitation" ? !invited.has(place) : news.seq > (known.get(place) ?? 0)
        return isNews ? [news] : []
      })
    },
    /** Which connections of an account are to be told where a mark stands; for the others it is kept. */
    hearing: (account: AccountId, mark: ReadMarked): ReadonlyArray<SessionId> =>
      [...(byAccount.get(account)?.keys() ?? [])].filter((session) => !keep(session, placeOf(mark), mark)),
    /** Those that have been welcomed. */
    present: (account: AccountId): ReadonlyArray<SessionId> =>
      [...(byAccount.get(account)?.keys() ?? [])].filter((session) => !missed.has(session)),
    /** The same of an invitation. */
    invited: (account: AccountId, invitation: Invitation): ReadonlyArray<SessionId> =>
      [...(byAccount.get(account)?.keys() ?? [])].filter(
        (session) => !keep(session, invitationTo(invitation), invitation)
      ),
    /** Whose it was, and as which device. */
    remove: (session: SessionId): { readonly account: AccountId; readonly device: DeviceId } | undefined => {
      const account = accountOf.get(session)
      if (account === undefined) return undefined
      accountOf.delete(session)
      missed.delete(session)
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
