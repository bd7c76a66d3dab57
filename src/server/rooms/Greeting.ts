/**
 * How somebody who came is answered: told where the log stands and who is in, and behind that given what was missed. What
 * cannot be read turns them away before anything is said. The lobby's are greeted by whoever let them in.
 */
import { Effect, Option } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Turns } from "../processor/Turns.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { AboutRoom } from "./Governing.ts"
import type { CatchUp, Newcomers } from "./Newcomers.ts"
import * as Room from "./Room.ts"
import type { RoomCommandOf } from "./RoomCommand.ts"

/** What one who is in goes on with. None: it is not in. */
export type JoinAnswer = Option.Option<CatchUp>

export type Answer = (answer: JoinAnswer) => void

interface Services {
  readonly conversation: SharedConversation
  readonly newcomers: Newcomers
  /** What the room is to who comes. */
  readonly about: (from: Asker) => AboutRoom
  readonly room: () => Room.Room
  readonly sessions: Sessions["Service"]
  readonly turns: Turns["Service"]
  /** Takes out again who was turned away. */
  readonly putOut: (session: SessionId) => void
}

export const makeGreeting = ({ about, conversation, newcomers, putOut, room, sessions, turns }: Services) => {
  const greet = Effect.fnUntraced(function* (from: Asker, catchUp: CatchUp, answer: Answer) {
    if (conversation._tag === "Lobby") return answer(Option.some(catchUp))
    const { epoch, missed, seq, truncated } = catchUp
    const isIn = yield* turns.memory.take(
      "newcomers",
      Effect.sync(() => {
        if (!newcomers.isBehind(from)) return false
        const users = Room.usersOf(room(), undefined)
        const message = {
          _tag: "RoomJoined" as const,
          room: conversation.room,
          epoch,
          seq,
          missed,
          truncated,
          ...about(from),
          ...users
        }
        sessions.deliver([{ _tag: "Begin", to: from, message }])
        return true
      })
    )
    answer(isIn ? Option.some(catchUp) : Option.none())
    if (isIn) yield* catchUp.follow
  })

  const turnAway = (from: Asker, answer: Answer) => {
    if (newcomers.isBehind(from)) {
      newcomers.drop(from.session, true)
      sessions.refuse(from, { _tag: "StorageUnavailable" })
      putOut(from.session)
    }
    answer(Option.none())
  }

  /** Waits for nothing, if nothing was missed. */
  return ({ after, from }: RoomCommandOf<"Join">, answer: Answer): Effect.Effect<void> =>
    newcomers.begin(from, after).pipe(
      Effect.flatMap((catchUp) => greet(from, catchUp, answer)),
      Effect.catch(() => Effect.sync(() => turnAway(from, answer))),
      Effect.catchDefect((defect) => {
        turnAway(from, answer)
        return Effect.logError("A newcomer could not be let in", defect)
      })
    )
}
