/**
 * A malicious server: a real one behind a proxy that reads every line in both directions and passes it on, changes it, keeps it back,
 * says it twice or makes up others. What it does not touch is the real server's, so that each lie is one among truths.
 *
 * It lies by rules, each about what the one before it has made of a line: the newest is nearest to the client.
 */
import * as Net from "node:net"
import { Effect } from "effect"

/** A message of either side, as it is on the wire. */
export interface Line {
  readonly _tag: string
  readonly [field: string]: unknown
}

/** One client's connection through the proxy. */
export interface Talk {
  /** As the client says, and as the server says. */
  readonly user: string
  readonly device: string
  /** Says this to the client, in the server's name. */
  readonly tell: (...lines: ReadonlyArray<Line>) => void
  /** Says bytes to the client, whatever they are. */
  readonly tellRaw: (bytes: string | Uint8Array) => void
}

/** What goes on in a line's place; undefined: it has nothing against it. */
export type Lie = (line: Line, talk: Talk) => ReadonlyArray<Line> | undefined

export interface LyingServer {
  readonly port: number
  /** From now on, of what the server says to clients. Gives how to end it. */
  readonly told: (lie: Lie) => () => void
  /** From now on, of what clients ask of the server. */
  readonly asked: (lie: Lie) => () => void
  /** All that clients were told and asked for, as it was before any lie, oldest first. */
  readonly overheard: ReadonlyArray<Line>
  /** The connections of somebody that stand now, oldest first. */
  readonly talksOf: (user: string) => ReadonlyArray<Talk>
}

/** Calls with each line that is complete. */
const byLines = (socket: Net.Socket, take: (line: Line) => void) => {
  let rest = ""
  socket.setEncoding("utf8")
  socket.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) take(JSON.parse(line))
  })
}

const written = (lines: ReadonlyArray<Line>) => lines.map((line) => `${JSON.stringify(line)}\n`).join("")

/** In front of the server at this port, until the scope closes. */
export const start = Effect.fnUntraced(function* (serverPort: number) {
  const toldLies: Array<Lie> = []
  const askedLies: Array<Lie> = []
  const overheard: Array<Line> = []
  const talks = new Set<Talk>()
  const sockets = new Set<Net.Socket>()

  const after = (lies: ReadonlyArray<Lie>, line: Line, talk: Talk): ReadonlyArray<Line> => {
    overheard.push(line)
    let lines: ReadonlyArray<Line> = [line]
    for (const lie of lies) lines = lines.flatMap((one) => lie(one, talk) ?? [one])
    return lines
  }
  const add = (lies: Array<Lie>) => (lie: Lie) => {
    lies.push(lie)
    return () => {
      lies.splice(lies.indexOf(lie), 1)
    }
  }

  const serve = (client: Net.Socket) => {
    const server = Net.connect({ host: "127.0.0.1", port: serverPort, noDelay: true })
    const talk = {
      user: "",
      device: "",
      tell: (...lines: ReadonlyArray<Line>) => {
        client.write(written(lines))
      },
      tellRaw: (bytes: string | Uint8Array) => {
        client.write(bytes)
      }
    }
    talks.add(talk)
    byLines(client, (line) => {
      if (line._tag === "Handshake") talk.user = String(line["user"])
      server.write(written(after(askedLies.toReversed(), line, talk)))
    })
    byLines(server, (line) => {
      if (line._tag === "Welcome") talk.device = String(line["device"])
      client.write(written(after(toldLies, line, talk)))
    })
    for (const [socket, other] of [
      [client, server],
      [server, client]
    ] as const) {
      sockets.add(socket)
      socket.on("error", () => other.destroy())
      socket.on("close", () => {
        other.destroy()
        talks.delete(talk)
        sockets.delete(socket)
      })
    }
  }

  const proxy = Net.createServer({ noDelay: true }, serve)
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      proxy.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.callback<void>((resume) => {
        for (const socket of sockets) socket.destroy()
        proxy.close(() => resume(Effect.void))
      })
  )
  const address = proxy.address()
  const lying: LyingServer = {
    port: address !== null && typeof address === "object" ? address.port : 0,
    told: add(toldLies),
    asked: add(askedLies),
    overheard,
    talksOf: (user) => [...talks].filter((talk) => talk.user === user)
  }
  return lying
})
