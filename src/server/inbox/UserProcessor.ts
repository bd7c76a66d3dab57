/**
 * Private messages: owns the inboxes and the place of each message in them.
 *
 * A guest's inbox counts from 1 for one connection and is not stored. A message sent again after a
 * broken connection is not heard twice, as far as its key is still known (see AnsweredKeys).
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { Intent } from "../../common/log/Entry.ts"
import type { ChatMessage } from "../../common/wire/EntryMessage.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import { rejected } from "../session/Rejected.ts"
import { Sessions } from "../session/Sessions.ts"
import { makeAnsweredKeys, type Sent } from "./AnsweredKeys.ts"
import { makePrivatePlaces } from "./PrivatePlaces.ts"
import { UsersCommand, type UsersCommandOf } from "./UsersCommand.ts"

/** As the request was called. */
const actionOf = ({ _tag }: Intent): string => actions[_tag]
const actions: { readonly [Tag in Intent["_tag"]]: string } = {
  Said: "PrivateMessage",
  Edited: "EditMessage",
  Deleted: "DeleteMessage",
  Reacted: "React"
}

export class UserProcessor extends Context.Service<UserProcessor, Mailbox.Mailbox<UsersCommand>>()(
  "parley/server/inbox/UserProcessor"
) {
  static readonly layer = Layer.effect(
    UserProcessor,
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const clock = yield* Clock.Clock
      const mailbox = yield* Mailbox.make<UsersCommand>()

      /** The newest place in each inbox: one entry per connection that had private messages. */
      const newest = new Map<SessionId, number>()
      const answered = makeAnsweredKeys()
      const places = makePrivatePlaces()
      /** Never goes back, whatever the clock does. */
      let latest = 0

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

      const deliver = ({ body, from, key, receivers, to }: UsersCommandOf<"Deliver">) => {
        const first = answered.find(from, to, key)
        if (first !== undefined) return reply(from, first)
        const { content, replyTo } = body
        const repliedTo = replyTo === undefined ? undefined : places.find(from.session, replyTo, to)
        if (replyTo !== undefined && repliedTo === undefined) {
          return reply(from, rejected({ _tag: "MessageNotFound", seq: replyTo }))
        }
        if (receivers.length === 0) return reply(from, rejected({ _tag: "UserNotFound", user: to }))
        const at = Math.max(latest, clock.currentTimeMillisUnsafe())
        latest = at
        /** Each side is told what is replied to by its place in their own inbox. */
        const tell = (session: SessionId, seq: number, replyTo: number | undefined): Delivery => {
          const message: ChatMessage = {
            _tag: "PrivateMessage",
            seq,
            at,
            from: from.user,
            to,
            content,
            ...(replyTo !== undefined && { replyTo })
          }
          return { _tag: "Tell", to: [session], messages: [message] }
        }
        const seq = next(from.session)
        const sent: Sent = { _tag: "Sent", seq, at }
        answered.remember(from, to, key, sent)
        for (const receiver of receivers) {
          const place = next(receiver)
          places.remember({ session: from.session, seq, user: from.user }, { session: receiver, seq: place, user: to })
          outgoing.push(tell(receiver, place, repliedTo?.session === receiver ? repliedTo.seq : undefined))
        }
        outgoing.push(tell(from.session, seq, replyTo))
        reply(from, sent)
      }

      yield* Mailbox.process(mailbox, {
        handle: UsersCommand.match({
          Deliver: deliver,
          Act: ({ body, from }) => reply(from, rejected({ _tag: "AccountRequired", action: actionOf(body) })),
          ReadInbox: ({ from }) => reply(from, { _tag: "History", messages: [], more: false }),
          SearchInbox: ({ from }) => reply(from, { _tag: "SearchResults", messages: [], more: false }),
          Gone: ({ session }) => {
            newest.delete(session)
            places.forget(session)
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
