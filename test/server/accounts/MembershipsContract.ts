/** What every layer of `Memberships` must do, in memory or on disk: call it with layers that begin with nothing. */
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect, type Layer, Schema } from "effect"
import type { Conversation } from "../../../src/common/log/Conversation.ts"
import { AuthorId, type Body } from "../../../src/common/log/Entry.ts"
import { Device } from "../../../src/common/log/Sealing.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { maxConversations, maxUnread } from "../../../src/common/wire/AccountMessage.ts"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import { maxLooked, Memberships } from "../../../src/server/accounts/Memberships.ts"
import { History, type NewEntry } from "../../../src/server/history/History.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { newAccount } from "./AccountsAsked.ts"
import { type Fresh, type Kept, membershipsProperties } from "./MembershipsProperties.ts"

const ada = { account: AccountId.make(1), user: UserName.make("ada") }
const dev = RoomName.make("dev")
const inDev: Conversation = { _tag: "Room", room: dev }

const write = Effect.fnUntraced(function* (bodies: ReadonlyArray<Body>, conversation: Conversation = inDev) {
  const history = yield* History
  const from = UserName.make("bob")
  const entries = bodies.map((body): NewEntry => ({
    conversation,
    from,
    ...(conversation._tag === "Inbox" && { to: conversation.user }),
    author: AuthorId.make("a.1"),
    body,
    at: 1,
    key: undefined
  }))
  for (const some of Arr.chunksOf(entries, 1000)) {
    if (Arr.isReadonlyArrayNonEmpty(some)) yield* history.append(some)
  }
})
const device = Schema.decodeSync(Device)("7")
const said = (count: number, content = "hi") => Array.from({ length: count }, (): Body => ({ _tag: "Said", content }))

/** Ada, who has joined while nothing was said. */
const joined = Effect.gen(function* () {
  yield* Effect.flatMap(Accounts, (accounts) => accounts.create(newAccount("ada")))
  const memberships = yield* Memberships
  yield* memberships.join(ada, dev, 0)
  return memberships
})
const counted = Effect.gen(function* () {
  const { rooms } = yield* Effect.flatMap(Memberships, (memberships) => memberships.standing(ada))
  return rooms.map(({ mentions, read, seq, unread }) => ({ seq, read, unread, mentions }))[0]
})

