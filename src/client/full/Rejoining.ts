/**
 * A guest's rooms after a restart: the server forgets who was in them, so they are joined again, one after the other. One that is gone
 * or closed to guests is forgotten without a word.
 */
import { Clock, Effect } from "effect"
import type { RoomName } from "../../common/name/RoomName.ts"
import * as Chat from "../core/chat/ChatState.ts"
import * as Intention from "../core/chat/Intention.ts"
import { Client } from "../link/Client.ts"
import { whenAllowed } from "../link/WhenAllowed.ts"
import { Live } from "./Live.ts"
import type { Memory } from "./Memory.ts"
import * as View from "./View.ts"

/** `done` hears of each that is joined or gone. */
export const rejoin = Effect.fnUntraced(
  function* (
    { order = [], rooms = [], shown }: Pick<Memory, "order" | "rooms" | "shown">,
    done: (room: RoomName) => void
  ) {
    const client = yield* Client
    const { change } = yield* Live
    for (const room of rooms) {
      yield* whenAllowed(client.request({ _tag: "JoinRoom", room })).pipe(
        Effect.catchTag("RequestRejected", () => Effect.void)
      )
      yield* client.told()
      done(room)
      const now = yield* Clock.currentTimeMillis
      yield* change((before) => {
        const chat = Intention.ordered(before.chat, order)
        // Whoever has gone elsewhere meanwhile, or types here, stays.
        const isFree = chat.shown === Chat.lobbyKey && chat.before === Chat.lobbyKey && View.talkOf(before).draft === ""
        if (!isFree || !chat.talks.has(shown) || shown === Chat.lobbyKey) return { ...before, chat }
        return { ...View.withChat(before, Intention.show(chat, shown)), movedAt: now }
      })
    }
  },
  (joining) => Effect.ignore(joining)
)
