/** What the random happenings before a server in miniature seldom come to. */
import { assert, describe, it } from "@effect/vitest"
import * as ChatState from "../../../../src/client/core/chat/ChatState.ts"
import * as Intention from "../../../../src/client/core/chat/Intention.ts"
import * as Talk from "../../../../src/client/core/chat/Talk.ts"
import * as Unread from "../../../../src/client/core/chat/Unread.ts"
import * as Unsent from "../../../../src/client/core/chat/Unsent.ts"
import * as Window from "../../../../src/client/core/chat/Window.ts"
import type { ClientEvent } from "../../../../src/client/core/ClientEvent.ts"
import { Epoch } from "../../../../src/common/log/Cursor.ts"
import { RoomName } from "../../../../src/common/name/RoomName.ts"
import { UserName } from "../../../../src/common/name/UserName.ts"
import type { EntryMessage } from "../../../../src/common/wire/EntryMessage.ts"
import type { ServerMessage, ServerMessageOf } from "../../../../src/common/wire/ServerMessage.ts"
import { ada, bob, dev } from "../ModelServer.ts"

const epoch = Epoch.make("first")
const welcome = (rooms: ServerMessageOf<"Welcome">["rooms"] = []): ServerMessageOf<"Welcome"> => ({
  _tag: "Welcome",
  user: ada,
  protocol: 1,
  server: { name: "parley", version: "1" },
  account: true,
  lobby: { epoch, seq: 0 },
  lobbyRead: 0,
  rooms
})
const standing = (seq: number, read: number, unread: number) =>
  ({ room: dev, seq, read, unread, mentions: 0, role: "member" }) as const
const received = (message: ServerMessage): ClientEvent => ({ _tag: "Received", message })
const said = (seq: number, content = "x") =>
  ({ _tag: "RoomMessage", room: dev, seq, at: seq, from: bob, content }) satisfies EntryMessage
const after = (...events: ReadonlyArray<ClientEvent>) =>
  events.reduce((state, event) => ChatState.hear(state, event, 0), ChatState.empty)
const toAda = (seq: number) =>
  ({ _tag: "PrivateMessage", seq, at: 0, from: bob, to: ada, content: "x" }) satisfies EntryMessage
const devKey = Talk.keyOf({ room: dev })
const inDev = (state: ChatState.ChatState) => state.talks.get(devKey)

describe("what is unread", () => {
  it("is counted once, however often an entry is told of", () => {
    const twice = Unread.hear(Unread.hear(Unread.upTo(3), 4, "message"), 4, "message")
    assert.strictEqual(Unread.unread(twice), 1)
    assert.strictEqual(Unread.unread(Unread.hear(Unread.upTo(3), 2, "mention")), 0)
  })

  it("is what the server counted where entries were left out, and what is heard behind that", () => {
    const lost = after({ _tag: "Connected", welcome: welcome([standing(5, 5, 0)]) }, received(said(6)))
    assert.strictEqual(Talk.unread(inDev(lost) ?? assert.fail()), 1)
    const back = [
      { _tag: "Reconnected", missed: 0, welcome: welcome([standing(30, 5, 7)]) },
      { _tag: "Gap", conversation: { _tag: "Room", room: dev }, missing: 23 },
      received(said(30)),
      received(said(31))
    ] satisfies ReadonlyArray<ClientEvent>
    const caughtUp = back.reduce((state, event) => ChatState.hear(state, event, 0), lost)
    assert.strictEqual(Talk.unread(inDev(caughtUp) ?? assert.fail()), 8)
  })

  it("of a guest, of whom the server counts nothing, is all that was left out, until it was looked at", () => {
    const missed = Unread.hear(Unread.miss(Unread.hear(Unread.upTo(0), 1, "mention"), 9), 11, "message")
    assert.deepStrictEqual([Unread.unread(missed), Unread.mentions(missed)], [11, 1])
    assert.deepStrictEqual(Unread.all(missed), Unread.upTo(11))
  })
})

