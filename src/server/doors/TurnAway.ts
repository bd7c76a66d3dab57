/**
 * Connections that an address has too many of are told so and closed, at the cost of one write: the same bytes for each.
 *
 * What such a peer says is read, for `lingerMillis` and `maxHeardBytes` at most, and thrown away: closing while unread bytes
 * wait would reset the connection, and the peer could lose the words (RFC 1122, 4.2.2.13). Places bounds how many there are.
 */
import type * as Net from "node:net"
import { encodeLine } from "../../connection/Line.ts"
import { rejected } from "../session/Rejected.ts"

const lingerMillis = 1000

/** More than anybody says who has not been welcomed yet. */
const maxHeardBytes = 64 * 1024

const words = encodeLine(rejected({ _tag: "TooManyConnections" }))

/** Tells it why. */
export const say = (conn: Net.Socket): void => {
  const timer = setTimeout(cut, lingerMillis, conn)
  conn.once("close", () => clearTimeout(timer))
  conn.on("data", () => {
    if (conn.bytesRead > maxHeardBytes) conn.destroy()
  })
  // With the other side closed as well it is gone.
  conn.end(words)
  conn.resume()
}

/** Without a word. */
export const cut = (conn: Net.Socket): void => void conn.destroy()
