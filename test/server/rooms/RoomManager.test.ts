/** One conversation alone, with real sessions over sockets that note what is written to them. */
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, ConfigProvider, Effect, Layer, Option, Stream } from "effect"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Connection } from "../../../src/connection/Connection.ts"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"
import * as Mailbox from "../../../src/server/processor/Mailbox.ts"
import { Turns } from "../../../src/server/processor/Turns.ts"
import * as Deciding from "../../../src/server/rooms/Deciding.ts"
import { LogReader } from "../../../src/server/rooms/LogReader.ts"
import * as RoomManager from "../../../src/server/rooms/RoomManager.ts"
import type { Asker } from "../../../src/server/session/Asker.ts"
import { Sessions } from "../../../src/server/session/Sessions.ts"
import * as MemoryGovernances from "../../../src/server/store/MemoryGovernances.ts"
import * as MemoryHistory from "../../../src/server/store/MemoryHistory.ts"
import { withMonotonicNanos } from "../../support/MonotonicClock.ts"

const services = LogReader.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Sessions.layer, Turns.layer, MemoryGovernances.layer, MemoryHistory.layer)),
  Layer.provideMerge(ServerConfig.layer),
  Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({})))
)

const room = RoomName.make("dev")

/** People who have a connection each; `onWrite` is told of each message as it is written to one of them. */
const crowd = Effect.fnUntraced(function* (count: number) {
  const { open } = yield* Sessions
  const heard: Array<readonly [name: string, tag: string]> = []
  const names = Arr.makeBy(count, (index) => `member-${index}`)
  const listening = { onWrite: (_name: string, _tag: string) => {} }
  const connection = (name: string): Connection<never> => ({
    messages: Stream.never,
    write: (frames) =>
      Effect.sync(() => {
        for (const [, tag = ""] of Buffer.concat(frames)
          .toString()
          .matchAll(/"_tag":"(\w+)"/g)) {
          heard.push([name, tag])
          listening.onWrite(name, tag)
        }
      }),
    close: () => Effect.void
  })
  const members = yield* Effect.forEach(names, (name) =>
    Effect.map(open(connection(name)), ({ id, requests }) => (): Asker => ({
      session: id,
      user: UserName.make(name),
      request: requests.add({ id: undefined, about: undefined, characters: 0, isLarge: false })
    }))
  )
  return { heard, names, members, listening }
})

const allJoin = Effect.fnUntraced(function* (
  { mailbox }: RoomManager.RoomManager,
  members: ReadonlyArray<() => Asker>
) {
  for (const asker of members) {
    const join = { _tag: "Join", from: asker(), after: undefined } as const
    assert.isTrue(Option.isSome(yield* Mailbox.ask(mailbox, join)))
  }
})

/** What somebody was told, without who came and went. */
const tagsOf = (heard: ReadonlyArray<readonly [name: string, tag: string]>, name: string | undefined) =>
  heard.filter(([who, tag]) => who === name && tag !== "RoomPresence").map(([, tag]) => tag)

describe("RoomManager", () => {
  it.live("acts on nothing while members are told: who leaves meanwhile hears the message before the farewell", () => {
    // Whoever looks at the clock finds that his turn is over.
    let now = 0n
    return Effect.gen(function* () {
      const { heard, listening, members, names } = yield* crowd(200)
      const conversation = { _tag: "Room", room } as const
      const deciding = yield* Deciding.make({ conversation })
      const manager = yield* RoomManager.make({ conversation, deciding, onVacated: () => {} })
      yield* allJoin(manager, members)
      const [first, last] = [members[0], members.at(-1)]
      if (first === undefined || last === undefined) return assert.fail("there are no members")

      const lastHeard = () => tagsOf(heard, names.at(-1))
      listening.onWrite = (name, tag) => {
        if (name !== "member-50" || tag !== "RoomMessage") return
        Mailbox.tellUnsafe(manager.mailbox, { _tag: "Leave", from: last() })
      }
      heard.length = 0
      Mailbox.tellUnsafe(manager.mailbox, {
        _tag: "Act",
        from: first(),
        body: { _tag: "Said", content: "hello" },
        key: undefined
      })
      yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => lastHeard().includes("RoomLeft") }))
      assert.deepStrictEqual(lastHeard(), ["RoomMessage", "RoomLeft"])
      assert.lengthOf(
        heard.filter(([, tag]) => tag === "RoomMessage"),
        members.length
      )
    }).pipe(
      Effect.scoped,
      Effect.provide(services),
      withMonotonicNanos(() => (now += 3_000_000n))
    )
  })

  it.live("that is deleted while members are told says so behind what they are told, and is vacant then", () => {
    // Whoever looks at the clock finds that his turn is over.
    let now = 0n
    return Effect.gen(function* () {
      const { heard, listening, members, names } = yield* crowd(100)
      const conversation = { _tag: "Room", room } as const
      const deciding = yield* Deciding.make({ conversation, guestOwner: () => authorOf(0) })
      const vacated: Array<number> = []
      const facts: Array<string> = []
      const manager = yield* RoomManager.make({
        conversation,
        deciding,
        onVacated: (handled) => void vacated.push(handled),
        onDeleted: () => void facts.push("deleted"),
        onMembers: () => void facts.push("members")
      })
      const sessions = yield* Sessions
      const authorOf = (index: number) => {
        const asker = members[index]?.()
        return asker && sessions.authorsOf(asker).author
      }
      yield* allJoin(manager, members)
      const [first, second] = members
      if (first === undefined || second === undefined) return assert.fail("there are no members")
      const say = (from: Asker) =>
        ({ _tag: "Act", from, body: { _tag: "Said", content: "hi" }, key: undefined }) as const
      listening.onWrite = (name, tag) => {
        if (name !== "member-50" || tag !== "RoomMessage") return
        Mailbox.tellUnsafe(manager.mailbox, { _tag: "Delete", from: first() })
        Mailbox.tellUnsafe(manager.mailbox, { _tag: "Join", from: second(), after: undefined })
        Mailbox.tellUnsafe(manager.mailbox, say(second()))
      }
      heard.length = 0
      facts.length = 0
      vacated.length = 0
      Mailbox.tellUnsafe(manager.mailbox, say(second()))
      yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => vacated.length > 0 && facts.length > 0 }))
      const all = names.length + 4
      yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => vacated.at(-1) === all }))
      assert.deepStrictEqual(facts, ["deleted"])
      for (const name of names.slice(2)) {
        assert.deepStrictEqual(tagsOf(heard, name), ["RoomMessage", "RoomDeleted"])
      }
    }).pipe(
      Effect.scoped,
      Effect.provide(services),
      withMonotonicNanos(() => (now += 3_000_000n))
    )
  })
})
