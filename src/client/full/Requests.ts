/**
 * What the screen asks the server for by itself: what is sent, in the order in which it was typed; pages of history; findings; who is
 * where. What becomes of it is put into the view.
 *
 * Bounds: a semaphore for each conversation that something was sent to; at most one page of each conversation is on its way.
 */
import { Context, Duration, Effect, Layer, Schema, Semaphore } from "effect"
import type { UserName } from "../../common/name/UserName.ts"
import { SearchQuery } from "../../common/wire/ClientMessage.ts"
import type { StandingMessage } from "../../common/wire/EntryMessage.ts"
import { explainOtherRefusal } from "../command/OtherRefusal.ts"
import { explainRefusal } from "../command/Refusal.ts"
import { explainRoomRefusal } from "../command/RoomRefusal.ts"
import * as Chat from "../core/chat/ChatState.ts"
import * as Due from "../core/chat/Due.ts"
import * as Intention from "../core/chat/Intention.ts"
import * as Talk from "../core/chat/Talk.ts"
import type { RequestError } from "../core/ClientError.ts"
import type { NotDone } from "../core/Encryption.ts"
import type { Whereabouts } from "../core/Heard.ts"
import type { EntryRequest, HistoryRequest } from "../core/Request.ts"
import { Client } from "../link/Client.ts"
import { whenAllowed } from "../link/WhenAllowed.ts"
import { Live } from "./Live.ts"
import * as Scroll from "./Scroll.ts"
import * as View from "./View.ts"

/** How many messages are asked for at once. */
const pageSize = 100
const contextSize = 50
const maxFound = 50

const refusalPause = "5 seconds"

const isQuery = Schema.is(SearchQuery)

export class Requests extends Context.Service<
  Requests,
  {
    readonly send: (submission: Intention.Submission) => Effect.Effect<void>
    readonly place: (user: UserName) => Effect.Effect<void>
    /** Something that is done to a message. */
    readonly act: (request: EntryRequest) => Effect.Effect<void>
    readonly page: (key: string, is: "newer" | "older") => Effect.Effect<void>
    /** What stands around the message on which the view stayed before a restart. */
    readonly recall: (key: string) => Effect.Effect<void>
    readonly search: (query: string, where: Whereabouts | undefined) => Effect.Effect<void>
    readonly goTo: (where: Whereabouts, seq: number) => Effect.Effect<void>
    /** Who is in the conversation that is shown, and who governs it. */
    readonly people: (key: string) => Effect.Effect<void>
    readonly everybody: Effect.Effect<void>
    readonly ping: Effect.Effect<void>
    /** Tells what was read. */
    readonly marks: Effect.Effect<void>
  }
