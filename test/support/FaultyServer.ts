/**
 * Ways to make parts of a real server fail or wait when a test says so.
 *
 * A History whose operations go through the test first; and a server whose `Sessions`, the one part every processor
 * speaks through, throws for a message of the test's choice. Production code knows of neither.
 */
import { Effect, Layer, References, Schema } from "effect"
import type { Conversation } from "../../src/common/log/Conversation.ts"
import { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { History, type StorageUnavailable } from "../../src/server/history/History.ts"
import * as Server from "../../src/server/Server.ts"
import type { Delivery } from "../../src/server/session/Delivery.ts"
import { Sessions } from "../../src/server/session/Sessions.ts"
import * as MemoryHistory from "../../src/server/store/MemoryHistory.ts"

/** Runs before an operation on a conversation's log, and may fail, die or wait. */
export type Before = (
  operation: "append" | "read" | "facts" | "newest" | "search" | "erase",
  conversation: Conversation
) => Effect.Effect<void, StorageUnavailable>

/** A History in memory that asks the test first, and says afterwards that it stored something. */
export const historyBehind = (before: Before, stored: Effect.Effect<void, StorageUnavailable> = Effect.void) =>
  Layer.effect(
    History,
    Effect.gen(function* () {
      const memory = yield* History
      const asked: Before = (operation, conversation) => Effect.suspend(() => before(operation, conversation))
      return History.of({
        append: (entries, answered = []) => {
          const [first] = [...entries, ...answered]
          const appending = Effect.andThen(
            first === undefined ? Effect.void : asked("append", first.conversation),
            memory.append(entries, answered)
          )
          return Effect.tap(appending, stored)
        },
        read: (conversation, range, maxBytes) =>
          Effect.andThen(asked("read", conversation), memory.read(conversation, range, maxBytes)),
        standing: (conversation, range, maxBytes) =>
          Effect.andThen(asked("read", conversation), memory.standing(conversation, range, maxBytes)),
        facts: (conversation, question) =>
          Effect.andThen(asked("facts", conversation), memory.facts(conversation, question)),
        newest: (conversation) => Effect.andThen(asked("newest", conversation), memory.newest(conversation)),
        search: (conversations, search, maxBytes) =>
          Effect.andThen(asked("search", conversations[0]), memory.search(conversations, search, maxBytes)),
        forgetUnsafe: memory.forgetUnsafe,
        erase: (conversation) => Effect.andThen(asked("erase", conversation), memory.erase(conversation)),
        rooms: memory.rooms,
        emptied: memory.emptied
      })
    })
  ).pipe(Layer.provide(MemoryHistory.layer))

/** Whether an operation is on a room's log. */
export const isRoom = (conversation: Conversation, room: string): boolean =>
  conversation._tag === "Room" && conversation.room === room

/** Which message makes whoever says it die; only the first such one. */
export interface Fault {
  armed: ((message: ServerMessage, how: Delivery["_tag"]) => boolean) | undefined
}

/** The server, but with faults in what it says. */
export const serverWithFault = (fault: Fault) => {
  const dieIfArmed = (message: ServerMessage, how: Delivery["_tag"]) => {
    if (fault.armed?.(message, how) !== true) return
    fault.armed = undefined
    throw new Error(`A fault made by the test: ${message._tag}`)
  }
  const dieIfAnyArmed = (deliveries: ReadonlyArray<Delivery>) => {
    for (const delivery of deliveries) {
      const messages = "message" in delivery ? [delivery.message] : "messages" in delivery ? delivery.messages : []
      for (const message of messages) dieIfArmed(message, delivery._tag)
    }
  }
  const faultySessions = Layer.effect(
    Sessions,
    Effect.map(Sessions, (sessions) =>
      Sessions.of({
        ...sessions,
        deliver: (deliveries) => {
          dieIfAnyArmed(deliveries)
          sessions.deliver(deliveries)
        },
        deliverInTurns: (deliveries) =>
          Effect.suspend(() => {
            dieIfAnyArmed(deliveries)
            return sessions.deliverInTurns(deliveries)
          }),
        replyEncoded: (to, tag, pieces) => {
          dieIfArmed(decodeReply({ ...JSON.parse(`{${Buffer.concat(pieces).toString()}`), _tag: tag }), "Reply")
          sessions.replyEncoded(to, tag, pieces)
        },
        reply: (to, message) => {
          dieIfArmed(message, "Reply")
          sessions.reply(to, message)
        }
      })
    )
  ).pipe(Layer.provide(Sessions.layer))

  return Server.layerWith(faultySessions)
}

const decodeReply = Schema.decodeUnknownSync(ServerMessage)

/** Faults made on purpose need not fill the test's output with logs. */
export const silently = Effect.provideService(References.MinimumLogLevel, "None")