describe("what is new", () => {
  const newFrom = (state: ChatState.ChatState) => inDev(state)?.newFrom
  const page = { messages: [said(5)], more: false }
  const shown = Intention.turned(
    Intention.show(after({ _tag: "Connected", welcome: welcome([standing(5, 5, 0)]) }), devKey),
    devKey,
    page,
    "older"
  )
  const hear = (state: ChatState.ChatState, ...events: ReadonlyArray<ClientEvent>) =>
    events.reduce((before, event) => ChatState.hear(before, event, 0), state)

  it("is what came while nobody looked, until they have looked elsewhere", () => {
    const away = Intention.show(shown, ChatState.lobbyKey)
    const back = Intention.show(hear(away, received(said(6)), received(said(7))), devKey)
    assert.strictEqual(newFrom(back), 5)
    assert.strictEqual(newFrom(hear(back, received(said(8)))), 5)
    assert.isUndefined(newFrom(Intention.show(back, ChatState.lobbyKey)))
  })

  it("is not what comes before one's eyes, but what was missed there", () => {
    assert.isUndefined(newFrom(hear(shown, received(said(6)))))
    const joined = {
      _tag: "RoomJoined",
      room: dev,
      epoch,
      seq: 7,
      missed: 2,
      truncated: false,
      users: [ada],
      count: 1
    } as const
    const back = hear(
      shown,
      { _tag: "Disconnected", cause: "a cut" },
      { _tag: "Reconnected", missed: 0, welcome: welcome([standing(7, 5, 2)]) },
      { _tag: "Rejoined", joined, missed: 2 },
      received(said(6)),
      received(said(7))
    )
    assert.strictEqual(newFrom(back), 5)
  })
})

describe("a page", () => {
  it("that was read before an edit which is known already is no news of that message", () => {
    const edited = (seq: number, content: string): EntryMessage => ({
      _tag: "Edited",
      room: dev,
      seq,
      at: seq,
      from: bob,
      target: 1,
      content
    })
    const waiting = Window.follow(Window.make({ room: dev }), edited(2, "earlier"), "newest")
    const later = { ...said(1, "later"), edited: 9 } as const
    const [message] = Window.olderPage(waiting, { messages: [later], more: false }).entries
    assert.deepStrictEqual(message, later)
  })

  it("of what comes behind is not the end while more has come than it holds", () => {
    const away = Window.goneTo(
      Window.make({ room: dev }),
      { messages: [], more: false },
      { messages: [said(1)], more: true }
    )
    const more = Window.follow(away, said(5), "oldest")
    const page = Window.newerPage(more, { messages: [said(2)], more: false })
    assert.isFalse(page.isAtEnd)
    assert.isTrue(Window.newerPage(page, { messages: [said(5)], more: false }).isAtEnd)
  })
})

describe("a conversation that ends", () => {
  const there = after({ _tag: "Connected", welcome: welcome([standing(5, 5, 0)]) })
  const left: ClientEvent = received({ _tag: "RoomLeft", room: dev })

  it("goes from the list where it was asked for, and what was shown before it is shown", () => {
    const asked = received({ _tag: "RoomLeft", room: dev, id: "7" })
    const gone = ChatState.hear(Intention.show(there, devKey), asked, 0)
    assert.isUndefined(inDev(gone))
    assert.strictEqual(gone.shown, ChatState.lobbyKey)
  })

  it("stays before whoever did not ask for it until they go elsewhere, and nothing can be said in it", () => {
    const put = ChatState.hear(Intention.show(there, devKey), left, 0)
    assert.strictEqual(put.shown, devKey)
    assert.deepInclude(inDev(put), { isIn: false })
    const typed = Intention.type(put, devKey, "oops")
    assert.deepStrictEqual(Intention.submit(typed, devKey), [typed, undefined])
    assert.isUndefined(inDev(Intention.show(put, ChatState.lobbyKey)))
    assert.strictEqual(inDev(Intention.show(typed, ChatState.lobbyKey))?.draft, "oops")
  })

  it("stays while something is typed there, which is not sent, and goes once that is gone", () => {
    const typed = Intention.type(Intention.show(there, devKey), devKey, "not yet")
    const kept = ChatState.hear(typed, left, 0)
    assert.deepInclude(inDev(kept), { draft: "not yet", isIn: false })
    assert.deepStrictEqual(Intention.submit(kept, devKey), [kept, undefined])
    assert.strictEqual(Intention.close(kept, devKey), kept)
    const emptied = Intention.type(kept, devKey, "")
    assert.isUndefined(inDev(Intention.close(emptied, devKey)))
  })

  it("in private is taken off the list by the person, and a room that one is in is not", () => {
    const talking = Intention.talkTo(there, bob)
    const key = Talk.keyOf({ with: bob })
    assert.strictEqual(talking.shown, key)
    assert.isFalse(Intention.close(talking, key).talks.has(key))
    assert.strictEqual(Intention.close(there, devKey), there)
    assert.strictEqual(Intention.close(there, ChatState.lobbyKey), there)
  })
})

