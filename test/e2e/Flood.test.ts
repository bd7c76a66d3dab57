/**
 * A flood of connections from many addresses beside a pair that chats, against a server in a process of its own. Each of
 * `127.0.0.0/8` is another address. `FLOOD_CONNECTIONS=5000 STORM_GUESTS=5000 pnpm test test/e2e/Flood` floods as much as an
 * attack would; so does `pnpm test:long` with guests.
 */
import * as Net from "node:net"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Array as Arr, Clock, Console, Duration, Effect } from "effect"
import { connect } from "../support/RawClient.ts"
import * as ServerProcess from "../support/ServerProcess.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const connections = Number(process.env["FLOOD_CONNECTIONS"] ?? 500)
const addresses = 50

/** As they are for the addresses of others; a smaller flood has to come up to them as well. */
const share = Math.min(1, connections / 5000)
const mostStrangers = Math.max(2, 20 * share)
const settings = {
  MAX_CONNECTIONS_PER_ADDRESS: `${100 * share}`,
  MAX_HANDSHAKES_PER_ADDRESS: `${mostStrangers}`,
  CONNECTION_RATE: "10",
  CONNECTION_BURST: `${50 * share}`
}

interface Seen {
  opened: number
  told: number
}

/** One hostile connection after the other, from one address: it says nothing, and comes again once it was closed. */
const besiege = (port: number, localAddress: string, seen: Seen) =>
  Effect.forever(
    Effect.callback<void>((resume) => {
      const socket = Net.connect({ port, host: "127.0.0.1", localAddress })
      socket.on("error", () => {})
      socket.once("connect", () => void seen.opened++)
      socket.on("data", (bytes) => {
        if (bytes.includes("TooManyConnections")) seen.told++
      })
      socket.once("close", () => resume(Effect.void))
      return Effect.sync(() => socket.destroy())
    })
  )

const joined = Effect.fnUntraced(function* (port: number, user: string, localAddress: string) {
  const client = yield* connect({ port, localAddress })
  yield* client.send({ _tag: "Handshake", user })
  yield* client.find("Welcome")
  return client
})

/** Of the numbers, that which so many of a hundred do not exceed. */
const percentile = (numbers: ReadonlyArray<number>, percent: number) =>
  numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor((numbers.length * percent) / 100))] ?? 0

realTime("A flood of connections", (it) => {
  it.effect(
    "is closed while a pair goes on chatting, and honest people of other addresses come in",
    () =>
      Effect.gen(function* () {
        const { port } = yield* ServerProcess.start({ env: { PORT: "0", HOST: "127.0.0.1", ...settings } })
        const ada = yield* joined(port, "Ada", "127.0.0.1")
        const ben = yield* joined(port, "Ben", "127.0.0.1")
        const talk = Effect.fnUntraced(function* (rounds: number) {
          const clock = yield* Clock.Clock
          const times: Array<number> = []
          for (let round = 0; round < rounds; round++) {
            const before = clock.monotonicTimeNanosUnsafe()
            yield* ada.ask({ _tag: "Ping", nonce: round })
            times.push(Number(clock.monotonicTimeNanosUnsafe() - before) / 1e6)
            yield* ada.send({ _tag: "GlobalMessage", content: `message ${round}` })
            assert.strictEqual((yield* ben.find("GlobalMessage"))["content"], `message ${round}`)
            // Below the rate, beside which it is about the flood.
            yield* Effect.sleep("50 millis")
          }
          return times
        })
        const quiet = yield* talk(20)
        const seen: Seen = { opened: 0, told: 0 }
        const flood = Effect.forEach(
          Arr.makeBy(connections, (index) => `127.0.1.${(index % addresses) + 1}`),
          (address) => besiege(port, address, seen),
          { concurrency: "unbounded", discard: true }
        )
        const [loud, elapsed] = yield* Effect.timed(Effect.raceFirst(talk(40), flood)).pipe(
          Effect.map(([time, times]) => [times ?? [], Duration.toMillis(time)] as const)
        )
        for (const number of [1, 2, 3]) yield* joined(port, `Late${number}`, `127.0.2.${number}`)
        const figures = [quiet, loud].map((times) => [50, 99].map((percent) => percentile(times, percent).toFixed(1)))
        yield* Console.log(
          `${connections} connections from ${addresses} addresses, opened ${seen.opened} times in ${elapsed.toFixed(0)} ms and ` +
            `told so ${seen.told} times: ping p50 and p99 ${figures.map((both) => both.join(" and ")).join(" ms before, ")} ms beside it`
        )
        // The others are cut, where they come faster than words can be said.
        assert.isAbove(seen.told, connections / 10)
        assert.isAbove(seen.opened, connections)
        // A machine with other things to do may be late with a few, or with all, as before.
        assert.isBelow(percentile(loud, 50), 100 + 10 * percentile(quiet, 50))
      }),
    120_000
  )
})

