/** What is said and searched for in the tests of Search. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Line, RawClient } from "../support/RawClient.ts"
import * as TestServer from "../support/TestServer.ts"

/** What a page of results holds, in its order. */
export const contentsOf = ({ _tag, messages }: Line): ReadonlyArray<string> => {
  assert.strictEqual(_tag, "SearchResults")
  assert(Array.isArray(messages))
  return messages.map(({ content }) => String(content))
}

export const search = (client: RawClient, query: string, options: object = {}) =>
  Effect.map(client.ask({ _tag: "Search", query, ...options }), contentsOf)

export const say = (client: RawClient, ...contents: ReadonlyArray<string>) =>
  Effect.forEach(contents, (content) => client.ask({ _tag: "GlobalMessage", content }), { discard: true })

export const sayIn = (client: RawClient, room: string, ...contents: ReadonlyArray<string>) =>
  Effect.forEach(contents, (content) => client.ask({ _tag: "RoomMessage", room, content }), { discard: true })

export const createAndJoin = Effect.fnUntraced(function* (client: RawClient, room: string) {
  yield* client.ask({ _tag: "CreateRoom", room })
  yield* client.ask({ _tag: "JoinRoom", room })
})

/** Ada is in Dev and ops, Ben is in Dev; tea is spoken of in the lobby and in both rooms. */
export const teaTime = Effect.gen(function* () {
  const server = yield* TestServer.start()
  const ada = yield* server.join("Ada")
  const ben = yield* server.join("Ben")
  yield* createAndJoin(ada, "Dev")
  yield* createAndJoin(ada, "ops")
  yield* ben.ask({ _tag: "JoinRoom", room: "dev" })
  yield* say(ada, "tea in the lobby", "coffee in the lobby")
  yield* sayIn(ben, "dev", "tea in dev")
  yield* sayIn(ada, "ops", "tea in ops")
  yield* say(ben, "more tea in the lobby")
  return { server, ada, ben }
})