export const membershipsContract = <LayerError>(
  name: string,
  layer: Layer.Layer<Kept, LayerError>,
  runs = 100
): void => {
  const fresh: Fresh<LayerError> = (effect) => Effect.provide(effect, layer, { local: true })

  describe(`${name}, as Memberships,`, () => {
    membershipsProperties(fresh, runs)

    it.effect("counts no more than a thousand, and looks at the newest two thousand entries alone", () =>
      Effect.gen(function* () {
        const memberships = yield* joined
        yield* write([...said(10, "@ada"), ...said(maxUnread - 1)])
        assert.deepInclude(yield* counted, { unread: maxUnread, mentions: 10 })
        yield* memberships.mark(ada.account, { _tag: "Room", room: dev }, 9)
        assert.deepInclude(yield* counted, { unread: maxUnread, mentions: 1 })
        yield* memberships.mark(ada.account, { _tag: "Room", room: dev }, 10)
        assert.deepInclude(yield* counted, { unread: maxUnread - 1, mentions: 0 })
        yield* write(said(maxUnread + 1, "@ada"))
        assert.deepInclude(yield* counted, { unread: maxUnread, mentions: maxUnread })
        // All of them behind so many that are deleted, or do something to others.
        yield* write(
          Arr.makeBy(maxLooked - 3, (index): Body =>
            index % 2 === 0 ? { _tag: "Reacted", target: 1, reaction: `${index}` } : { _tag: "Deleted", target: 2 }
          )
        )
        assert.deepInclude(yield* counted, { unread: 3, mentions: 3 })
      }).pipe(fresh)
    )

    it.effect("counts what was sealed, without what was kept from who had blocked its sender", () =>
      Effect.gen(function* () {
        const memberships = yield* joined
        const sealed: Body = { _tag: "Sealed", device, keyEpoch: 1, data: "AAAA" }
        const unheard: Body = { ...sealed, unheard: true }
        yield* write([sealed, unheard, sealed, unheard, ...said(1), unheard])
        assert.deepStrictEqual(yield* counted, { seq: 6, read: 0, unread: 3, mentions: 0 })
        yield* memberships.mark(ada.account, { _tag: "Room", room: dev }, 3)
        assert.deepStrictEqual(yield* counted, { seq: 6, read: 3, unread: 1, mentions: 0 })
      }).pipe(fresh)
    )

    it.effect("begins at the newest place for who joins first, and goes on where it stood for who comes back", () =>
      Effect.gen(function* () {
        const memberships = yield* joined
        yield* write(said(5))
        // A member already.
        assert.strictEqual(yield* memberships.join(ada, RoomName.make("DEV"), 5), 0)
        yield* memberships.leave(ada.account, dev)
        assert.deepStrictEqual(yield* memberships.members(dev), [])
        assert.strictEqual(yield* memberships.join(ada, dev, 5), 0)
        yield* memberships.mark(ada.account, { _tag: "Room", room: RoomName.make("DEV") }, 3)
        yield* memberships.leave(ada.account, dev)
        assert.strictEqual(yield* memberships.join(ada, dev, 5), 3)
        assert.deepStrictEqual(yield* counted, { seq: 5, read: 3, unread: 2, mentions: 0 })
        yield* memberships.forget(dev)
        assert.strictEqual(yield* memberships.join(ada, dev, 5), 5)
        assert.deepStrictEqual(yield* memberships.rooms(ada.account), [dev])
      }).pipe(fresh)
    )

    it.effect(
      "keeps nothing of an account that is deleted, by the deleting alone, and of one that was no more than that",
      () =>
        Effect.gen(function* () {
          const memberships = yield* joined
          const accounts = yield* Accounts
          yield* write(said(3), { _tag: "Lobby" })
          yield* memberships.mark(ada.account, { _tag: "Lobby" }, 2)
          const nothing = Effect.gen(function* () {
            assert.deepStrictEqual(yield* memberships.members(dev), [])
            assert.deepStrictEqual(yield* memberships.inhabited, [])
            assert.deepStrictEqual(yield* memberships.rooms(ada.account), [])
            const { lobbyRead, rooms } = yield* memberships.standing(ada)
            assert.deepStrictEqual({ lobbyRead, rooms }, { lobbyRead: 0, rooms: [] })
          })
          yield* accounts.setState(ada.account, "Deleted", undefined)
          yield* nothing
          // What was under way meanwhile; and, once its name is free, what is too late altogether.
          const late = Effect.all([
            memberships.join(ada, dev, 5),
            memberships.mark(ada.account, { _tag: "Lobby" }, 3),
            memberships.mark(ada.account, { _tag: "Room", room: dev }, 1)
          ])
          assert.deepStrictEqual(yield* late, [0, 0, 0])
          yield* nothing
          yield* accounts.free(ada.account)
          assert.deepStrictEqual(yield* late, [0, 0, 0])
          yield* nothing
        }).pipe(fresh)
    )

    it.effect("moves a mark forwards alone, and not beyond what there is, in one's own inbox either", () =>
      Effect.gen(function* () {
        const memberships = yield* joined
        const bob = UserName.make("bob")
        yield* write(said(5), { _tag: "Lobby" })
        yield* write(said(3), { _tag: "Inbox", user: ada.user, account: ada.account })
        const mark = (seq: number) => memberships.mark(ada.account, { _tag: "Lobby" }, seq)
        assert.deepStrictEqual(yield* Effect.forEach([2, 1, 99, 0], mark), [2, 2, 5, 5])
        const withBob = (seq: number) => memberships.mark(ada.account, { _tag: "With", user: bob }, seq)
        assert.deepStrictEqual(yield* Effect.forEach([1, 0, 9], withBob), [1, 1, 3])
        const withNobody = { _tag: "With" as const, user: UserName.make("nobody") }
        assert.strictEqual(yield* memberships.mark(ada.account, withNobody, 2), 0)
        assert.strictEqual(yield* memberships.mark(ada.account, { _tag: "Room", room: RoomName.make("new") }, 7), 0)
        assert.strictEqual((yield* memberships.standing(ada)).lobbyRead, 5)
      }).pipe(fresh)
    )

    it.effect("tells of each of many rooms, in the order of their names", () =>
      Effect.gen(function* () {
        const memberships = yield* joined
        const names = Arr.makeBy(45, (index) => RoomName.make(`r${(index * 7) % 45}`))
        for (const [index, room] of names.entries()) {
          yield* memberships.join(ada, room, 0)
          yield* write(said(index % 4, "@ada"), { _tag: "Room", room })
        }
        const { rooms } = yield* memberships.standing(ada)
        const expected = [...names.map((room, index) => [room, index % 4] as const), [dev, 0] as const]
        assert.deepStrictEqual(
          rooms.map(({ mentions, room, unread }) => [room, unread, mentions]),
          expected.toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([room, count]) => [room, count, count])
        )
      }).pipe(fresh)
    )

    it.effect("tells of private conversations with whom there is by a name, not with whoever had it before", () =>
      Effect.gen(function* () {
        const memberships = yield* joined
        const accounts = yield* Accounts
        const hear = (name: string, account?: number) =>
          Effect.flatMap(History, (history) =>
            history.append([
              {
                conversation: { _tag: "Inbox", user: ada.user, account: ada.account },
                ...(account !== undefined && { twin: { _tag: "Inbox" as const, user: UserName.make(name), account } }),
                from: UserName.make(name),
                to: ada.user,
                author: AuthorId.make(account === undefined ? "abc.1" : `account.${account}`),
                body: { _tag: "Said", content: "psst" },
                at: 1,
                key: undefined
              }
            ])
          )
        const told = Effect.map(memberships.standing(ada), ({ conversations }) =>
          conversations.map((one) => [one.with, one.seq, one.read, one.unread])
        )
        const bob = UserName.make("Bob")
        yield* hear("bob")
        yield* hear("BOB")
        assert.deepStrictEqual(yield* told, [["BOB", 2, 0, 2]])
        yield* memberships.mark(ada.account, { _tag: "With", user: bob }, 1)
        assert.deepStrictEqual(yield* told, [["BOB", 2, 1, 1]])
        // From now on this is a name of somebody else.
        yield* accounts.create(newAccount("Bob"))
        assert.deepStrictEqual(yield* told, [])
        yield* hear("Bob", 2)
        assert.deepStrictEqual(yield* told, [["Bob", 3, 0, 1]])
        yield* accounts.setState(AccountId.make(2), "Deleted", undefined)
        assert.deepStrictEqual(yield* told, [["Bob", 3, 0, 1]])
        yield* accounts.free(AccountId.make(2))
        yield* accounts.create(newAccount("bob"))
        assert.deepStrictEqual(yield* told, [])
        yield* hear("bob", 3)
        assert.deepStrictEqual(yield* told, [["bob", 4, 0, 1]])
        yield* memberships.mark(ada.account, { _tag: "With", user: bob }, 4)
        assert.deepStrictEqual(yield* told, [["bob", 4, 4, 0]])
      }).pipe(fresh)
    )

    it.effect("tells of the two hundred newest private conversations", () =>
      Effect.gen(function* () {
        const memberships = yield* joined
        const history = yield* History
        const entries = Arr.makeBy(maxConversations + 5, (index): NewEntry => ({
          conversation: { _tag: "Inbox", user: ada.user, account: ada.account },
          from: UserName.make(`guest${index % (maxConversations + 3)}`),
          to: ada.user,
          author: AuthorId.make("abc.1"),
          body: { _tag: "Said", content: "psst" },
          at: 1,
          key: undefined
        }))
        yield* history.append(entries)
        const { conversations } = yield* memberships.standing(ada)
        assert.strictEqual(conversations.length, maxConversations)
        assert.deepStrictEqual(conversations.slice(0, 3), [
          { with: UserName.make("guest1"), seq: maxConversations + 5, read: 0, unread: 2 },
          { with: UserName.make("guest0"), seq: maxConversations + 4, read: 0, unread: 2 },
          { with: UserName.make(`guest${maxConversations + 2}`), seq: maxConversations + 3, read: 0, unread: 1 }
        ])
      }).pipe(fresh)
    )
  })
}