realTime("A storm of presence", (it) => {
  const storm = Number(process.env["STORM_GUESTS"] ?? 1500)

  it.effect(
    "of many who come and go is told in few messages, while a pair goes on pinging",
    () =>
      Effect.gen(function* () {
        const { port } = yield* ServerProcess.start({ env: { PORT: "0", HOST: "127.0.0.1", MESSAGE_RATE: "0" } })
        const ada = yield* joined(port, "Ada", "127.0.0.1")
        const clock = yield* Clock.Clock
        const times: Array<number> = []
        const ping = Effect.gen(function* () {
          const before = clock.monotonicTimeNanosUnsafe()
          yield* ada.ask({ _tag: "Ping", nonce: times.length })
          times.push(Number(clock.monotonicTimeNanosUnsafe() - before) / 1e6)
          yield* Effect.sleep("20 millis")
        })
        yield* Effect.replicateEffect(ping, 20)
        const quiet = times.splice(0)
        const pinging = Effect.forever(ping)
        /** In pieces, or a process that also has to look at each line would be the slow one. */
        const comeAndGo = (index: number) =>
          Effect.callback<void>((resume) => {
            const socket = Net.connect({ port, host: "127.0.0.1", localAddress: `127.0.1.${(index % addresses) + 1}` })
            socket.on("error", () => {})
            socket.once("connect", () => socket.write(`{"_tag":"Handshake","user":"guest${index}"}\n`))
            socket.once("data", () => socket.destroy())
            socket.once("close", () => resume(Effect.void))
            return Effect.sync(() => socket.destroy())
          })
        const coming = Effect.forEach(
          Arr.makeBy(storm, (index) => index),
          comeAndGo,
          { concurrency: 50, discard: true }
        )
        // Until all of them are gone, for some of what is told may come behind the last of them.
        const elapsed = yield* Effect.raceFirst(coming, pinging).pipe(
          Effect.andThen(Effect.repeat(ada.ask({ _tag: "ListUsers" }), { until: ({ count }) => count === 1 })),
          Effect.timed,
          Effect.map(([time]) => Duration.toMillis(time))
        )
        const told = (yield* ada.soFar).filter(({ _tag }) => _tag === "Presence")
        const joinedNames = told.flatMap(({ joined }) => (Array.isArray(joined) ? joined : []))
        yield* Console.log(
          `${storm} came and went in ${elapsed.toFixed(0)} ms and ${told.length} messages with ${joinedNames.length} names: ` +
            `ping p50 ${percentile(times, 50).toFixed(1)} ms, p99 ${percentile(times, 99).toFixed(1)} ms`
        )
        // One in 50 ms at most, and nobody twice in the same.
        assert.isAtMost(told.length, elapsed / 50 + 3)
        assert.isAtMost(joinedNames.length, storm)
        assert.isBelow(percentile(times, 50), 100 + 10 * percentile(quiet, 50))
      }),
    180_000
  )
})
