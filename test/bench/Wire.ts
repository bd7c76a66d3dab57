/**
 * The seam between the generator and a transport: bytes that come, text that goes. TCP and TLS are those there are; another
 * transport is another function of this type.
 *
 * All sockets read into one buffer: node:net hands it over before it reads again, so nothing is allocated per chunk and
 * the receiver keeps only what it copies. That makes this side cheaper than the server it measures.
 */
import * as Net from "node:net"
import * as Tls from "node:tls"

interface WireListener {
  readonly onOpen: () => void
  /** The first `length` bytes of `bytes` have come. They are overwritten after this call. */
  readonly onBytes: (bytes: Buffer, length: number) => void
  /** What was written has been taken, and more may be. */
  readonly onDrain: () => void
  /** Once, whatever ended it. */
  readonly onClose: (error: Error | undefined) => void
}

export interface Wire {
  /** False when the socket does not keep up: wait for `onDrain` before writing much more. */
  readonly write: (text: string) => boolean
  readonly destroy: () => void
}

export type Connect = (port: number, listener: WireListener) => Wire

const sharedBuffer = Buffer.allocUnsafeSlow(256 * 1024)

export const connectTcp: Connect = (port, listener) =>
  wire(listener, "connect", (onread) => Net.connect({ ...optionsOf(port), onread }))

/** Whatever certificate the server shows: it was started by who connects. */
export const connectTls: Connect = (port, listener) =>
  wire(listener, "secureConnect", (onread) => {
    const options = { ...optionsOf(port), rejectUnauthorized: false, onread }
    return Tls.connect(options)
  })

const optionsOf = (port: number) => ({ host: "127.0.0.1", port, noDelay: true })

interface OnRead {
  readonly buffer: Uint8Array
  readonly callback: (length: number) => boolean
}

const wire = (
  listener: WireListener,
  opening: "connect" | "secureConnect",
  connect: (onread: OnRead) => Net.Socket
): Wire => {
  let failure: Error | undefined
  const socket = connect({
    buffer: sharedBuffer,
    callback: (length) => {
      listener.onBytes(sharedBuffer, length)
      return true
    }
  })
  socket.on(opening, listener.onOpen)
  socket.on("drain", listener.onDrain)
  socket.on("error", (error) => {
    failure = error
  })
  socket.on("close", () => listener.onClose(failure))
  return {
    write: (text) => socket.write(text, "latin1"),
    destroy: () => socket.destroy()
  }
}