describe("what was refused", () => {
  const there = Intention.show(after({ _tag: "Connected", welcome: welcome([standing(5, 5, 0)]) }), devKey)
  const refused = (state: ChatState.ChatState) => {
    const [sent, submission] = Intention.submit(state, devKey)
    return submission === undefined ? assert.fail() : { submission, state: sent }
  }

  it("is sent again to the conversation alone that the person sees", () => {
    const { state, submission } = refused(Intention.type(there, devKey, "for dev"))
    const failed = Intention.failed(state, submission, "too fast")
    const elsewhere = Intention.show(failed, ChatState.lobbyKey)
    assert.deepStrictEqual(Intention.retry(elsewhere, devKey, submission.number), [elsewhere, undefined])
    const [, again] = Intention.retry(failed, devKey, submission.number)
    assert.deepStrictEqual(again?.request, { _tag: "RoomMessage", room: dev, content: "for dev" })
  })

  it("of an edit keeps its words, also where something else is typed by then", () => {
    const own = { ...said(6, "first"), from: ada }
    const editing = Intention.edit(ChatState.hear(there, received(own), 0), 6)
    const { state, submission } = refused(Intention.type(editing, devKey, "mended"))
    const empty = Intention.failed(state, submission, "too late")
    assert.deepInclude(inDev(empty), { draft: "mended", editing: 6 })
    const busy = Intention.failed(Intention.type(state, devKey, "next"), submission, "too late")
    assert.strictEqual(inDev(busy)?.draft, "next")
    assert.deepStrictEqual(inDev(busy)?.outbox, [
      { number: submission.number, content: "mended", state: { _tag: "Failed", message: "too late" } }
    ])
  })
})

describe("private conversations", () => {
  it("are so many and no more: those go that have been quiet longest, and none that holds something of one's own", () => {
    const from = (number: number): ClientEvent =>
      received({
        _tag: "PrivateMessage",
        seq: number + 1,
        at: 0,
        from: UserName.make(`user${number}`),
        to: ada,
        content: "x"
      })
    const keyOf = (number: number) => Talk.keyOf({ with: UserName.make(`user${number}`) })
    const first = Intention.type(after({ _tag: "Connected", welcome: welcome() }, from(0)), keyOf(0), "to be said")
    const all = Array.from({ length: ChatState.maxPrivate + 1 }, (_, index) => from(index + 1))
    const many = all.reduce((state, event) => ChatState.hear(state, event, 0), first)
    const known = [...many.talks.values()].filter(({ where }) => where.with !== undefined)
    assert.lengthOf(known, ChatState.maxPrivate)
    assert.deepStrictEqual(
      [0, 1, 2, 3].map((number) => many.talks.has(keyOf(number))),
      [true, false, false, true]
    )
  })
})

describe("what waits for somebody", () => {
  it("is a mention first, then what is said in private, then anything", () => {
    const inLobby = received({ _tag: "GlobalMessage", seq: 1, at: 0, from: bob, content: "x" })
    const inPrivate = received({ _tag: "PrivateMessage", seq: 1, at: 0, from: bob, to: ada, content: "x" })
    const start = Intention.lookAt(after({ _tag: "Connected", welcome: welcome([standing(5, 5, 0)]) }), false)
    const hear = (...events: ReadonlyArray<ClientEvent>) =>
      Intention.show(
        events.reduce((state, event) => ChatState.hear(state, event, 0), start),
        Talk.keyOf({ with: UserName.make("nobody") })
      )
    const elsewhere = (state: ChatState.ChatState) =>
      Intention.nextWaiting(Intention.talkTo(state, UserName.make("eve")))
    assert.isUndefined(elsewhere(start))
    assert.strictEqual(elsewhere(hear(inLobby)), ChatState.lobbyKey)
    assert.strictEqual(elsewhere(hear(inLobby, inPrivate)), Talk.keyOf({ with: bob }))
    assert.strictEqual(elsewhere(hear(inLobby, inPrivate, received(said(6, "hi @ada")))), devKey)
  })
})

