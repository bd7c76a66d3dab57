/**
 * The UserProcessor alone, with real sessions over sockets that note what is written to them, and a History of the test's.
 * People are accounts, each on any number of connections, or guests.
 */
import { assert } from "@effect/vitest"
import { ConfigProvider, Deferred, Effect, Layer, Stream } from "effect"
import type { Cursor } from "../../../src/common/log/Cursor.ts"
import type { Intent } from "../../../src/common/log/Entry.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Connection } from "../../../src/connection/Connection.ts"
import { AccountNames } from "../../../src/server/accounts/AccountNames.ts"
import { Blocks } from "../../../src/server/accounts/Blocks.ts"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"
import type { History } from "../../../src/server/history/History.ts"
import { Inboxes } from "../../../src/server/inbox/Inboxes.ts"
import { UserProcessor } from "../../../src/server/inbox/UserProcessor.ts"
import type { UsersCommand } from "../../../src/server/inbox/UsersCommand.ts"
import * as Mailbox from "../../../src/server/processor/Mailbox.ts"
import { Turns } from "../../../src/server/processor/Turns.ts"
import { Reporting } from "../../../src/server/reports/Reporting.ts"
import { LogReader } from "../../../src/server/rooms/LogReader.ts"
import { SearchProcessor } from "../../../src/server/search/SearchProcessor.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import type { Asker } from "../../../src/server/session/Asker.ts"
import { Sessions } from "../../../src/server/session/Sessions.ts"
import * as MemoryGovernances from "../../../src/server/store/MemoryGovernances.ts"
import * as MemoryReports from "../../../src/server/store/MemoryReports.ts"

export type Line = Readonly<Record<string, unknown>> & { readonly _tag: string }

/** All that private messages need, over this store. */
export const over = <LayerError>(history: Layer.Layer<History, LayerError>) =>
  Inboxes.layer.pipe(
    Layer.provideMerge(UserProcessor.layer),
    Layer.provideMerge(
      Layer.mergeAll(LogReader.layer, SearchProcessor.layer, Layer.provide(Reporting.layer, MemoryReports.layer))
    ),
    Layer.provideMerge(
      Layer.mergeAll(Sessions.layer, Turns.layer, AccountNames.layer, Blocks.layer, MemoryGovernances.layer, history)
    ),
    Layer.provideMerge(ServerConfig.layer),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({})))
  )

export const key = (word: string): string => word.padStart(16, "-")

export interface Person {
  readonly asker: Asker
  /** All that was written to the connection so far. */
  readonly heard: ReadonlyArray<Line>
  /** Gives the reply. */
  readonly ask: (command: Asked) => Effect.Effect<Line>
  readonly say: (
    to: string,
    content: string,
    more?: { readonly replyTo?: number; readonly key?: string }
  ) => Effect.Effect<Line>
  readonly act: (user: string, body: Intent, key?: string) => Effect.Effect<Line>
  readonly history: (user: string) => Effect.Effect<ReadonlyArray<Line>>
  readonly search: (user: string, query: string) => Effect.Effect<ReadonlyArray<Line>>
  readonly leave: Effect.Effect<void>
}

type Asked = UsersCommand extends infer Command
  ? Command extends { from: Asker }
    ? Omit<Command, "from">
    : never
  : never

const byName = new Map<string, number>([
  ["ada", 1],
  ["bob", 2],
  ["cleo", 3]
])