>()("parley/client/full/Requests") {
  static readonly layer: Layer.Layer<Requests, never, Client | Live> = Layer.effect(
    Requests,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const client = yield* Client
  const { change, view } = yield* Live
  const turns = new Map<string, Semaphore.Semaphore>()

  const inChat = (next: (chat: Chat.ChatState) => Chat.ChatState) =>
    change((before) => View.withChat(before, next(before.chat)))
  const complain = (text: string) => change((before) => View.notify(before, text, true))

  const wordsOf = (request: EntryRequest, error: NotDone | RequestError): string => {
    if (error._tag !== "RequestRejected") return error.message
    const { isAccount, user } = view().chat
    const reader = { user, isAccount, moment: (at: number) => view().times.moment(at, view().now) }
    const { reason } = error
    return (
      explainRefusal(request, reason) ??
      explainRoomRefusal(request, reason, reader) ??
      explainOtherRefusal(request, reason) ??
      error.message
    )
  }

  const turnOf = (key: string): Semaphore.Semaphore => {
    const known = turns.get(key)
    if (known !== undefined) return known
    const made = Semaphore.makeUnsafe(1)
    turns.set(key, made)
    return made
  }

  /** What is said to somebody in the open is said where it is encrypted, if it can be; and there it is seen on its way. */
  const placed = Effect.fnUntraced(function* (submission: Intention.Submission) {
    const { number, request } = submission
    if (request._tag !== "PrivateMessage") return submission
    const { room } = yield* client.encryption.placeFor(request.to)
    if (room === undefined) return submission
    yield* client.told()
    yield* change((before) =>
      View.carried(before, Intention.sentOver(before.chat, submission, request.to, room), before.chat.shown)
    )
    const { content, key: given } = request
    const there = { _tag: "RoomMessage", room, content, ...(given !== undefined && { key: given }) } as const
    return { key: Talk.keyOf({ room }), number, request: there } satisfies Intention.Submission
  })

  /** Shows where what is said to somebody goes, if they are encrypted. */
  const place = (user: UserName) =>
    Effect.gen(function* () {
      const { room } = yield* client.encryption.placeFor(user)
      if (room === undefined) return
      yield* client.told()
      yield* change((before) => View.wentOver(before, user, room))
    }).pipe(
      Effect.catchTag("SessionError", () => Effect.void),
      Effect.catch(({ message }) => complain(message))
    )

  /** One after the other: what one typed first stands first, whatever is refused as too fast, or waits for a connection. */
  const send = (submission: Intention.Submission) =>
    placed(submission).pipe(
      Effect.matchEffect({
        onSuccess: sendThere,
        onFailure: (error) => fail(submission, error)
      }),
      // Of two, what was begun in the open goes before what is typed where it is encrypted.
      turnOf(Chat.addresseeKey(view().chat, submission.key)).withPermit
    )

  const sendThere = (submission: Intention.Submission) =>
    Effect.matchEffect(whenAllowed(client.send(submission.request)), {
      onSuccess: ({ seq }) => inChat((chat) => Intention.stored(chat, submission, seq)),
      onFailure: (error) => fail(submission, error)
    })

  const fail = (submission: Intention.Submission, error: NotDone | RequestError) =>
    error._tag === "SessionError"
      ? Effect.void
      : inChat((chat) => Intention.failed(chat, submission, wordsOf(submission.request, error)))

  const act = (request: EntryRequest) =>
    Effect.matchEffect(client.send(request), {
      onSuccess: () => Effect.void,
      onFailure: (error) => complain(wordsOf(request, error))
    })

  const asked = (request: HistoryRequest) => whenAllowed(client.quietly(request))

  /** What stands before a message, and what from there on. */
  const around = (where: Whereabouts, seq: number) => {
    const base = { _tag: "GetHistory", ...where, limit: contextSize } as const
    return Effect.all([asked({ ...base, before: seq }), asked({ ...base, after: seq - 1 })])
  }

  const page = Effect.fnUntraced(function* (key: string, is: "newer" | "older") {
    const name = `${is} ${key}`
    const talk = view().chat.talks.get(key)
    if (talk === undefined || view().asked.has(name)) return
    const { entries, past } = talk.window
    const [first, last] = [entries[0]?.seq, entries.at(-1)?.seq]
    const range = is === "older" ? (first === undefined ? {} : { before: first }) : { after: last ?? 0 }
    yield* change((before) => ({ ...before, asked: new Set(before.asked).add(name) }))
    const reply = yield* Effect.option(asked({ _tag: "GetHistory", ...talk.where, ...range, limit: pageSize }))
    // What cannot be had just now is not asked for again and again.
    if (reply._tag === "None") yield* Effect.sleep(refusalPause)
    yield* change((before) => {
      const left = new Set(before.asked)
      left.delete(name)
      const next = { ...before, asked: left }
      const now = before.chat.talks.get(key)
      // What a page says of a log that is another one by now, means nothing.
      const isSame = now !== undefined && now.window.past === past
      if (reply._tag === "None" || !isSame) return next
      const there = View.withChat(next, Intention.turned(before.chat, key, reply.value, is))
      return is === "older" && key === before.chat.shown ? Scroll.goOn(there) : there
    })
  })

  /** Where it is another log by now, or the message is not there any more, the view follows what comes. */
  const recall = Effect.fnUntraced(function* (key: string) {
    const name = `recalled ${key}`
    const place = view().recalled.get(key)
    const talk = view().chat.talks.get(key)
    if (place === undefined || talk === undefined || view().asked.has(name)) return
    yield* change((before) => ({ ...before, asked: new Set(before.asked).add(name) }))
    const pages = yield* Effect.option(around(talk.where, place.seq))
    // What cannot be had just now is not asked for again and again.
    if (pages._tag === "None") yield* Effect.sleep(refusalPause)
    yield* change((before) => {
      const asked = new Set(before.asked)
      asked.delete(name)
      const now = before.chat.talks.get(key)
      // Somebody has sent something meanwhile, or gone to the end.
      const isElsewhere = now === undefined || now.anchor !== place.seq || now.window.past !== talk.window.past
      if (pages._tag === "None" && !isElsewhere) return { ...before, asked }
      const recalled = new Map(before.recalled)
      recalled.delete(key)
      const next = { ...before, asked, recalled }
      if (pages._tag === "None" || isElsewhere) return next
      const [older, newer] = pages.value
      const isThere = newer.messages.some(({ at, seq }) => seq === place.seq && at === place.at)
      if (!isThere) return View.withChat(next, Intention.stayIn(next.chat, key, undefined))
      const there = View.withChat(next, Intention.wentTo(next.chat, key, place.seq, older, newer))
      return there.chat.shown === key ? { ...there, skip: place.skip } : there
    })
  })

  const search = Effect.fnUntraced(function* (query: string, where: Whereabouts | undefined) {
    const put = (found: ReadonlyArray<StandingMessage> | undefined) =>
      change((before) =>
        before.popup?._tag === "Search"
          ? { ...before, popup: { ...before.popup, found, isAsking: false, index: 0 } }
          : before
      )
    if (!isQuery(query)) {
      yield* put(undefined)
      return yield* complain("Nothing can be found by that: type a word or more.")
    }
    const isLobby = where !== undefined && where.room === undefined && where.with === undefined
    const place = isLobby ? { lobby: true as const } : where
    const reply = yield* Effect.result(
      whenAllowed(client.quietly({ _tag: "Search", query, ...place, limit: maxFound }))
    )
    if (reply._tag === "Success") return yield* put(reply.success.messages)
    yield* put(undefined)
    return yield* complain(reply.failure.message)
  })

  const goTo = Effect.fnUntraced(function* (where: Whereabouts, seq: number) {
    const key = Talk.keyOf(where)
    if (!view().chat.talks.has(key)) return yield* complain("You are not in that conversation any more.")
    yield* inChat((chat) => Intention.show(chat, key))
    const typed = View.talkOf(view()).draft
    return yield* Effect.matchEffect(around(where, seq), {
      onSuccess: ([before, behind]) =>
        change((now) => {
          const there = View.withChat(now, Intention.wentTo(now.chat, key, seq, before, behind))
          if (there.chat.shown !== key) return there
          const scrolled = Scroll.up({ ...there, skip: 0 }, Math.floor(Scroll.pageOf(there) / 3))
          // To whoever types on meanwhile, the next letter is one of theirs, and no key about the message.
          return View.talkOf(now).draft === typed ? { ...scrolled, chosen: seq } : scrolled
        }),
      onFailure: ({ message }) => complain(message)
    })
  })

  const hear = (message: Parameters<typeof Chat.hear>[1]) =>
    change((before) => View.withChat(before, Chat.hear(before.chat, message, before.now)))

  const people = Effect.fnUntraced(
    function* (key: string) {
      const room = view().chat.talks.get(key)?.where.room
      if (room === undefined) return
      const list = yield* client.quietly({ _tag: "ListRoomUsers", room })
      yield* hear({ _tag: "Received", message: list })
      const info = yield* client.quietly({ _tag: "GetRoom", room })
      yield* hear({ _tag: "Received", message: info })
      const { moderators, owner } = info
      yield* change((before) => ({
        ...before,
        governors: new Map(before.governors).set(key, { owner, moderators })
      }))
    },
    (asking) => Effect.ignore(asking)
  )

  const everybody = Effect.gen(function* () {
    yield* hear({ _tag: "Received", message: yield* client.quietly({ _tag: "ListUsers" }) })
    if (view().chat.isAccount)
      yield* hear({ _tag: "Received", message: yield* client.quietly({ _tag: "ListBlocked" }) })
  }).pipe(Effect.ignore)

  const ping = Effect.gen(function* () {
    const [elapsed] = yield* Effect.timed(client.quietly({ _tag: "Ping", nonce: 0 }))
    yield* change((before) => ({ ...before, latency: Duration.toMillis(elapsed) }))
  }).pipe(Effect.ignore)

  const marks = Effect.gen(function* () {
    const due = Due.due(view().chat)
    if (due.length === 0) return
    yield* inChat(Due.told)
    for (const { seq, where } of due) yield* Effect.ignore(client.quietly({ _tag: "MarkRead", ...where, seq }))
  })

  return Requests.of({ send, place, act, page, recall, search, goTo, people, everybody, ping, marks })
})