describe("what others can make it hold", () => {
  const connected = after({ _tag: "Connected", welcome: welcome() })
  const named = (name: string, index: number) => UserName.make(`${name}${index}`)

  it("is who is typing now, and no more of them than can be named, whoever has typed", () => {
    const typed = (state: ChatState.ChatState, count: number, pause: number) =>
      Array.from({ length: count }, (_, index) => index).reduce(
        (next, index) => ChatState.hear(next, received({ _tag: "Typing", user: named("u", index) }), index * pause),
        state
      )
    const lobbyOf = (state: ChatState.ChatState) => state.talks.get(ChatState.lobbyKey) ?? assert.fail()
    assert.isAtMost(lobbyOf(typed(connected, 500, 0)).typing.size, 50)
    const later = lobbyOf(typed(connected, 500, 1000))
    assert.deepStrictEqual(
      [...later.typing.values()].map(({ user }) => user),
      ChatState.typingIn(later, 499_000)
    )
    assert.include(ChatState.typingIn(later, 499_000), named("u", 499))
  })

  it("is nobody any more who has sent what they typed, be it an edit", () => {
    const ada = UserName.make("ada")
    const said = after(
      { _tag: "Connected", welcome: welcome() },
      received({ _tag: "GlobalMessage", seq: 1, at: 0, from: ada, content: "first" })
    )
    const typed = ChatState.hear(said, received({ _tag: "Typing", user: ada }), 0)
    const typing = (state: ChatState.ChatState) => ChatState.typingIn(ChatState.shownTalk(state), 1)
    assert.deepStrictEqual(typing(typed), [ada])
    const edited = received({ _tag: "Edited", seq: 2, at: 0, from: ada, target: 1, content: "better" })
    assert.deepStrictEqual(typing(ChatState.hear(typed, edited, 1)), [])
    const reacted = received({ _tag: "Reacted", seq: 2, at: 0, from: ada, target: 1, reaction: "x" })
    assert.deepStrictEqual(typing(ChatState.hear(typed, reacted, 1)), [ada])
  })

  it("is not what was closed, before something is said there", () => {
    const open = after({ _tag: "Connected", welcome: welcome() }, received(toAda(1)))
    const key = Talk.keyOf({ with: bob })
    const closed = Intention.close(open, key)
    const reacted = received({ _tag: "Reacted", seq: 2, at: 0, from: bob, with: bob, target: 1, reaction: "x" })
    const reactedTo = ChatState.hear(closed, reacted, 0)
    assert.isFalse(reactedTo.talks.has(key))
    assert.isTrue(ChatState.hear(reactedTo, received(toAda(3)), 0).talks.has(key))
  })

  it("is what one had said in a sitting before, until it comes by itself", () => {
    const connected = after({ _tag: "Connected", welcome: welcome([standing(0, 0, 0)]) })
    const back = Unsent.withUnsent(connected, [
      { room: dev, content: "sealed", at: 5 },
      { room: dev, content: "not", at: 5 }
    ])
    const own = received({ ...said(1, "sealed"), from: ada, at: 90_000 })
    const came = ChatState.hear(back, own, 0)
    assert.deepStrictEqual(
      inDev(came)?.outbox.map(({ content }) => content),
      ["not"]
    )
    assert.deepStrictEqual(
      Unsent.unsentIn(came).map(({ content }) => content),
      ["not"]
    )
  })

  it("is as many invitations as a Welcome has, the newest", () => {
    const invited = Array.from({ length: 500 }, (_, index) =>
      received({ _tag: "Invitation", room: RoomName.make(`r${index}`), by: bob })
    ).reduce((state, event) => ChatState.hear(state, event, 0), connected)
    assert.deepStrictEqual([...invited.invitations.keys()].at(-1), "r499")
    assert.strictEqual(invited.invitations.size, 200)
  })

  it("are tens of thousands of rooms, at once", () => {
    const rooms = Array.from({ length: 15_000 }, (_, index) => ({
      ...standing(5, 2, 3),
      room: RoomName.make(`r${index}`)
    }))
    const { talks } = after({ _tag: "Connected", welcome: welcome(rooms) })
    assert.strictEqual(talks.size, 15_001)
    assert.strictEqual(Talk.unread(talks.get("room r14999") ?? assert.fail()), 3)
  }, 5000)
})
