/**
 * Private messages: owns the inboxes and the place of each message in them.
 *
 * A guest's inbox counts from 1 for one connection and is not stored: messages between guests are delivered at once, by the
 * fiber that acts on the mailbox and waits for nothing. A message sent again after a broken connection is not heard twice, as
 * far as its key is still known (see AnsweredKeys).
 *
 * Whatever concerns an account's inbox is stored first, by one other fiber, a round at a time (see Rounds), and only then
 * delivered: the order of each inbox is that of its log (invariants 4 and 5). So a slow disk holds up who writes to accounts,
 * and nobody else (invariant 2).
 */
import { Clock, Context, Effect, Layer, Option, Queue } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { AccountNames } from "../accounts/AccountNames.ts"
import { Blocks } from "../accounts/Blocks.ts"
import { partnerOf } from "../history/Partner.ts"
import { makeTypingTimes } from "../presence/TypingTimes.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import { Reporting } from "../reports/Reporting.ts"
import { LogReader } from "../rooms/LogReader.ts"
import { type CatchUp, retryInterval } from "../rooms/Newcomers.ts"
import { gather } from "../rooms/Telling.ts"
import { SearchProcessor } from "../search/SearchProcessor.ts"
import type { Asker } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import { rejected } from "../session/Rejected.ts"
import { Sessions } from "../session/Sessions.ts"
import { deliveriesOf, heardOf, privateMessage, touchedBy } from "./Deliveries.ts"
import { type Exchange, homeOf, inboxOf, receiverOf } from "./Exchange.ts"
import * as Exchanging from "./Exchanging.ts"
import type { Answer, Placed } from "./Exchanging.ts"
import { makeGuestInboxes } from "./GuestInboxes.ts"
import * as OpenInboxes from "./OpenInboxes.ts"
import { apart, makeRounds } from "./Rounds.ts"
import type { UsersCommand, UsersCommandOf } from "./UsersCommand.ts"

/** Answers a CatchUp. None: its inbox cannot be read, or it is gone. */
export type UsersAnswer = Option.Option<CatchUp>

