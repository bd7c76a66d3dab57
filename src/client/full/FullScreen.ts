/**
 * One sitting on a full screen: keys become changes of the view and requests, what happens becomes changes of the view, and whatever
 * changed is drawn. Ends when the person leaves, the client does, or nobody is at the terminal any more.
 *
 * 1. Input waits for nothing: what takes its time runs in fibers of its own, and is put into the view when it is there.
 * 2. What is sent is sent in the order in which it was typed; see Requests.
 * 3. However it ends, the terminal is left as it was; see Stage.
 */
import { Clock, DateTime, Deferred, Effect, Exit, FiberSet, Queue, Ref, Stream } from "effect"
import type { RoomName } from "../../common/name/RoomName.ts"
import { lobbyKey } from "../core/chat/ChatState.ts"
import * as Intention from "../core/chat/Intention.ts"
import * as Outgoing from "../core/chat/Outgoing.ts"
import * as Talk from "../core/chat/Talk.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import { OlderPage } from "../core/Page.ts"
import * as Recent from "../core/Recent.ts"
import { RecentMessages } from "../core/Recent.ts"
import type { Request } from "../core/Request.ts"
import { ListsShown, noLists } from "../line/AccountErrand.ts"
import * as Current from "../line/Current.ts"
import { CurrentTalk } from "../line/Current.ts"
import type { Ending } from "../line/Keyboard.ts"
import { Client } from "../link/Client.ts"
import { Screen } from "../screen/Screen.ts"
import { safeLine } from "../text/SafeText.ts"
import { nameOf } from "./Bars.ts"
import { Browser, followed } from "./Browser.ts"
import { calls, unread } from "./Calling.ts"
import { screenOf, workOff } from "./Errands.ts"
import type { Frame } from "./Frame.ts"
import { callOf, heard, unsettledBy } from "./Hearing.ts"
import { usual } from "./Keys.ts"
import * as Level from "./Level.ts"
import * as Live from "./Live.ts"
import * as Memory from "./Memory.ts"
import type { Options } from "./Options.ts"
import { paste, press } from "./Press.ts"
import { rejoin } from "./Rejoining.ts"
import { Requests } from "./Requests.ts"
import * as Scroll from "./Scroll.ts"
import { Servers } from "./Servers.ts"
import * as Stage from "./Stage.ts"
import * as Times from "./Times.ts"
import * as View from "./View.ts"
import type { Wish } from "./Wish.ts"

/** In nanoseconds: whoever is called again and again hears it once in 2 s. */
const bellPause = 2_000_000_000n

/** In nanoseconds: so often a server tells it. */
const typingPause = 3_000_000_000n

/** So often the marks are told, and what is only true for a while is looked at again. */
const beat = "1 second"
/** Every so many beats, how long the way to the server takes is measured. */
const beatsPerPing = 30
/** How long what was read may take to be told of, at the end. */
const farewell = "1 second"
/** What others do is drawn so often at most; what the person does, at once. */
const drawingPause = "50 millis"
/**
 * After some events were taken, the next are left to gather so long. Each time costs as much as twenty events do: copies of what is
 * kept, and looking at what is to be asked for.
 */
const hearingPause = "20 millis"
/** A terminal that takes nothing at all must not stop the keys. */
const longestDrawing = "250 millis"
const maxGiven = 256
const wheelRows = 3

const quit: Ending = { _tag: "Quit" }

/** On a stage that is opened for it. */
export const sitting = Effect.fnUntraced(function* <E, R>(
  options: Options,
  open: (frame: () => Frame, hasMouse: boolean) => Effect.Effect<Stage.Stage, E, R>
) {
  const now = yield* Clock.currentTimeMillis
  const times = Times.make(DateTime.zoneMakeLocal())
  const { configured = Level.none, hasMouse, keymap = usual, memoryPath } = options
  const { isShown } = yield* Servers
  const first = View.make({ columns: 80, rows: 24 }, times, now)
  const chat = Intention.lookAt(first.chat, isShown())
  const live = Live.make({ ...first, chat, hasMouse, keymap, configured, levels: configured })
  const stage = yield* open(live.drawn, hasMouse)
  live.whenChanged((by) => by === "person" && stage.draw())
  yield* live.change((before) => ({ ...before, size: stage.size() }))
  const memory = yield* Memory.fileAt(memoryPath, (yield* Client).encryption)
  return yield* run(stage, memory, options).pipe(
    Effect.provide(Requests.layer),
    Effect.provideService(Live.Live, live),
    Effect.provideServiceEffect(OlderPage, Ref.make<Request | undefined>(undefined)),
    Effect.provideServiceEffect(RecentMessages, Ref.make(Recent.empty)),
    Effect.provideServiceEffect(CurrentTalk, Ref.make(Current.empty)),
    Effect.provideServiceEffect(ListsShown, Ref.make(noLists))
  )
}, Effect.scoped)

