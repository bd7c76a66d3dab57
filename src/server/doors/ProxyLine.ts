/**
 * Hears what a trusted proxy says first on a connection, and gives the rest back to the socket, as if it had never been read:
 * whoever reads it next, TLS too, begins with what the client said.
 *
 * Bounds: what a header may have (see ProxyHeader), and as long as a handshake may take. What does not begin with a header is cut,
 * as the specification has it: it says something of a proxy that is set up in another way.
 */
import type * as Net from "node:net"
import { parseProxyHeader } from "./ProxyHeader.ts"

/** `then` is told where the connection comes from: undefined if that is the proxy itself. */
export const hearProxy = (
  conn: Net.Socket,
  patienceMillis: number,
  then: (source: string | undefined) => void,
  onNoHeader: () => void
): void => {
  let heard: Buffer = Buffer.alloc(0)
  const giveUp = () => conn.destroy()
  const timer = setTimeout(giveUp, patienceMillis)
  const stop = () => {
    clearTimeout(timer)
    conn.off("readable", read)
    conn.off("end", giveUp)
    conn.off("close", stop)
  }
  const read = () => {
    const piece: unknown = conn.read()
    if (!Buffer.isBuffer(piece)) return
    heard = Buffer.concat([heard, piece])
    const header = parseProxyHeader(heard)
    if (header._tag === "Unfinished") return
    stop()
    if (header._tag === "NoHeader") {
      onNoHeader()
      return void giveUp()
    }
    if (header.bytes < heard.length) conn.unshift(heard.subarray(header.bytes))
    then(header.source)
  }
  conn.on("readable", read)
  conn.on("end", giveUp)
  conn.on("close", stop)
  // It was accepted without being read.
  conn.read(0)
}
