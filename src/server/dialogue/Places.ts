/**
 * How many connections there may be, from the moment one is accepted until its socket is closed, whatever it does or
 * fails to do in between.
 *
 * MAX_CONNECTIONS places are for those who are served, or may still come to be: a TLS handshake takes a place, too. Who
 * finds none, and who has had its last words, is on its way out and takes no place. There are `maxLeaving` of those at
 * most: for one more, the one that has been leaving for longest is cut at once. So a crowd that is turned away, however
 * slowly it goes, costs nobody a place, and everyone is told why, unless they come faster than words can be said.
 *
 * Of one address there may be so many (see Addresses), which is known before anything is said, TLS included. Those beyond are
 * a crowd of their own, of `maxLeaving` as well: they cut short nobody's last words but each other's.
 */
import { Context, Effect, Layer } from "effect"
import { ServerConfig } from "../config/ServerConfig.ts"
import * as Addresses from "../limits/Addresses.ts"

/** Connections on their way out that may take their time. */
export const maxLeaving = 64

/** What one connection holds. Each of its ways to give something back may be called again, and then does nothing. */
export interface PlaceHeld {
  /** All places were taken: it is to be told so, and nothing more. */
  readonly isRefused: boolean
  /** It comes from there. False if there are too many from there: then it is on its way out. */
  readonly comeFromUnsafe: (address: string | undefined) => boolean
  /** It has a name. */
  readonly welcomeUnsafe: () => void
  /** It has had its last words. From now on it may be cut. */
  readonly leaveUnsafe: () => void
  /** Its socket is closed. */
  readonly releaseUnsafe: () => void
}

/** Of the connection that is being handled, from the door that accepted it. */
export class Place extends Context.Service<Place, PlaceHeld>()("parley/server/dialogue/Places/Place") {}

export class Places extends Context.Service<
  Places,
  {
    /** For a connection that has just been accepted; `cut` ends it without a word. */
    readonly takeUnsafe: (cut: () => void) => PlaceHeld
    /** Cuts whoever is on its way out: something runs short that connections take. */
    readonly hurryUnsafe: () => void
  }
>()("parley/server/dialogue/Places") {
  static readonly layer = Layer.effect(
    Places,
    Effect.gen(function* () {
      const { maxConnections } = yield* ServerConfig
      const addresses = yield* Addresses.make
      /** By whom a place is taken, and in the order of their leaving: those who were heard, and those who were not. */
      const served = new Set<PlaceHeld>()
      const leaving: Crowd = new Map()
      const unheard: Crowd = new Map()

      return Places.of({
        hurryUnsafe: () => {
          for (const crowd of [unheard, leaving]) {
            for (const cut of crowd.values()) cut()
            crowd.clear()
          }
        },
        takeUnsafe: (cut) => {
          let admitted: Addresses.Admission | undefined
          const place: PlaceHeld = {
            isRefused: served.size >= maxConnections,
            comeFromUnsafe: (address) => {
              admitted = addresses.admitUnsafe(address)
              if (admitted === undefined) {
                served.delete(place)
                leaving.delete(place)
                letLeave(unheard, place, cut)
              } else if (!served.has(place)) admitted.releaseUnsafe()
              return admitted !== undefined
            },
            welcomeUnsafe: () => admitted?.welcomeUnsafe(),
            leaveUnsafe: () => {
              if (!served.delete(place)) return
              admitted?.releaseUnsafe()
              letLeave(leaving, place, cut)
            },
            releaseUnsafe: () => {
              served.delete(place)
              admitted?.releaseUnsafe()
              leaving.delete(place)
              unheard.delete(place)
            }
          }
          if (place.isRefused) letLeave(leaving, place, cut)
          else served.add(place)
          return place
        }
      })
    })
  )
}

type Crowd = Map<PlaceHeld, () => void>

const letLeave = (crowd: Crowd, place: PlaceHeld, cut: () => void) => {
  if (crowd.size >= maxLeaving) {
    for (const [oldest, cutOldest] of crowd) {
      crowd.delete(oldest)
      cutOldest()
      break
    }
  }
  crowd.set(place, cut)
}
