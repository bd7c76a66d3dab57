/**
 * Where what one says to somebody goes: to their encrypted conversation, which is made if both have devices, or in the open, which
 * people are told of once in each run. To whom an encrypted conversation was known nothing goes in the open.
 *
 * Bound: people are told of 1,000 others.
 */
import { Effect } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import { conversationRoom, type RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { RequestError } from "../core/ClientError.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { type Encryption, NotDone } from "../core/Encryption.ts"
import type { Whereabouts } from "../core/Heard.ts"
import type { Client } from "../link/Client.ts"
import type { Opened } from "./Answers.ts"
import type { SealedRooms } from "./SealedRooms.ts"
import type { StoreError } from "./SealedStore.ts"
import type { Telling } from "./Telling.ts"
import { goesInTheOpen } from "./Words.ts"

interface Around {
  readonly raw: Client["Service"]
  readonly telling: Telling
  readonly open: Effect.Effect<Opened, NotDone>
  /** Done when this device takes part. */
  readonly ready: Effect.Effect<SealedRooms, NotDone>
  readonly oneself: Effect.Effect<ServerMessageOf<"Welcome">>
  readonly offer: (event: ClientEvent) => void
  /** Whether this connection is in that conversation. */
  readonly isThere: (room: RoomName) => boolean
}

const mostTold = 1000

export const make = ({ isThere, offer, oneself, open, raw, ready, telling }: Around): Encryption["placeFor"] => {
  const told = new Set<NameKey>()
  const tellOnce = (user: UserName) => {
    if (told.has(nameKey(user)) || told.size === mostTold) return
    told.add(nameKey(user))
    offer({ _tag: "EncryptionTold", message: goesInTheOpen(user), isAlarm: false })
  }

  const asNotDone = <A>(asking: Effect.Effect<A, RequestError | StoreError>) =>
    Effect.catchTag(asking, ["StateFailed", "StateUnreadable", "WrongKey"], ({ message }) =>
      Effect.fail(new NotDone({ message }))
    )

  /** Of whom nobody has seen a device before, the server says so. */
  const hasDevices = Effect.fnUntraced(function* (user: UserName) {
    const here = yield* Effect.result(open)
    if (here._tag === "Success") return yield* asNotDone(here.success.rooms.hasDevices(user))
    // Another program has the keys: what could be sealed is not said in the open instead.
    const { entries } = yield* raw
      .quietly({ _tag: "GetDevices", user })
      .pipe(Effect.catchReason("RequestRejected", "UserNotFound", () => Effect.succeed({ entries: [] })))
    return entries.length > 0 ? yield* here.failure : false
  })

  return Effect.fnUntraced(function* (user) {
    const { account, device, user: self } = yield* oneself
    const place: Whereabouts = { with: user }
    const room = conversationRoom(self, user)
    if (!telling.isKnown(room)) {
      if (!account || device === undefined) return place
      if (!(yield* hasDevices(user))) {
        tellOnce(user)
        return place
      }
    }
    yield* ready
    if (!isThere(room)) {
      yield* raw
        .request({ _tag: "OpenConversation", with: user })
        .pipe(Effect.catchReason("RequestRejected", "AlreadyInRoom", () => Effect.void))
    }
    return { room }
  })
}
