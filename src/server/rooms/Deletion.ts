/**
 * The end of a room, as its manager carries it out once its deciding half has erased it: whoever is in is told so and is out,
 * whatever waits and whatever still comes is answered that there is no such room. Nothing brings it back: a room made again
 * under its name has another manager.
 *
 * A commit that failed may have been carried out all the same: then the room is found gone, and its end is the same but for
 * who asked, who has been refused.
 */
import { Effect, Option, Result } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { Asker } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { Deciding } from "./Deciding.ts"
import type { KeptMembers } from "./Enrolment.ts"
import type { Answer } from "./Greeting.ts"
import type { Newcomers } from "./Newcomers.ts"
import * as Room from "./Room.ts"
import type { RoomCommand, RoomCommandOf } from "./RoomCommand.ts"
import type { Actor } from "./RoomDecider.ts"
import type { Telling } from "./Telling.ts"

interface Services {
  readonly conversation: SharedConversation
  readonly deciding: Pick<Deciding, "erase">
  readonly newcomers: Newcomers
  readonly sessions: Sessions["Service"]
  readonly telling: Telling
  readonly room: () => Room.Room
  readonly become: (room: Room.Room) => void
  readonly actorOf: (from: Asker) => Actor
  /** Answers all that waits for a place in the log, and then what waits behind that. */
  readonly takeBack: (refuse: (from: Asker) => void) => Effect.Effect<void>
  /** Called before anybody is told. */
  readonly onDeleted: () => void
  /** It may have been carried out: to be looked at. */
  readonly onDoubt: () => void
}

export const makeDeletion = (services: Services) => {
  const { actorOf, become, conversation, deciding, newcomers, onDeleted, onDoubt, room, sessions, takeBack, telling } =
    services
  let isDone = false
  let askedBy: UserName | undefined

  const refuseOne = (from: Asker) => {
    if (conversation._tag === "Room") sessions.refuse(from, { _tag: "RoomNotFound", room: conversation.room })
  }

  /** Everybody is out. Answers who has to be told. */
  const empty = () => {
    const all = Room.everybody(room())
    const told = all.filter((session) => {
      const asked = newcomers.unanswered(session)
      newcomers.drop(session, asked !== undefined)
      if (asked !== undefined) refuseOne(asked)
      return asked === undefined
    })
    become(Room.make(conversation))
    return told
  }

  const end = Effect.fnUntraced(function* (by: UserName, asker: Asker | undefined) {
    if (conversation._tag === "Lobby" || isDone) return
    isDone = true
    const { room: name } = conversation
    // Members hear what is being told to them, and then this.
    const farewell = () => {
      onDeleted()
      const others = empty().filter((session) => session !== asker?.session)
      const message = { _tag: "RoomDeleted" as const, room: name, by }
      if (asker !== undefined) sessions.reply(asker, message)
      return sessions.deliverInTurns([{ _tag: "Tell", to: others, messages: [message] }])
    }
    yield* telling.afterwards(farewell) ?? Effect.void
    yield* takeBack(refuseOne)
  })

  return {
    /** Whether there is no such room any more. */
    isDone: () => isDone,

    /** What is asked of a room that is gone. */
    refuse: (command: RoomCommand, answer: Answer) => {
      if ("from" in command) refuseOne(command.from)
      answer(Option.none())
    },
    refuseOne,

    carryOut: ({ from, isOutlived }: RoomCommandOf<"Delete">): Effect.Effect<void> => {
      const refuse = (reason: Rejection) => {
        if (isOutlived !== true) sessions.refuse(from, reason)
      }
      return deciding.erase(isOutlived === true ? undefined : actorOf(from)).pipe(
        Effect.flatMap((erased) =>
          Result.isSuccess(erased)
            ? end(from.user, isOutlived === true ? undefined : from)
            : Effect.sync(() => refuse(erased.failure))
        ),
        Effect.catch(() =>
          Effect.sync(() => {
            askedBy = from.user
            onDoubt()
            refuse({ _tag: "StorageUnavailable" })
          })
        ),
        Effect.catchDefect((defect) => {
          refuse({ _tag: "StorageUnavailable" })
          return Effect.logError("A room could not be deleted", defect)
        })
      )
    },

    /** Of a room that is gone nothing is kept any more, and a room of its name is another one. */
    keeping: (kept: KeptMembers): KeptMembers => ({
      all: kept.all,
      join: (member, newest) => Effect.suspend(() => (isDone ? Effect.void : kept.join(member, newest))),
      leave: (account) => Effect.suspend(() => (isDone ? Effect.void : kept.leave(account))),
      onChanged: (changed) => {
        if (!isDone) kept.onChanged(changed)
      }
    }),

    /** Its log is another one. */
    found: Effect.suspend(() => (askedBy === undefined ? Effect.void : end(askedBy, undefined)))
  }
}
