/** What a conversation gives to read, to one who asks: pages of its log and lists of its members, made beside it, in turns. */
import { Effect } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Seq } from "../../common/log/Cursor.ts"
import { makeListReplies } from "../lists/ListReplies.ts"
import type { Turns } from "../processor/Turns.ts"
import type { Asker } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { LogReader } from "./LogReader.ts"
import type { makeNewcomers } from "./Newcomers.ts"
import * as Room from "./Room.ts"
import type { RoomCommandOf } from "./RoomCommand.ts"

interface Services {
  readonly conversation: SharedConversation
  readonly room: () => Room.Room
  readonly reader: LogReader["Service"]
  readonly sessions: Sessions["Service"]
  readonly turns: Turns["Service"]
  readonly readable: NonNullable<Parameters<typeof makeNewcomers>[0]["readable"]>
}

export const makeRoomReplies = ({ conversation, readable, reader, room, sessions, turns }: Services) => {
  /** Everybody may ask who is here. */
  const everybody = makeListReplies((after) => Room.usersOf(room(), after))
  return {
    /** The list of members has changed. */
    forget: everybody.forget,

    /** A page of what members have been told so far, if there is such a room by then. */
    history: (
      { from, range }: RoomCommandOf<"ReadHistory">,
      told: Seq,
      deletion: { readonly isDone: () => boolean; readonly refuseOne: (from: Asker) => void }
    ): Effect.Effect<void> => {
      const before = Math.min(range.before ?? told + 1, told + 1)
      const isWanted = () => sessions.isHere(from.session)
      const reply = Effect.gen(function* () {
        const found = yield* readable(from) ?? Effect.undefined
        const pieces = yield* reader.historyReply(conversation, { ...range, before }, isWanted, found)
        if (deletion.isDone()) deletion.refuseOne(from)
        else sessions.replyEncoded(from, "History", pieces)
      })
      return sessions.orRefuse(from, reply)
    },

    /** A page of who is in when its turn has come. */
    members: ({ after, from }: RoomCommandOf<"ListMembers">): Effect.Effect<void> => {
      const reply = Effect.sync(() =>
        conversation._tag === "Lobby"
          ? sessions.replyEncoded(from, "UserList", [everybody.fieldsOf(after)])
          : sessions.reply(from, { _tag: "RoomUsers", room: conversation.room, ...Room.membersOf(room(), after) })
      )
      return sessions.orRefuse(from, turns.memory.take("members", reply))
    }
  }
}
