/** What a client remembers of the messages it has shown, and how little. */
import { assert, describe, it } from "@effect/vitest"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import { footprint } from "../../../src/client/core/Footprint.ts"
import * as Recent from "../../../src/client/core/Recent.ts"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { ada, bob, dev } from "./ModelServer.ts"

const received = (...messages: ReadonlyArray<ServerMessage>) =>
  messages.map((message): ClientEvent => ({ _tag: "Received", message }))
const inLobby = (seq: number, content = `${seq}`, from = bob) =>
  ({ _tag: "GlobalMessage", seq, at: 0, from, content }) as const
const inRoom = (seq: number, from = bob) =>
  ({ _tag: "RoomMessage", room: dev, seq, at: 0, from, content: `${seq}` }) as const
const inPrivate = (seq: number) =>
  ({ _tag: "PrivateMessage", seq, at: 0, from: bob, to: ada, content: `${seq}` }) as const

const connected = (account: boolean): ClientEvent => ({
  _tag: "Connected",
  welcome: {
    _tag: "Welcome",
    user: ada,
    protocol: 1,
    server: { name: "parley", version: "1" },
    account,
    lobby: { epoch: Epoch.make("e"), seq: 0 }
  }
})
const guest = Recent.follow(Recent.empty, [connected(false)])
const after = (before: Recent.Recent, ...messages: ReadonlyArray<ServerMessage>) =>
  Recent.follow(before, received(...messages))
const wordsAt = (recent: Recent.Recent, seq: number, where: Recent.Place["where"] = {}) =>
  Recent.find(recent, { where, seq })?.words

describe("the messages shown lately", () => {
  it("are known by their number, in their conversation", () => {
    const recent = after(guest, inLobby(1, "one"), inRoom(1), inPrivate(1))
    assert.strictEqual(wordsAt(recent, 1), "one")
    assert.strictEqual(wordsAt(recent, 1, { room: dev }), "1")
    assert.strictEqual(wordsAt(recent, 1, { with: bob }), "1")
    assert.isUndefined(wordsAt(recent, 2))
  })

  it("give the links that are seen, whatever stands in them that is not shown", () => {
    const recent = after(guest, inLobby(1, "https://t.co\u200bmpany.example/a"))
    assert.deepStrictEqual(Recent.find(recent, { where: {}, seq: 1 })?.links, ["https://t.company.example/a"])
  })

  it("are known as they were edited, and not at all when they were deleted", () => {
    const entry = { at: 0, from: bob }
    const edited = after(guest, inLobby(1), { _tag: "Edited", seq: 2, ...entry, target: 1, content: "new" })
    assert.strictEqual(wordsAt(edited, 1), "new")
    const deleted = after(edited, { _tag: "Deleted", seq: 3, ...entry, target: 1 })
    assert.isUndefined(wordsAt(deleted, 1))
    const replayed = after(edited, { _tag: "Tombstone", seq: 1, ...entry, deletedBy: bob, deletedAt: 0 })
    assert.isUndefined(wordsAt(replayed, 1))
  })

  it("stay a guest's own who has registered since, on every connection", () => {
    const told = inPrivate(1)
    const before = after(guest, { _tag: "Registered", token: "kept", device: DeviceId.make("d") }, told)
    assert.isTrue(before.isAccount)
    assert.strictEqual(wordsAt(Recent.follow(before, [{ _tag: "Reconnected", missed: 0 }]), 1, { with: bob }), "1")
    const stranger = Recent.follow(after(guest, told), [{ _tag: "Reconnected", missed: 0 }])
    assert.isUndefined(wordsAt(stranger, 1, { with: bob }))
  })

  it("are forgotten when their log begins anew, or one has left their room", () => {
    const recent = after(guest, inLobby(1), inRoom(1))
    const anew = Recent.follow(recent, [{ _tag: "Gap", conversation: { _tag: "Lobby" } }])
    assert.deepStrictEqual([wordsAt(anew, 1), wordsAt(anew, 1, { room: dev })], [undefined, "1"])
    assert.isUndefined(wordsAt(after(recent, { _tag: "RoomLeft", room: dev }), 1, { room: dev }))
    assert.strictEqual(
      wordsAt(Recent.follow(recent, [{ _tag: "Gap", conversation: { _tag: "Lobby" }, missing: 1 }]), 1),
      "1"
    )
  })

  it("of a guest's inbox are forgotten with the connection, for their count starts again", () => {
    const back: ClientEvent = { _tag: "Reconnected", missed: 0 }
    assert.isUndefined(wordsAt(Recent.follow(after(guest, inPrivate(1)), [back]), 1, { with: bob }))
    const account = Recent.follow(Recent.empty, [connected(true)])
    assert.strictEqual(wordsAt(Recent.follow(after(account, inPrivate(1)), [back]), 1, { with: bob }), "1")
  })

  it("are 1000 at most, those shown last, and of each no more than its beginning", () => {
    const long = "漢".repeat(8192)
    const seqs = Array.from({ length: 3000 }, (_, index) => index + 1)
    const recent = after(guest, ...seqs.map((seq) => inLobby(seq, long)), inLobby(2001, long))
    assert.strictEqual(recent.shown.size, 1000)
    assert.deepStrictEqual([wordsAt(recent, 2000), Recent.last(recent)?.seq], [undefined, 2001])
    assert.isBelow(footprint([...recent.shown.values()]), 1024 * 1024)
  })
})

describe("the message sent last", () => {
  const request = { _tag: "RoomMessage", room: dev, content: "mine" } as const
  const sent = Recent.sent(Recent.sending(guest), request, 5)
  const inDev = { room: dev, seq: 6, at: 0, from: ada, target: 5 }

  it("is known by its place in the reply, with its text as it stands", () => {
    assert.deepStrictEqual(sent.mine, { where: { room: dev }, seq: 5, content: "mine" })
    assert.strictEqual(after(sent, { _tag: "Edited", ...inDev, content: "new" }).mine?.content, "new")
  })

  it.each<readonly [string, Recent.Recent]>([
    ["while another one is under way", Recent.sending(sent)],
    ["once it is deleted", after(sent, { _tag: "Deleted", ...inDev })],
    ["once its log has begun anew", Recent.follow(sent, [{ _tag: "Gap", conversation: { _tag: "Room", room: dev } }])],
    ["once a guest has another connection", Recent.follow(sent, [{ _tag: "Reconnected", missed: 0 }])]
  ])("is not known %s", (_, recent) => {
    assert.isUndefined(recent.mine)
  })

  it("is not one that came from another connection of the same name", () => {
    assert.isUndefined(after(guest, inRoom(1, ada)).mine)
  })
})