/** A world in which ada, bob and cleo have accounts. */
export const world = Effect.gen(function* () {
  const sessions = yield* Sessions
  const users = yield* UserProcessor
  const inboxes = yield* Inboxes
  const names = yield* AccountNames
  for (const [name, id] of byName) {
    names.set({ id: AccountId.make(id), user: UserName.make(name), state: "Active" })
  }
  /** The connections of guests, whom the registry would know. */
  const guests = new Map<string, Asker>()

  const connect = Effect.fnUntraced(function* (name: string) {
    const heard: Array<Line> = []
    const replies = new Map<string, Deferred.Deferred<Line>>()
    const hear = (line: Line) => {
      heard.push(line)
      const reply = replies.get(String(line["id"]))
      if (reply !== undefined) Deferred.doneUnsafe(reply, Effect.succeed(line))
    }
    let rest = ""
    const connection: Connection<never> = {
      messages: Stream.never,
      write: (frames) =>
        Effect.sync(() => {
          const lines = `${rest}${Buffer.concat(frames).toString()}`.split("\n")
          rest = lines.pop() ?? ""
          for (const line of lines) hear(JSON.parse(line))
        }),
      close: () => Effect.void
    }
    const session = yield* sessions.open(connection)
    const id = byName.get(name)
    const account = id === undefined ? undefined : AccountId.make(id)
    const asker: Asker = {
      session: session.id,
      user: UserName.make(name),
      request: 0,
      ...(account !== undefined && { account })
    }
    if (account === undefined) guests.set(name, asker)
    let count = 0
    const ask = (command: Asked) =>
      Effect.suspend(() => {
        const id = `${++count}`
        const reply = Deferred.makeUnsafe<Line>()
        replies.set(id, reply)
        const request = session.requests.add({ id, about: undefined, characters: 0, isLarge: false })
        Mailbox.tellUnsafe(users, { ...command, from: { ...asker, request } } as UsersCommand)
        // What goes out together is written to one connection after the other.
        return Effect.tap(Deferred.await(reply), () => Effect.yieldNow)
      })
    const connectionsOf = (user: string) => {
      const guest = guests.get(user)
      return { receivers: guest === undefined ? [] : [guest.session], siblings: [] }
    }
    const messagesIn = (tag: string) => (reply: Line) => {
      assert.strictEqual(reply._tag, tag, JSON.stringify(reply))
      const { messages } = reply
      assert(Array.isArray(messages))
      return messages as ReadonlyArray<Line>
    }
    const person: Person = {
      asker,
      heard,
      ask,
      say: (to, content, { key, replyTo } = {}) =>
        ask({
          _tag: "Deliver",
          to: UserName.make(to),
          ...connectionsOf(to),
          body: { _tag: "Said", content, ...(replyTo !== undefined && { replyTo }) },
          key
        }),
      act: (user, body, key) => ask({ _tag: "Act", with: UserName.make(user), ...connectionsOf(user), body, key }),
      history: (user) =>
        Effect.map(
          ask({
            _tag: "ReadInbox",
            with: UserName.make(user),
            range: { before: undefined, after: undefined, limit: 500 }
          }),
          messagesIn("History")
        ),
      search: (user, query) =>
        Effect.map(
          ask({ _tag: "SearchInbox", with: UserName.make(user), search: { query, before: undefined, limit: 50 } }),
          messagesIn("SearchResults")
        ),
      leave: Effect.sync(() => {
        guests.delete(name)
        Mailbox.tellUnsafe(users, { _tag: "Gone", session: session.id })
      })
    }
    return person
  })

  return {
    names,
    connect,
    /** A connection that has been let into its inbox, with what it was told of that. */
    come: Effect.fnUntraced(function* (name: string, after?: Cursor) {
      const person = yield* connect(name)
      if (person.asker.account === undefined) return { ...person, standing: undefined }
      const { follow, ...standing } = yield* inboxes.catchUp(person.asker, after)
      yield* follow
      return { ...person, standing }
    })
  }
})

const kinds = new Set(["PrivateMessage", "Edited", "Deleted", "Reacted", "Tombstone"])

/** The entries that a connection was given, in their order. */
export const entriesOf = ({ heard }: Pick<Person, "heard">): ReadonlyArray<Line> =>
  heard.filter(({ _tag }) => kinds.has(_tag))

/** What a connection was given, in short: what was said or done, at which place, and to what. */
export const brief = (person: Pick<Person, "heard">) =>
  entriesOf(person).map(({ _tag, content, reaction, replyTo, seq, target }) =>
    [seq, content ?? reaction ?? _tag, replyTo ?? target].filter((one) => one !== undefined)
  )

export const seqsOf = (person: Pick<Person, "heard">) => entriesOf(person).map(({ seq }) => Number(seq))

export const reasonOf = (reply: Line): unknown => {
  assert.strictEqual(reply._tag, "Rejected", JSON.stringify(reply))
  return reply["reason"]
}
