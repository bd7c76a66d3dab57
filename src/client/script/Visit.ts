/**
 * Being in a room for as long as something takes: a guest comes in, and so does an account that is no member; the account
 * leaves again, unless the room is private, for there its invitation is used up.
 */
import { Effect } from "effect"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { RequestError } from "../core/ClientError.ts"
import { Client } from "../link/Client.ts"
import { whenAllowed } from "../link/WhenAllowed.ts"
import { inTime } from "./InTime.ts"
import type { ScriptError } from "./ScriptError.ts"

/** How long a server may take to let one out. */
const patience = "5 seconds"

/** Comes into the room; one is a visitor if one leaves it again. */
const enter = Effect.fnUntraced(function* (room: RoomName) {
  const { quietly } = yield* Client
  const joined = yield* whenAllowed(inTime(quietly({ _tag: "JoinRoom", room }))).pipe(
    Effect.catchReason("RequestRejected", "AlreadyInRoom", () => Effect.undefined)
  )
  return joined?.private === true
})

const leave = (room: RoomName) =>
  Client.use(({ quietly }) => quietly({ _tag: "LeaveRoom", room })).pipe(
    Effect.interruptible,
    Effect.timeoutOption(patience),
    Effect.ignore
  )

/**
 * Carries something out in the room. Where another run of the account leaves it for all its connections meanwhile, it is
 * joined once more: `use` may be carried out again.
 */
export const inside = Effect.fnUntraced(function* <A, E, R>(
  room: RoomName | undefined,
  wasMember: boolean,
  use: Effect.Effect<A, E | RequestError, R>
) {
  if (room === undefined) return yield* use
  let stays = wasMember
  const attempt: Effect.Effect<A, E | RequestError | ScriptError, R | Client> = Effect.gen(function* () {
    const isPrivate = yield* enter(room)
    stays ||= isPrivate
    return yield* use
  })
  const putOut = (error: E | RequestError | ScriptError) =>
    isRejected(error) && error.reason._tag === "NotInRoom" ? Effect.sync(() => (stays = false)) : Effect.fail(error)
  return yield* attempt.pipe(
    Effect.catch((error) => Effect.andThen(putOut(error), attempt)),
    Effect.catch((error) => Effect.andThen(putOut(error), attempt)),
    Effect.ensuring(Effect.suspend(() => (stays ? Effect.void : leave(room))))
  )
})

const isRejected = (error: unknown): error is Extract<RequestError, { readonly _tag: "RequestRejected" }> =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "RequestRejected"
