/**
 * Private messages: owns the inboxes and the place of each message in them.
 *
 * A guest's inbox counts from 1 for one connection and is not stored. So that a message sent again after a broken
 * connection is not heard twice, the last `maxRemembered` keys are remembered with what was answered.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { MessageKey } from "../common/ClientMessage.ts"
import { nameKey } from "../common/Name.ts"
import type { ChatMessage, ServerMessage } from "../common/ServerMessage.ts"
import type { UserName } from "../common/UserName.ts"
import * as Mailbox from "./Mailbox.ts"
import type { Asker, SessionId } from "./messages/Asker.ts"
import { UsersCommand, type UsersCommandOf } from "./messages/Commands.ts"
import type { Delivery } from "./messages/Delivery.ts"
import { rejected } from "./Rejected.ts"
import { Sessions } from "./Sessions.ts"

const maxRemembered = 10_000

export class UserProcessor extends Context.Service<UserProcessor, Mailbox.Mailbox<UsersCommand>>()(
  "parley/server/UserProcessor"
) {
  static readonly layer = Layer.effect(
    UserProcessor,
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const clock = yield* Clock.Clock
      const mailbox = yield* Mailbox.make<UsersCommand>()

      /** The newest place in each inbox: one entry per connection that had private messages. */
      const newest = new Map<SessionId, number>()
      const answered = makeAnswered()

      const next = (session: SessionId): number => {
        const seq = (newest.get(session) ?? 0) + 1
        newest.set(session, seq)
        return seq
      }

      /** What follows from the commands that waited together: a pair that floods gets one frame each, not three a message. */
      let outgoing: Array<Delivery> = []
      const reply = (to: Asker, message: ServerMessage) => void outgoing.push({ _tag: "Reply", to, message })
      const sendOut = () => {
        const deliveries = outgoing
        outgoing = []
        sessions.deliver(deliveries)
      }

      const deliver = ({ content, from, key, receivers, to }: UsersCommandOf<"Deliver">) => {
        const first = answered.find(from.user, key)
        if (first !== undefined) return reply(from, { ...first, repeated: true })
        if (receivers.length === 0) return reply(from, rejected({ _tag: "UserNotFound", user: to }))
        const at = clock.currentTimeMillisUnsafe()
        const tell = (session: SessionId, seq: number): Delivery => {
          const message: ChatMessage = { _tag: "PrivateMessage", seq, at, from: from.user, to, content }
          return { _tag: "Tell", to: [session], messages: [message] }
        }
        const seq = next(from.session)
        const sent: Sent = { _tag: "Sent", seq, at }
        answered.remember(from.user, key, sent)
        outgoing.push(...receivers.map((receiver) => tell(receiver, next(receiver))), tell(from.session, seq))
        reply(from, sent)
      }

      yield* Mailbox.process(mailbox, {
        handle: UsersCommand.match({
          Deliver: deliver,
          ReadInbox: ({ from }) => reply(from, { _tag: "History", messages: [], more: false }),
          SearchInbox: ({ from }) => reply(from, { _tag: "SearchResults", messages: [], more: false }),
          Gone: ({ session }) => {
            newest.delete(session)
          }
        }),
        refuse: (command) => {
          if ("from" in command) sessions.refuse(command.from, { _tag: "StorageUnavailable" })
        },
        afterwards: sendOut
      }).pipe(Effect.forkScoped)
      return mailbox
    })
  )
}

type Sent = Extract<ServerMessage, { readonly _tag: "Sent" }>

/** The answers to the last keyed messages, oldest first. */
const makeAnswered = () => {
  const answers = new Map<string, Sent>()
  const index = (user: UserName, key: MessageKey) => `${nameKey(user)} ${key}`
  return {
    find: (user: UserName, key: MessageKey | undefined) =>
      key === undefined ? undefined : answers.get(index(user, key)),
    remember: (user: UserName, key: MessageKey | undefined, sent: Sent) => {
      if (key === undefined) return
      answers.set(index(user, key), sent)
      if (answers.size <= maxRemembered) return
      for (const oldest of answers.keys()) {
        answers.delete(oldest)
        break
      }
    }
  }
}
