/** What a client hands on of the logs, whatever happens to its connection: a model of client and server, played at random. */
import { assert, describe, it } from "@effect/vitest"
import { HashMap, Schema } from "effect"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import * as Resumption from "../../../src/client/core/Resumption.ts"
import * as ResumptionState from "../../../src/client/core/ResumptionState.ts"
import { ada, dev, ModelServer } from "./ModelServer.ts"

const happening = Schema.Literals(["say", "sayInRoom", "hear", "hearInRoom", "work", "work", "arrive", "arrive", "cut"])

/** A client in miniature: what it remembers, and what it was told. */
class ModelClient {
  resumption = ResumptionState.make(ada)
  readonly events: Array<ClientEvent> = []
  readonly server: ModelServer
  #isWelcomed = false
  #said = 0

  constructor(server: ModelServer) {
    this.server = server
    this.connect()
  }

  connect(): void {
    this.#isWelcomed = false
    this.server.send([Resumption.handshake(this.resumption)])
  }

  ask(request: Parameters<typeof Resumption.ask>[1]): void {
    const asked = Resumption.ask(this.resumption, request)
    this.resumption = asked.resumption
    if (this.#isWelcomed) this.server.send([asked.message])
  }

  say(place: "lobby" | "room"): void {
    const content = `mine ${++this.#said}`
    const key = `key of message ${this.#said}`
    this.ask(
      place === "lobby" ? { _tag: "GlobalMessage", content, key } : { _tag: "RoomMessage", room: dev, content, key }
    )
  }

  arrive(): boolean {
    const message = this.server.arriving()
    if (message === undefined) return false
    const step = Resumption.receive(this.resumption, message)
    this.resumption = step.resumption
    this.events.push(...step.events)
    if (message._tag === "Welcome") {
      const resumed = Resumption.resume(this.resumption)
      this.resumption = resumed.resumption
      this.#isWelcomed = true
      this.server.send(resumed.messages)
    }
    return true
  }

  cut(): void {
    this.server.cut()
    this.resumption = Resumption.interrupt(this.resumption).resumption
    this.connect()
  }

  settle(): void {
    while (this.server.work() || this.arrive());
  }
}

/** What was handed on of a log: every entry from the first is there or told to be missing, once, and in order. */
const assertFaithful = (client: ModelClient, place: "lobby" | "room") => {
  const tag = place === "lobby" ? "GlobalMessage" : "RoomMessage"
  let at = 0
  for (const event of client.events) {
    if (event._tag === "Gap" && (event.conversation._tag === "Lobby") === (place === "lobby")) {
      assert.isAbove(event.missing ?? 0, 0)
      at += event.missing ?? 0
    }
    if (event._tag !== "Received" || event.message._tag !== tag) continue
    at += 1
    assert.strictEqual(event.message.seq, at)
    assert.strictEqual(event.message.content, client.server[place][at - 1]?.content)
  }
  assert.strictEqual(at, client.server[place].length)
}

const play = (
  happenings: ReadonlyArray<typeof happening.Type>,
  { catchUp = 1000, overlap = 0 }: { readonly catchUp?: number; readonly overlap?: number } = {}
): ModelClient => {
  const server = new ModelServer({ catchUp, overlap })
  const client = new ModelClient(server)
  client.settle()
  client.ask({ _tag: "JoinRoom", room: dev })
  client.settle()
  let heard = 0
  const acts = {
    say: () => client.say("lobby"),
    sayInRoom: () => client.say("room"),
    hear: () => server.hear("lobby", `other ${++heard}`),
    hearInRoom: () => server.hear("room", `other ${++heard}`),
    work: () => server.work(),
    arrive: () => client.arrive(),
    cut: () => client.cut()
  }
  for (const happening of happenings) acts[happening]()
  client.settle()
  return client
}

describe("a client", () => {
  const arbitrary = { runs: 1000, size: 60 }

  it.prop(
    "hands on every message once, in order, through any breaks of the connection",
    { happenings: Schema.Array(happening) },
    ({ happenings }) => {
      const client = play(happenings)
      assertFaithful(client, "lobby")
      assertFaithful(client, "room")
      assert.isFalse(client.events.some(({ _tag }) => _tag === "Gap"))
    },
    { arbitrary }
  )

  it.prop(
    "hands on nothing twice, even if the server says it twice",
    { happenings: Schema.Array(happening) },
    ({ happenings }) => {
      const client = play(happenings, { overlap: 3 })
      assertFaithful(client, "lobby")
      assertFaithful(client, "room")
    },
    { arbitrary }
  )

  it.prop(
    "tells how many messages are missing where the server leaves some out",
    { happenings: Schema.Array(happening) },
    ({ happenings }) => {
      const client = play(happenings, { catchUp: 2 })
      assertFaithful(client, "lobby")
      assertFaithful(client, "room")
    },
    { arbitrary }
  )

  it.prop(
    "gets every message of its own stored once, and in the end has nothing open",
    { happenings: Schema.Array(happening) },
    ({ happenings }) => {
      const { server, resumption } = play(happenings)
      for (const place of ["lobby", "room"] as const) {
        const mine = server[place].filter(({ from }) => from === ada).map(({ content }) => content)
        const said = happenings.filter((happening) => happening === (place === "lobby" ? "say" : "sayInRoom"))
        assert.strictEqual(mine.length, said.length)
        assert.strictEqual(new Set(mine).size, mine.length)
        assert.deepStrictEqual(
          mine,
          mine.toSorted((a, b) => Number(a.slice(5)) - Number(b.slice(5)))
        )
      }
      assert.strictEqual(HashMap.size(resumption.open), 0)
    },
    { arbitrary }
  )
})