const run = Effect.fnUntraced(function* (
  stage: Stage.Stage,
  memory: Effect.Success<ReturnType<typeof Memory.fileAt>>,
  { hasBell = true, hasNotices = true }: Options
) {
  const servers = yield* Servers
  const client = yield* Client
  const requests = yield* Requests
  const live = yield* Live.Live
  const { change, drawing, frame, seen, view, whenChanged } = live
  const { answer, screen } = yield* screenOf()
  const recent = yield* RecentMessages
  const current = yield* CurrentTalk
  const { open } = yield* Browser
  const given = yield* Queue.bounded<View.Given>(maxGiven)
  const ended = yield* Deferred.make<Ending>()
  /** What is asked beside what the person does; interrupted with the sitting. */
  const fork = yield* FiberSet.makeRuntime<never>()
  const before = yield* memory.read
  let waiting: Memory.Memory["drafts"] = before?.drafts ?? {}
  let rejoining = before?.rooms ?? []
  const remember = Effect.suspend(() =>
    view().chat.connection.is === "coming" ? Effect.void : memory.keep(Memory.memoryOf(view(), waiting, rejoining))
  )
  if (before !== undefined) yield* change((view) => Memory.prepared(view, before))
  let lastBell = -bellPause
  /** When others were told last, where. */
  const toldTyping = new Map<string, bigint>()
  let unsettled: ReadonlySet<string> = new Set()

  const settle = (key: string) => {
    unsettled = new Set([...unsettled].filter((one) => one !== key))
    fork(requests.people(key))
  }

  /** After a change, which may be one of what is to be asked for. */
  const lookRound = Effect.sync(() => {
    const { chat } = view()
    for (const page of Scroll.pagesDue(view())) {
      if (view().asked.has(`${page.is} ${page.key}`)) continue
      fork(page.is === "recalled" ? requests.recall(page.key) : requests.page(page.key, page.is))
    }
    if (unsettled.has(chat.shown)) settle(chat.shown)
    const own = calls(view())
    servers.tell({ unread: unread(view()), mentions: own, isThere: chat.connection.is === "there" })
    const all = view().others.reduce((sum, { mentions }) => sum + mentions, own)
    const name = safeLine(nameOf(View.talkOf(view())))
    stage.title(all === 0 ? `parley: ${name}` : `(${all}) parley: ${name}`)
  })

  const call = Effect.fnUntraced(function* (events: ReadonlyArray<ClientEvent>) {
    const [calling] = events.flatMap((event) => {
      const one = callOf(view(), event)
      return one === undefined ? [] : [one]
    })
    if (calling === undefined) return
    const now = yield* Clock.monotonicTimeNanos
    if (now - lastBell < bellPause) return
    lastBell = now
    if (hasBell) stage.ring()
    if (hasNotices && !view().chat.isLooking) stage.notify(safeLine(calling.title), safeLine(calling.text))
  })

  const arrived = Effect.fnUntraced(function* () {
    if (before !== undefined) {
      const known = yield* memory.recall(before)
      waiting = known.drafts
      yield* change((view) => Memory.recalled(view, known))
    }
    const { chat } = view()
    if (chat.isAccount) rejoining = []
    else if (before !== undefined) {
      const isOther = (room: RoomName) => (other: RoomName) => other !== room
      fork(
        rejoin(before, (room) => (rejoining = rejoining.filter(isOther(room)))).pipe(
          Effect.provideService(Client, client),
          Effect.provideService(Live.Live, live)
        )
      )
    }
    // Who is mentioned there stands in it alone: the server counts nothing of the lobby.
    const lobby = chat.talks.get(lobbyKey)
    if (lobby !== undefined && Talk.unread(lobby) > 0) fork(requests.page(lobbyKey, "older"))
  })

  const hear = Stream.runForEachArray(
    client.events,
    Effect.fnUntraced(function* (batch) {
      yield* call(batch)
      yield* Ref.update(recent, (before) => Recent.follow(before, batch))
      const said = yield* Ref.get(recent)
      const style = yield* screen.style
      yield* change((before) => batch.reduce((next, event) => heard(next, event, style, said), before), "events")
      // What commands know of the conversations.
      yield* Ref.set(current, { chat: view().chat, coming: undefined })
      if (batch.some(({ _tag }) => _tag === "Connected")) yield* arrived()
      if (Object.keys(waiting).length > 0) {
        yield* change((view) => Memory.withDrafts(view, waiting))
        waiting = Memory.waitingIn(view(), waiting)
      }
      unsettled = new Set([...unsettled, ...batch.flatMap((event) => unsettledBy(event) ?? [])])
      if (batch.some(({ _tag }) => _tag === "Connected" || _tag === "Reconnected")) {
        fork(requests.everybody)
        fork(requests.ping)
      }
      yield* Effect.sleep(hearingPause)
    })
  )

  /** Copied in any case, and opened where that can be done; and told what of it was done. */
  const follow = Effect.fnUntraced(function* (target: string) {
    const isCopied = stage.copy(target)
    const isOpened = yield* open(target)
    yield* change((view) => View.notify(view, followed(target, isOpened, isCopied), !isOpened && !isCopied))
  })

  const turnTo = Effect.fnUntraced(
    function* (name: string | undefined) {
      const why = yield* servers.turnTo(name)
      if (why !== undefined) yield* change((before) => View.notify(before, why, true))
    },
    Effect.provideService(Screen, screen)
  )

  const grant = Effect.fnUntraced(function* (wish: Wish) {
    switch (wish._tag) {
      case "Send":
        fork(requests.send(wish.submission))
        return
      case "Place":
        return void fork(requests.place(wish.user))
      case "Do":
        fork(requests.act(wish.request))
        return
      case "Page":
        fork(wish.is === "recalled" ? requests.recall(wish.key) : requests.page(wish.key, wish.is))
        return
      case "Search":
        fork(requests.search(wish.query, wish.where))
        return
      case "GoTo":
        fork(requests.goTo(wish.where, wish.seq))
        return
      case "Command":
        if (wish.action._tag === "Quit") yield* Deferred.succeed(ended, quit)
        else if (!Queue.offerUnsafe(given, wish))
          yield* change((before) => View.notify(before, "Too many commands wait.", true))
        return
      case "Answer":
        return yield* answer(wish.text)
      case "Copy":
        if (!stage.copy(wish.text))
          yield* change((before) => View.notify(before, "This terminal takes no copies.", true))
        return
      case "Open":
        fork(follow(wish.target))
        return
      case "Mouse":
        return stage.mouse(wish.isOn)
      case "Server":
        fork(turnTo(wish.name))
        return
      case "Redraw":
        return stage.redraw()
      case "Suspend":
        yield* stage.suspend
        return yield* change((before) => ({ ...before, size: stage.size() }))
      case "Quit":
        return void (yield* Deferred.succeed(ended, quit))
    }
  })

  /** Whoever changes a draft is typing, unless it is a command, or nothing. */
  const tellTyping = Effect.fnUntraced(function* (before: Talk.Talk) {
    const { draft, editing, isIn, where } = View.talkOf(view())
    const { connection, shown } = view().chat
    // Words that were brought back to be edited nobody has typed.
    const isTyping =
      draft !== before.draft && editing === before.editing && draft.trim() !== "" && !/^\s*[:/]/.test(draft)
    if (!isTyping || !isIn || connection.is !== "there") return
    const now = yield* Clock.monotonicTimeNanos
    if (now - (toldTyping.get(shown) ?? -typingPause) < typingPause) return
    toldTyping.set(shown, now)
    client.tellTypingUnsafe(where)
  })

  const click = (x: number, y: number) =>
    change((before) => {
      const { keys, pane, plan } = frame()
      if (x < plan.left) {
        const key = keys[y]
        return key === undefined ? before : View.withChat(before, Intention.show(before.chat, key))
      }
      const seq = pane.seqs[y - plan.header]
      return seq === undefined || before.popup !== undefined ? before : { ...before, chosen: seq }
    })

  const take = Effect.fnUntraced(function* (input: Stage.Input) {
    switch (input._tag) {
      case "Key": {
        // Whoever types ahead of the screen: Enter would send nothing to a conversation that was not drawn yet.
        const isBehind = view().popup === undefined && seen() !== view().chat.shown
        if (isBehind) yield* Effect.timeoutOption(drawing, longestDrawing)
        let wishes: ReadonlyArray<Wish> = []
        const talk = View.talkOf(view())
        yield* change((before) => {
          const step = press(before, input.key, seen())
          wishes = step.wishes
          return step.view
        })
        yield* tellTyping(talk)
        yield* Effect.forEach(wishes, grant, { discard: true })
        break
      }
      case "Paste":
        yield* change((before) => paste(before, input.text))
        break
      case "Resized":
        yield* change((before) => Scroll.resized(before, stage.size()))
        break
      case "Looked":
        yield* change((before) => ({ ...before, chat: Intention.lookAt(before.chat, input.isLooking) }))
        break
      case "Wheel":
        yield* change((before) => (input.isUp ? Scroll.up(before, wheelRows) : Scroll.down(before, wheelRows)))
        break
      case "Click":
        yield* click(input.x, input.y)
        break
      case "Elsewhere":
        yield* change((before) => ({ ...before, others: servers.others(), server: servers.name() }), "events")
        break
      case "Told":
        yield* change((before) => View.notify(before, input.text, true))
        break
      case "Gone":
        yield* Deferred.succeed(ended, quit)
        break
      case "Thrown":
        return yield* Effect.die(input.error)
    }
  })

  const readInput = Effect.forever(Effect.flatMap(Queue.take(stage.inputs), take))

  let beats = 0
  const keepTime = Effect.gen(function* () {
    yield* Effect.sleep(beat)
    beats += 1
    if (beats % beatsPerPing === 0 && view().chat.connection.is === "there") fork(requests.ping)
    yield* requests.marks
    yield* remember
    const isTyping = View.talkOf(view()).typing.size > 0
    if (isTyping) yield* change((before) => ({ ...before }))
  }).pipe(Effect.forever)

  const commands = workOff(given).pipe(
    Effect.provideService(Screen, screen),
    Effect.flatMap((ending) => Deferred.succeed(ended, ending)),
    // The events end with the same error.
    Effect.catchTag(["SessionError", "OutputClosed"], () => Effect.never),
    Effect.andThen(Effect.never)
  )

  const changed = yield* Queue.sliding<void>(1)
  whenChanged(() => void Queue.offerUnsafe(changed, undefined))
  const toDraw = yield* Queue.sliding<void>(1)
  whenChanged((by) => by === "events" && Queue.offerUnsafe(toDraw, undefined))
  const keepDrawing = Queue.take(toDraw).pipe(
    Effect.andThen(Effect.sync(stage.draw)),
    Effect.andThen(Effect.sleep(drawingPause)),
    Effect.forever
  )
  const keepUp = Effect.forever(Effect.andThen(Queue.take(changed), lookRound))

  /** What is on its way has arrived. */
  const sent = Effect.repeat(Effect.sleep("20 millis"), {
    until: () => !Outgoing.areWaiting(view().chat.talks.values())
  })

  const living = Effect.all([hear, readInput, keepTime, commands, keepUp, keepDrawing], {
    concurrency: "unbounded",
    discard: true
  })
  return yield* Effect.gen(function* () {
    const ending = yield* Effect.raceFirst(Effect.as(living, quit), Deferred.await(ended))
    if (yield* client.isConnected) yield* Effect.timeoutOption(Effect.andThen(sent, requests.marks), farewell)
    yield* remember
    yield* client.leave
    return ending
  }).pipe(Effect.onExit((exit) => (Exit.isSuccess(exit) ? Effect.void : remember)))
})