export class UserProcessor extends Context.Service<UserProcessor, Mailbox.Mailbox<UsersCommand, UsersAnswer>>()(
  "parley/server/inbox/UserProcessor"
) {
  static readonly layer = Layer.effect(
    UserProcessor,
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const names = yield* AccountNames
      const blocks = yield* Blocks
      const reader = yield* LogReader
      const reporting = yield* Reporting
      const searches = yield* SearchProcessor
      const clock = yield* Clock.Clock
      const scope = yield* Effect.scope
      const decideAll = yield* Exchanging.make
      const inboxes = yield* OpenInboxes.make
      const mailbox = yield* Mailbox.make<UsersCommand, UsersAnswer>()
      const guests = makeGuestInboxes()
      const rounds = makeRounds()
      const typingTimes = makeTypingTimes()
      /** Something waits to be stored, or a failed commit to be looked at. */
      const called = yield* Queue.sliding<void>(1)
      const call = () => void Queue.offerUnsafe(called, undefined)
      /** Never goes back, whatever the clock does. */
      let latest = 0

      /** What follows from the commands that waited together: a pair that floods gets one frame each, not three a message. */
      let outgoing: Array<Delivery> = []
      const reply = (to: Asker, message: ServerMessage) => void outgoing.push({ _tag: "Reply", to, message })
      const refuse = (to: Asker, reason: Rejection) => reply(to, rejected(reason))
      const sendOut = () => {
        const deliveries = outgoing
        outgoing = []
        sessions.deliver(deliveries)
      }

      /** Goes on without waiting for it. */
      const beside = (effect: Effect.Effect<void>) =>
        Effect.asVoid(Effect.forkIn(effect, scope, { startImmediately: true }))

      /** Between two guests. */
      const deliver = ({ body, from, key, receivers, to }: UsersCommandOf<"Deliver">) => {
        const first = guests.answered.find(from, to, key)
        if (first !== undefined) return reply(from, first)
        const { content, replyTo } = body
        const isKnown = replyTo === undefined || guests.find(from.session, replyTo, to) !== undefined
        if (!isKnown) return refuse(from, { _tag: "MessageNotFound", seq: replyTo })
        if (receivers.length === 0) return refuse(from, { _tag: "UserNotFound", user: to })
        latest = Math.max(latest, clock.currentTimeMillisUnsafe())
        const own = guests.next(from.session, latest)
        const sent = { _tag: "Sent" as const, ...own }
        guests.answered.remember(from, to, key, sent)
        for (const receiver of receivers) {
          const place = guests.next(receiver, latest)
          const repliedTo = guests.repliedTo(from.session, replyTo, receiver, to)
          guests.remember(
            { holder: from.session, seq: own.seq, user: from.user },
            { holder: receiver, seq: place.seq, user: to }
          )
          outgoing.push(privateMessage(receiver, { from: from.user, to, content }, place, repliedTo))
        }
        outgoing.push(privateMessage(from.session, { from: from.user, to, content }, own, replyTo))
        reply(from, sent)
      }

      /**
       * What a guest writes to an account that has blocked it stands in the guest's own inbox alone, and is answered as ever. It
       * may be replied to there.
       */
      const keepToItself = ({ body, from, key }: UsersCommandOf<"Deliver">, to: UserName) => {
        const { content, replyTo } = body
        if (replyTo !== undefined && guests.find(from.session, replyTo, to) === undefined) {
          return refuse(from, { _tag: "MessageNotFound", seq: replyTo })
        }
        latest = Math.max(latest, clock.currentTimeMillisUnsafe())
        const own = guests.next(from.session, latest)
        const sent = { _tag: "Sent" as const, ...own }
        guests.answered.remember(from, to, key, sent)
        // A name is nobody's place.
        const nowhere = { holder: partnerOf({ user: to }), seq: own.seq, user: to }
        guests.remember({ holder: from.session, seq: own.seq, user: from.user }, nowhere)
        outgoing.push(privateMessage(from.session, { from: from.user, to, content }, own, replyTo))
        reply(from, sent)
      }

      const exchange = (command: UsersCommandOf<"Deliver"> | UsersCommandOf<"Act">) => {
        const { body, from, key, receivers } = command
        const to = command._tag === "Deliver" ? command.to : command.with
        const named = names.find(to)
        if (command._tag === "Deliver" && named === undefined && from.account === undefined) return deliver(command)
        if (command._tag === "Act" && (named === undefined || from.account === undefined)) {
          const isNobody = named === undefined && receivers.length === 0
          return refuse(
            from,
            isNobody ? { _tag: "UserNotFound", user: to } : { _tag: "AccountRequired", action: actionOf(command) }
          )
        }
        const isThere = named === undefined ? receivers.length > 0 : named.state === "Active"
        const first = from.account === undefined ? guests.answered.find(from, to, key) : undefined
        if (first !== undefined) return reply(from, first)
        if (!isThere && body._tag === "Said" && key === undefined)
          return refuse(from, { _tag: "UserNotFound", user: to })
        const isKept = command._tag === "Deliver" && from.account === undefined && isThere
        if (isKept && named !== undefined && blocks.has(named.id, from)) return keepToItself(command, named.user)
        rounds.add({
          from,
          author: sessions.authorsOf(from).author,
          to: named?.user ?? to,
          account: named?.id,
          isThere,
          guests: named === undefined ? receivers : [],
          body,
          key
        })
        call()
      }

      const catchUp = ({ after, from }: UsersCommandOf<"CatchUp">, answer: (answer: UsersAnswer) => void) => {
        // Who was a guest until now begins another inbox.
        guests.forget(from.session)
        const { account } = from
        if (account === undefined) return answer(Option.none())
        const coming = inboxes.enter({ ...from, account }, after).pipe(
          Effect.catch(() => Effect.succeedNone),
          Effect.catchDefect((defect) =>
            Effect.as(Effect.logError("A connection could not be let into its inbox", defect), Option.none())
          ),
          Effect.map(answer)
        )
        // Waits for nothing, if nothing was missed.
        return beside(coming)
      }

      const partnerNamed = (user: UserName) => {
        const named = names.find(user)
        return partnerOf(named === undefined ? { user } : { user, account: named.id })
      }

      const read = ({ from, range, with: user }: UsersCommandOf<"ReadInbox">) => {
        if (from.account === undefined) return reply(from, { _tag: "History", messages: [], more: false })
        const told = inboxes.told(from.account)
        const before = told === undefined ? range.before : Math.min(range.before ?? told + 1, told + 1)
        const asked = { ...range, before, with: partnerNamed(user) }
        const isWanted = () => sessions.isHere(from.session)
        const page = reader.historyReply(inboxOf(from.user, from.account), asked, isWanted)
        return beside(
          sessions.orRefuse(
            from,
            Effect.map(page, (pieces) => sessions.replyEncoded(from, "History", pieces))
          )
        )
      }

      const search = ({ from, search, with: user }: UsersCommandOf<"SearchInbox">) => {
        if (from.account === undefined) return reply(from, { _tag: "SearchResults", messages: [], more: false })
        const conversations = [inboxOf(from.user, from.account)] as const
        Mailbox.tellUnsafe(searches, { from, conversations, search: { ...search, with: partnerNamed(user) } })
      }

      /** A guest's inbox is not stored: nothing is found in it. */
      const report = ({ from, reason, target, with: user }: UsersCommandOf<"Report">) => {
        if (from.account === undefined) return refuse(from, { _tag: "MessageNotFound", seq: target })
        const other = names.find(user)?.user ?? user
        const complaint = { with: other, target, reason }
        return beside(reporting.report(from, inboxOf(from.user, from.account), complaint, partnerNamed(user)))
      }

      const typing = ({ from, receivers, with: user }: UsersCommandOf<"Typing">) => {
        const named = names.find(user)
        const isThere = named === undefined ? receivers.length > 0 : named.state === "Active"
        if (!isThere) return refuse(from, { _tag: "UserNotFound", user })
        outgoing.push({ _tag: "Given", to: from })
        if (blocks.has(named?.id, from)) return
        const pair = `${nameKey(from.user)} ${nameKey(user)}`
        if (receivers.length === 0 || !typingTimes.take(pair, monotonicMillis(clock))) return
        outgoing.push({ _tag: "Hint", to: receivers, message: { _tag: "Typing", with: from.user, user: from.user } })
      }

      const leave = ({ session }: UsersCommandOf<"Gone">) => {
        inboxes.leave(session)
        guests.forget(session)
      }

      const act = (command: UsersCommand, answer: (answer: UsersAnswer) => void = () => {}): Mailbox.Handled => {
        switch (command._tag) {
          case "Deliver":
          case "Act":
            return exchange(command)
          case "Typing":
            return typing(command)
          case "CatchUp":
            return catchUp(command, answer)
          case "ReadInbox":
            return read(command)
          case "SearchInbox":
            return search(command)
          case "Report":
            return report(command)
          case "Gone":
            return leave(command)
        }
      }

      const refuseCommand = (command: UsersCommand, answer: (answer: UsersAnswer) => void) => {
        if ("from" in command && command._tag !== "CatchUp")
          sessions.refuse(command.from, { _tag: "StorageUnavailable" })
        answer(Option.none())
      }

      /** Where it is stored, and what it replies to there: a guest names that by a place of their own inbox. */
      const placedFor = (exchange: Exchange): ReadonlyArray<Placed> => {
        const home = homeOf(exchange)
        if (home === undefined) return []
        const { body, from, to } = exchange
        const asked = body._tag === "Said" ? body.replyTo : undefined
        const isMuffled = from.account !== undefined && blocks.has(exchange.account, from)
        if (from.account !== undefined || body._tag !== "Said" || asked === undefined) {
          return [{ ...home, exchange, asked, isMuffled }]
        }
        // Nothing stands at 0. What it was answered with before is looked up all the same.
        const isKnown = guests.find(from.session, asked, to) !== undefined
        const there = isKnown ? guests.repliedTo(from.session, asked, receiverOf(exchange), to) : 0
        const { content } = body
        const said = there === undefined ? { _tag: body._tag, content } : { _tag: body._tag, content, replyTo: there }
        return [{ ...home, asked, isMuffled, exchange: { ...exchange, body: said } }]
      }

      const store = Effect.fnUntraced(function* (part: ReadonlyArray<Placed>) {
        const answers = yield* decideAll(part)
        const answered = part.flatMap((placed, index) => {
          const answer = answers[index]
          return answer === undefined ? [] : [{ placed, answer: asTheSenderNames(answer, placed) }]
        })
        const news: Array<readonly [string, Effect.Success<ReturnType<typeof inboxes.news>>]> = []
        for (const [key, { answered: places, entries, inbox }] of heardOf(answered)) {
          news.push([key, yield* inboxes.news(inbox, entries, places)])
        }
        const told = new Map(news.map(([key, one]) => [key, one === undefined ? [] : inboxes.take(one)]))
        sessions.deliver(deliveriesOf(answered, told, guests))
      })

      /** A part that fails or dies is answered, and the next round is stored (invariant 6). */
      const carryOut = (exchanges: ReadonlyArray<Exchange>) => {
        const part = exchanges.flatMap(placedFor)
        const refuseAll = Effect.sync(() => {
          for (const { from } of exchanges) sessions.refuse(from, { _tag: "StorageUnavailable" })
          // It may have been stored all the same.
          for (const inbox of touchedBy(part)) inboxes.doubt(inbox)
        })
        return store(part).pipe(
          Effect.catch(() => refuseAll),
          Effect.catchDefect((defect) =>
            Effect.andThen(refuseAll, Effect.logError("Private messages could not be stored or told", defect))
          )
        )
      }

      /** What waited for a round to be answered. */
      const actOnPostponed = Effect.fnUntraced(function* (round: ReadonlyArray<Exchange>) {
        for (const session of rounds.answered(round)) {
          for (let next = rounds.nextPostponed(session); next; next = rounds.nextPostponed(session)) {
            yield* Mailbox.carryOut(next, () => {}, { handle: act, refuse: refuseCommand }) ?? Effect.void
          }
        }
        sendOut()
      })

      let isReminded = false
      const lookAgain = Effect.gen(function* () {
        if (!inboxes.isDoubtful() || (yield* inboxes.lookAgain) || isReminded) return
        isReminded = true
        const remind = Effect.sync(() => {
          isReminded = false
          call()
        })
        yield* beside(Effect.delay(remind, retryInterval))
      })

      const storing = Effect.gen(function* () {
        yield* Queue.take(called)
        yield* lookAgain
        for (let round = rounds.next(); round.length > 0; round = rounds.next()) {
          yield* Effect.forEach(apart(round), carryOut, { concurrency: "unbounded", discard: true })
          yield* actOnPostponed(round)
          yield* lookAgain
          yield* gather
        }
      })
      yield* Effect.forkScoped(Effect.forever(storing, { disableYield: true }))

      yield* Mailbox.process(mailbox, {
        handle: (command, answer) => {
          // A newcomer waits for nobody.
          if (command._tag === "CatchUp" || !rounds.postpone(command)) return act(command, answer)
        },
        refuse: refuseCommand,
        afterwards: sendOut
      }).pipe(Effect.forkScoped)
      return mailbox
    })
  )
}

/** The request that asks for it. */
const actionOf = ({ body }: UsersCommandOf<"Act">): string =>
  body._tag === "Edited" ? "EditMessage" : body._tag === "Deleted" ? "DeleteMessage" : "React"

/** What is not there is told by the place that was asked for. */
const asTheSenderNames = (answer: Answer, { asked }: Placed): Answer =>
  answer._tag === "Refused" && answer.reason._tag === "MessageNotFound" && asked !== undefined
    ? { _tag: "Refused", reason: { _tag: "MessageNotFound", seq: asked } }
    : answer
