/** Who comes into a conversation and who goes: from then on they are in or out, and whoever has to know is told. */
import { Effect, Option, type Scope } from "effect"
import type { UserName } from "../../common/name/UserName.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Announcing } from "./Announcing.ts"
import type { Answer } from "./Greeting.ts"
import type { Newcomers } from "./Newcomers.ts"
import * as Room from "./Room.ts"
import type { RoomCommand, RoomCommandOf } from "./RoomCommand.ts"
import type { MembersChanged } from "./RoomManagerOptions.ts"

interface Services {
  readonly announcing: Pick<Announcing, "note" | "respell">
  readonly deletion: {
    readonly isDone: () => boolean
    readonly refuse: (command: RoomCommand, answer: Answer) => void
  }
  readonly greet: (command: RoomCommandOf<"Join">, answer: Answer) => Effect.Effect<void>
  readonly newcomers: Pick<Newcomers, "add" | "drop">
  readonly room: () => Room.Room
  readonly become: (room: Room.Room) => void
  readonly scope: Scope.Scope
  /** There is something to be announced. */
  readonly onNews: () => void
  readonly onMembers: (changed: MembersChanged) => void
  readonly onJoined: (from: Asker) => void
  readonly onLeft: (session: SessionId) => void
}

export const makeComings = (services: Services) => {
  const { announcing, become, deletion, greet, newcomers, onJoined, onLeft, onMembers, onNews, room, scope } = services

  /** `isNews`: the name itself came or went. */
  const note = (session: SessionId, user: UserName, isIn: boolean, isNews: boolean) => {
    if (deletion.isDone()) return
    onMembers({ users: room().roster.length, session, isIn })
    if (isNews && announcing.note(session, user, isIn ? "joined" : "left")) onNews()
  }

  return {
    join: (command: RoomCommandOf<"Join">, answer: Answer): Effect.Effect<void> =>
      Effect.suspend(() => {
        const { from } = command
        if (deletion.isDone()) return Effect.sync(() => deletion.refuse(command, answer))
        // A guest of a name that is still in is somebody else; an account's other connection is not.
        const isNews = from.account === undefined || Room.sessionsOf(room(), from.user).length === 0
        become(Room.join(room(), from))
        newcomers.add(from)
        onJoined(from)
        note(from.session, from.user, true, isNews)
        return Effect.asVoid(Effect.forkIn(greet(command, answer), scope, { startImmediately: true }))
      }),

    leave: (session: SessionId) => {
      newcomers.drop(session)
      onLeft(session)
      const left = Room.leave(room(), session)
      if (Option.isNone(left)) return
      const { isNameGone, room: rest, still, user } = left.value
      become(rest)
      note(session, user, false, isNameGone)
      if (still !== undefined && still !== user && announcing.respell(session, user, still)) onNews()
    }
  }
}
