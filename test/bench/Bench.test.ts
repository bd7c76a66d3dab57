import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect } from "effect"
import * as TestServer from "../support/TestServer.ts"
import { type Address, enter, gather } from "./Crowd.ts"
import * as Dialect from "./Dialect.ts"
import { Histogram } from "./Histogram.ts"
import { closed, flood, pace, toRoom, toUser } from "./Route.ts"
import { start } from "./Subject.ts"

const size = 7
const messages = 500
const bytes = 64
/** Long where nothing is to be missing, since then nobody waits for it. */
const patientMillis = 30_000
const drainMillis = 400

/** Everybody in one room; the first three talk. */
const oneRoom = Effect.fnUntraced(function* (address: Address, drainMillis: number) {
  const members = yield* gather(address, size)
  yield* enter(members, "bench")
  return { members, routes: members.slice(0, 3).map((sender) => toRoom(sender, "bench", size, bytes)), drainMillis }
})

/** What a faulty server does with one message: which members get it, and how often. */
type Fault = (message: number, member: number) => number

const tagOf = (line: string) => /"_tag":"(\w+)"/.exec(line)?.[1]

/** Broadcasts as faithfully as it is told to, and when it is told to; what it sends it cuts into pieces wherever it likes. */
const faultyServer = (copies: Fault, now: (line: string, message: number) => ReadonlyArray<string> = Arr.of) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Net.Server; readonly address: Address }>((resume) => {
      const sockets: Array<Net.Socket> = []
      let said = 0
      const answer = (socket: Net.Socket, line: string) => {
        const tag = tagOf(line)
        if (tag === "Handshake") socket.write('{"_tag":"Welcome"}\n')
        else if (tag === "CreateRoom") socket.write('{"_tag":"RoomCreated","room":"bench"}\n')
        else if (tag === "JoinRoom") {
          sockets.push(socket)
          socket.write('{"_tag":"RoomJoined"}\n')
        } else {
          said++
          const heard = now(line, said)
          for (const [index, member] of sockets.entries()) {
            const text = heard.map((each) => `${each}\n`.repeat(copies(said, index))).join("")
            const cut = said % (text.length + 1)
            member.write(text.slice(0, cut))
            member.write(text.slice(cut))
          }
        }
      }
      const server = Net.createServer({ noDelay: true }, (socket) => {
        let unfinished = ""
        socket.setEncoding("utf8")
        socket.on("error", () => socket.destroy())
        socket.on("data", (text: string) => {
          const lines = (unfinished + text).split("\n")
          unfinished = lines.pop() ?? ""
          for (const line of lines) answer(socket, line)
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const at = server.address()
        const port = typeof at === "object" && at !== null ? at.port : 0
        resume(Effect.succeed({ server, address: { port, dialect: Dialect.parley } }))
      })
    }),
    ({ server }) => Effect.sync(() => server.close())
  ).pipe(Effect.map(({ address }) => address))

describe("the generator", () => {
  it.live("finds nothing missing and nothing twice at the floor", () =>
    Effect.gen(function* () {
      const crowd = yield* oneRoom(yield* start("floor", { cores: undefined }), patientMillis)
      const acknowledgements = new Histogram()
      const flooded = yield* flood({ ...crowd, messages, acknowledgements })
      const { expected, received, repeats, sent } = flooded
      assert.deepStrictEqual(
        { expected, received, repeats, sent },
        { expected: messages * size, received: messages * size, repeats: 0, sent: messages }
      )
      assert.strictEqual(acknowledgements.count, messages)

      const paced = yield* pace({ ...crowd, perSecond: 1000, seconds: 0.2 })
      assert.deepStrictEqual([paced.sent, paced.lost(), paced.strays], [200, 0, 0])
      assert.strictEqual(paced.latency.count, 200 * size)

      const { ledger, rounds } = yield* closed({ ...crowd, seconds: 0.5 })
      assert.isAbove(rounds.count, 1)
      assert.deepStrictEqual([ledger.sent, ledger.lost()], [rounds.count, 0])

      const [one, other] = crowd.members
      assert(one !== undefined && other !== undefined)
      const inPrivate = yield* flood({ ...crowd, routes: [toUser(one, other, bytes)], messages })
      assert.deepStrictEqual([inPrivate.expected, inPrivate.lost()], [2 * messages, 0])
    })
  )

  it.live("finds nothing missing and nothing twice at parley, and every Sent", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const crowd = yield* oneRoom({ port, dialect: Dialect.parley }, patientMillis)
      const acknowledgements = new Histogram()
      const flooded = yield* flood({ ...crowd, messages, acknowledgements })
      assert.deepStrictEqual([flooded.lost(), flooded.repeats, acknowledgements.count], [0, 0, messages])
    })
  )

  it.live("counts what is dropped: every 10th message, to everybody", () =>
    Effect.gen(function* () {
      const crowd = yield* oneRoom(yield* faultyServer((message) => (message % 10 === 0 ? 0 : 1)), drainMillis)
      const flooded = yield* flood({ ...crowd, messages })
      assert.deepStrictEqual([flooded.lost(), flooded.repeats], [(messages / 10) * size, 0])
      const paced = yield* pace({ ...crowd, perSecond: 1000, seconds: 0.1 })
      assert.deepStrictEqual([paced.lost(), paced.repeats], [10 * size, 0])
    })
  )

  it.live("tells what is missing from what comes twice, though the sum is right", () =>
    Effect.gen(function* () {
      // Of every 5th message the first member gets two and the last one none.
      const fault: Fault = (message, member) => (message % 5 !== 0 ? 1 : member === 0 ? 2 : member === size - 1 ? 0 : 1)
      const flooded = yield* flood({ ...(yield* oneRoom(yield* faultyServer(fault), drainMillis)), messages })
      assert.deepStrictEqual([flooded.lost(), flooded.repeats], [messages / 5, messages / 5])
    })
  )

  it.live("stops a round that is never complete, and counts what was missing of it", () =>
    Effect.gen(function* () {
      const crowd = yield* oneRoom(
        yield* faultyServer((message, member) => (message === 4 && member === 2 ? 0 : 1)),
        drainMillis
      )
      const { ledger, rounds } = yield* closed({ ...crowd, seconds: 2 })
      assert.deepStrictEqual([rounds.count, ledger.sent, ledger.lost()], [3, 4, 1])
    })
  )

  it.live("counts what comes too late as lost, and not for a later measurement", () =>
    Effect.gen(function* () {
      // With the 4th message come the three before it.
      const held: Array<string> = []
      const crowd = yield* oneRoom(
        yield* faultyServer(
          () => 1,
          (line, message) => {
            held.push(line)
            return message < 4 ? [] : held.splice(0)
          }
        ),
        drainMillis
      )
      const first = yield* flood({ ...crowd, messages: 3 })
      assert.deepStrictEqual([first.expected, first.lost()], [3 * size, 3 * size])
      const second = yield* flood({ ...crowd, messages: 3 })
      assert.deepStrictEqual([second.lost(), second.strays], [0, 3 * size])
    })
  )
})
