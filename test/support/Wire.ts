/**
 * A network between clients and a server that comes and goes: a port that stays, behind it whatever port the server has now, and
 * trouble on the way. It knows lines and, of those that it is asked to lose, their `_tag`; nothing else of the protocol.
 *
 * What it can do to a line, in its order on each connection: delay it, or lose it; and to a connection: lose all that comes from
 * now on, which its two ends notice when it is cut. It keeps what clients say of keys (`sealedLines`), for who asks afterwards.
 */
import * as Net from "node:net"
import { Effect, type Scope } from "effect"

interface Trouble {
  /** How long the next line takes, in milliseconds. */
  readonly delay: () => number
  /** Whether a line that a server tells of itself is lost, though the connection stands. */
  readonly losesNews: () => boolean
}

/** Where one client connects, each time that it does. */
export interface Door {
  readonly port: number
  /** Loses all that goes over the connections that are here, until they are cut. */
  readonly lose: () => void
  /** Ends them, for both sides. */
  readonly cut: () => void
}

export interface Wire {
  /** Listens for the scope. */
  readonly door: Effect.Effect<Door, never, Scope.Scope>
  /** Where the server is now; undefined while it is not: who connects is turned away. */
  readonly lead: (port: number | undefined) => void
  readonly setTrouble: (trouble: Trouble | undefined) => void
  /** Every line that carried something sealed, as clients have said it, each once. */
  readonly sealedLines: ReadonlySet<string>
  /** How many lines were lost, each on a connection that went on. */
  readonly lost: () => number
}

/** What a server tells without being asked: who loses one finds out by the next, or when it comes back. */
const news: ReadonlySet<string> = new Set(["Sealed", "KeysCommitted", "KeysReset", "RoomPresence", "DevicesChanged"])

const carriesSealed = /"_tag":"(?:SealedMessage|CommitKeys)"/

interface Passing {
  readonly client: Net.Socket
  isLost: boolean
}

/** One direction of a connection: lines in, lines out, never out of order. */
const carry = (
  from: Net.Socket,
  to: Net.Socket,
  passing: Passing,
  look: (line: string) => { readonly delay: number } | undefined
) => {
  let rest = ""
  // In its order, however late a timer is on a busy machine.
  const waiting: Array<{ readonly line: string; readonly due: number }> = []
  const pass = () => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const early = next.due - performance.now()
      if (early > 0) return void setTimeout(pass, early)
      waiting.shift()
      if (!to.destroyed && !passing.isLost) to.write(`${next.line}\n`)
    }
  }
  from.setEncoding("utf8")
  from.on("data", (text: string) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      const way = look(line)
      if (way === undefined || passing.isLost) continue
      const due = Math.max(waiting.at(-1)?.due ?? 0, performance.now() + way.delay)
      if (waiting.push({ line, due }) === 1) pass()
    }
  })
  from.on("error", () => {})
  // The ends of a connection come at once: what was delayed on it is lost then.
  from.on("close", () => to.destroy())
}

const tagOf = (line: string): string | undefined => {
  const message: unknown = JSON.parse(line)
  return typeof message === "object" && message !== null && "_tag" in message ? String(message._tag) : undefined
}

/** `watch` sees every line, without its line feed, whoever says it. */
export const make = (watch: (line: string, by: "client" | "server") => void = () => {}): Wire => {
  const sealedLines = new Set<string>()
  let target: number | undefined
  let trouble: Trouble | undefined
  let lost = 0

  const delay = () => ({ delay: trouble?.delay() ?? 0 })
  const outward = (line: string) => {
    watch(line, "client")
    if (carriesSealed.test(line)) sealedLines.add(line)
    return delay()
  }
  const inward = (line: string) => {
    watch(line, "server")
    if (trouble?.losesNews() !== true || !news.has(tagOf(line) ?? "")) return delay()
    lost += 1
    return undefined
  }

  const door = Effect.gen(function* () {
    const here = new Set<Passing>()
    const server = Net.createServer({ noDelay: true }, (client) => {
      client.on("error", () => {})
      if (target === undefined) {
        client.destroy()
        return
      }
      const passing: Passing = { client, isLost: false }
      here.add(passing)
      client.on("close", () => here.delete(passing))
      const upstream = Net.connect({ host: "127.0.0.1", port: target, noDelay: true })
      carry(client, upstream, passing, outward)
      carry(upstream, client, passing, inward)
    })
    const cut = () => {
      for (const { client } of here) client.destroy()
    }
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          server.close()
          cut()
        })
    )
    const address = server.address()
    const lose = () => {
      for (const passing of here) passing.isLost = true
    }
    return { port: typeof address === "object" && address !== null ? address.port : 0, lose, cut } satisfies Door
  })

  return {
    door,
    lead: (port) => {
      target = port
    },
    setTrouble: (next) => {
      trouble = next
    },
    sealedLines,
    lost: () => lost
  }
}
