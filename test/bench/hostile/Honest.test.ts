import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as TestServer from "../../support/TestServer.ts"
import * as Dialect from "../Dialect.ts"
import { connectTcp } from "../Wire.ts"
import type { ProbeName } from "./Attack.ts"
import { Honest } from "./Honest.ts"

const pairOn = (port: number, room: string | undefined, probes: ReadonlyArray<ProbeName>) =>
  Effect.acquireRelease(
    Effect.sync(
      () => new Honest({ address: { port, dialect: Dialect.parley }, connect: connectTcp, pair: "pair", room, probes })
    ),
    (pair) => Effect.sync(() => pair.close())
  )

const answered = Effect.fnUntraced(function* (pair: Honest) {
  while (pair.isWaiting) yield* Effect.sleep(5)
  return pair.probes.map((probe) => [probe, pair.watches[probe].close(performance.now())] as const)
})

/** Lists in pages of one name, presence told anew in between, things unknown, and one connection that is cut off. */
const pagingServer = (names: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Net.Server; readonly pages: Array<string>; readonly port: number }>((resume) => {
      const pages: Array<string> = []
      let isFirst = true
      const server = Net.createServer((socket) => {
        socket.setEncoding("utf8")
        socket.on("error", () => socket.destroy())
        const say = (message: object) => socket.write(`${JSON.stringify(message)}\n`)
        socket.on("data", (text: string) => {
          for (const line of text.split("\n").filter((each) => each !== "")) {
            if (line.includes("Handshake")) {
              if (isFirst) {
                isFirst = false
                say({ _tag: "Rejected", reason: { _tag: "SlowConsumer" }, message: "." })
                socket.end()
                return
              }
              say({ _tag: "Welcome", user: "x", protocol: 1 })
              say({ _tag: "Presence", joined: names, left: [], all: true })
              say({ _tag: "NotYetKnown", id: "list-1" })
            } else if (line.includes("Ping")) say({ _tag: "Pong", nonce: 0 })
            else if (line.includes("List")) {
              const after = /"after":"(\w+)"/.exec(line)?.[1] ?? ""
              const id = /"id":"(list-\d+)"/.exec(line)?.[1]
              const [next, ...more] = names.filter((name) => name > after)
              pages.push(after)
              const page = { ...(more.length > 0 && { more: true }), count: names.length, id }
              const one = next === undefined ? [] : [next]
              if (line.includes("ListUsers")) say({ _tag: "UserList", users: one, ...page })
              else say({ _tag: "RoomList", rooms: one.map((room) => ({ room, users: 1 })), ...page })
            }
          }
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const at = server.address()
        resume(Effect.succeed({ server, pages, port: typeof at === "object" && at !== null ? at.port : 0 }))
      })
    }),
    ({ server }) => Effect.sync(() => server.close())
  )

describe("An honest pair", () => {
  it.live("has every request answered by a server that nobody attacks", () =>
    Effect.gen(function* () {
      const { join, port } = yield* TestServer.start()
      const host = yield* join("host")
      yield* host.ask({ _tag: "CreateRoom", room: "idle" })
      const pair = yield* pairOn(port, "somewhere", ["ping", "message", "login", "list", "private", "idle"])
      yield* pair.here
      yield* pair.ask(0.4)
      for (const [probe, { refused, sent, unanswered }] of yield* answered(pair)) {
        assert.isAbove(sent, 0, probe)
        assert.deepStrictEqual({ refused, unanswered }, { refused: 0, unanswered: 0 }, probe)
      }
      assert.deepStrictEqual(pair.cuts, [])
    })
  )

  it.live("counts what is refused", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const pair = yield* pairOn(port, undefined, ["idle"])
      yield* pair.here
      yield* pair.ask(0.2)
      const [[, seen] = []] = yield* answered(pair)
      assert.strictEqual(seen?.refused, seen?.sent)
      assert.deepStrictEqual([...pair.watches.idle.refusals], ["RoomNotFound"])
    })
  )

  it.live("reads lists to their end, ignores what it does not know, and comes back when it is cut off", () =>
    Effect.gen(function* () {
      const { pages, port } = yield* pagingServer(["ann", "ben", "cem"])
      const pair = yield* pairOn(port, undefined, ["list"])
      yield* pair.here
      assert.deepStrictEqual(pair.cuts, ["SlowConsumer"])
      yield* pair.ask(1)
      const [[, seen] = []] = yield* answered(pair)
      assert.deepStrictEqual([seen?.sent, seen?.refused, seen?.unanswered], [2, 0, 0])
      assert.sameMembers(pages, ["", "ann", "ben", "", "ann", "ben"])
    })
  )
})
