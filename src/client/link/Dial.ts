/**
 * Dials a server, over TCP or TLS: where it is goes in, an Effect `Socket` comes out that connects when it is read.
 *
 * With TLS nothing is said to anybody whose certificate does not hold: signed by somebody trusted, in force, and for the
 * host that was dialled. The least is TLS 1.2 (RFC 5246), and no variable of Node's environment makes it less.
 * `noDelay`: without it Nagle's algorithm holds small frames back for up to 40 ms.
 *
 * What a person should know is told as the cause of the socket's error: a `TlsFailed` or an `Unreachable`.
 *
 * Bounds: 10 s until the connection stands, and 10 s for the TLS handshake.
 */
import { X509Certificate } from "node:crypto"
import * as Net from "node:net"
import * as Tls from "node:tls"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Deferred, Effect, Result } from "effect"
import { Socket } from "effect/socket"
import { TlsFailed, Unreachable } from "../core/ClientError.ts"
import { speaksTls, tlsIssue, tooSlow } from "./TlsIssue.ts"

const patience = "10 seconds"

/** Whether all of this is certificates in PEM form (RFC 7468), one at least: Node passes over what is none. */
export const areCertificates = (pem: string): boolean => {
  const blocks =
    pem.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g) ?? []
  return blocks.length > 0 && blocks.every((block) => Result.isSuccess(Result.try(() => new X509Certificate(block))))
}

export interface Trust {
  /** Certificates as PEM; those of the world's authorities, as Node has them, unless given. */
  readonly ca?: string | undefined
}

export interface Address {
  readonly host: string
  readonly port: number
  /** Whom to trust. Without it, the connection is plain TCP. */
  readonly tls?: Trust | undefined
}

export const dial = (address: Address): Effect.Effect<Socket.Socket> =>
  address.tls === undefined
    ? Effect.map(NodeSocket.fromDuplex(openTcp(address)), noticingTls)
    : NodeSocket.fromDuplex(openTls(address, address.tls))

const openTcp = Effect.fnUntraced(function* ({ host, port }: Address) {
  const { conn, connected } = yield* dialling(() => Net.connect({ host, port, noDelay: true }), "connect")
  yield* connected
  return conn
})

const openTls = Effect.fnUntraced(function* ({ host, port }: Address, { ca }: Trust) {
  // Server Name Indication is for names (RFC 6066, section 3); the certificate has to be for `host` in any case.
  const servername = Net.isIP(host) === 0 ? { servername: host } : {}
  const options = { ...strict, ...servername, host, port, ...(ca !== undefined && { ca }) }
  const { conn, connected, ready } = yield* dialling(() => Tls.connect(options), "secureConnect")
  yield* connected
  conn.setNoDelay(true)
  yield* ready.pipe(
    Effect.catch((error) => failWith(new TlsFailed({ issue: tlsIssue(error, { host, isCaGiven: ca !== undefined }) }))),
    Effect.timeoutOrElse({ duration: patience, orElse: () => failWith(new TlsFailed({ issue: tooSlow(patience) })) })
  )
  return conn
})

/** Said here, so that no NODE_TLS_REJECT_UNAUTHORIZED and no NODE_OPTIONS says otherwise. */
const strict = {
  rejectUnauthorized: true,
  minVersion: "TLSv1.2",
  // So that one may trust the certificate of one server, or of its signer, without whoever signed that.
  allowPartialTrustChain: true
} as const

/** A connection that is being made. It is closed with the scope: gently once it is ready, and cut before. */
const dialling = Effect.fnUntraced(function* <Conn extends Net.Socket>(
  connect: () => Conn,
  readyEvent: "connect" | "secureConnect"
) {
  const connected = Deferred.makeUnsafe<void, Error>()
  const ready = Deferred.makeUnsafe<void, Error>()
  const fail = (error: Error) => {
    Deferred.doneUnsafe(connected, Effect.fail(error))
    Deferred.doneUnsafe(ready, Effect.fail(error))
  }
  const conn = yield* Effect.acquireRelease(Effect.sync(connect), (conn) =>
    Effect.sync(() => {
      if (conn.closed) return
      if (Deferred.isDoneUnsafe(ready)) conn.destroySoon()
      else conn.destroy()
    })
  )
  conn.once("connect", () => Deferred.doneUnsafe(connected, Effect.void))
  conn.once(readyEvent, () => Deferred.doneUnsafe(ready, Effect.void))
  // Afterwards whoever reads hears of it, too.
  conn.on("error", fail)
  return {
    conn,
    connected: Deferred.await(connected).pipe(
      Effect.catch(failWith),
      Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(notInTime) })
    ),
    ready: Deferred.await(ready)
  }
})

const failWith = (cause: Error) =>
  Effect.fail(new Socket.SocketError({ reason: new Socket.SocketOpenError({ kind: "Unknown", cause }) }))

const notInTime = new Socket.SocketError({
  reason: new Socket.SocketOpenError({ kind: "Timeout", cause: new Error("Connection timed out") })
})

/**
 * A server that speaks TLS closes without a word when it is spoken to plainly, or sends a record of TLS: an alert first of
 * all (RFC 8446, sections 5.1 and 6).
 */
const noticingTls = ({ reader, writer }: Socket.Socket): Socket.Socket =>
  Socket.make({
    writer,
    reader: Effect.map(reader, ({ pull, upgrade }) => {
      let hasHeard = false
      const first = pull.pipe(
        Effect.catchIf(
          ({ reason }) => reason._tag === "SocketCloseError",
          () => failWith(new Unreachable({ cause: closedUnheard }))
        ),
        Effect.flatMap((chunks) => {
          hasHeard = true
          return isTls(chunks[0]) ? failWith(new TlsFailed({ issue: speaksTls })) : Effect.succeed(chunks)
        })
      )
      return { pull: Effect.suspend(() => (hasHeard ? pull : first)), upgrade }
    })
  })

const isTls = (chunk: Uint8Array | string): boolean =>
  typeof chunk !== "string" && (chunk[0] === 0x15 || chunk[0] === 0x16) && (chunk[1] ?? 3) === 3

const closedUnheard =
  "it closed the connection without a word; it may be full or, if it speaks TLS only, want to be asked with --tls"
