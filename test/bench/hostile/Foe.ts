/**
 * One connection of those who attack: plain node:net, which counts what comes and keeps nothing of it.
 *
 * Everything it can do, any client can: write, read slowly or not at all, go without a word, reset. Only while `ask` or
 * `line` waits for a line is what comes put together to lines. All connections read into one buffer, as in Wire.ts.
 */
import * as Net from "node:net"
import * as Tls from "node:tls"
import { Effect } from "effect"
import { BenchError } from "../Crowd.ts"

const sharedBuffer = Buffer.allocUnsafeSlow(256 * 1024)

/** The end of what came, to say why the server closed. */
const keptBytes = 400

const lineFeed = 10
const readEveryMillis = 10
const patience = "60 seconds"

const rejected = Buffer.from('"_tag":"Rejected"')

/** How a connection reads: `pace` in bytes a second; 0 reads nothing. */
export interface FoeOptions {
  readonly port: number
  readonly name: string
  readonly pace?: number | undefined
  readonly allowHalfOpen?: boolean | undefined
  readonly isTls?: boolean | undefined
  /** Which of this machine's addresses it comes from. */
  readonly localAddress?: string | undefined
}

export class Foe {
  readonly name: string
  readonly #socket: Net.Socket
  readonly #allowance: number | undefined
  #left = 0
  #timer: NodeJS.Timeout | undefined
  #end = Buffer.alloc(0)
  #pieces: Array<Buffer> | undefined
  #look: ((line: string) => void) | undefined
  #asked = 0
  bytesIn = 0
  refusals = 0
  isOpen = false
  isClosed = false
  /** Its own doing, not the server's. */
  hasLeft = false
  onOpen: () => void = () => {}
  onBytes: () => void = () => {}
  readonly #closing = new Set<() => void>()

  constructor({ allowHalfOpen = false, isTls = false, localAddress, name, pace, port }: FoeOptions) {
    this.name = name
    this.#allowance = pace === undefined ? undefined : (pace * readEveryMillis) / 1000
    const options = {
      host: "127.0.0.1",
      ...(localAddress !== undefined && { localAddress }),
      port,
      noDelay: true,
      allowHalfOpen,
      onread: { buffer: sharedBuffer, callback: (length: number) => this.#take(length) }
    }
    const socket = isTls ? Tls.connect({ ...options, rejectUnauthorized: false }) : Net.connect(options)
    this.#socket = socket
    if (this.#allowance !== undefined) socket.pause()
    if (this.#allowance !== undefined && this.#allowance > 0) {
      this.#timer = setInterval(() => {
        this.#left = Math.min(this.#left, 0) + (this.#allowance ?? 0)
        if (this.#left > 0) socket.resume()
      }, readEveryMillis)
    }
    socket.on(isTls ? "secureConnect" : "connect", () => {
      this.isOpen = true
      this.onOpen()
    })
    socket.on("error", () => {})
    socket.on("close", () => {
      clearInterval(this.#timer)
      this.isClosed = true
      for (const close of this.#closing) close()
    })
  }

  /** Called once when it has ended; gives what calls that off. */
  onClose(close: () => void): () => void {
    this.#closing.add(close)
    return () => void this.#closing.delete(close)
  }

  /** What has been written, whether or not it has gone. */
  get bytesOut(): number {
    return this.#socket.bytesWritten
  }

  /** More was written than the server takes for now. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain
  }

  /** Why the server closed it, as far as its last line tells. */
  reason(): string {
    const tags = [...this.#end.toString("latin1").matchAll(/"(?:reason":\{"_tag":"(\w+)|_tag":"(Goodbye))"/g)].at(-1)
    return tags?.[1] ?? tags?.[2] ?? "closed"
  }

  write(text: string): void {
    if (!this.isClosed && !this.#socket.writableEnded) this.#socket.write(text)
  }

  send(...messages: ReadonlyArray<object>): void {
    this.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(""))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Says that it will write no more, and stays. */
  halfClose(): void {
    this.#socket.end()
  }

  leave(): void {
    this.hasLeft = true
    this.#socket.destroy()
  }

  reset(): void {
    this.hasLeft = true
    this.#socket.resetAndDestroy()
  }

  /** The next line that holds this. */
  line(needle: string, write: () => void = () => {}): Effect.Effect<string, BenchError> {
    return Effect.callback<string, BenchError>((resume) => {
      if (this.isClosed) return resume(this.#cut(needle))
      this.#pieces = []
      const callOff = this.onClose(() => resume(this.#cut(needle)))
      this.#look = (line) => {
        if (line.includes(needle)) resume(Effect.succeed(line))
      }
      write()
      return Effect.sync(callOff)
    }).pipe(
      Effect.ensuring(Effect.sync(() => this.#stopLooking())),
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => Effect.fail(new BenchError({ message: `${this.name} waited ${patience} for ${needle}.` }))
      })
    )
  }

  /** Sends a request and gives the line that answers it. */
  ask(message: object): Effect.Effect<string, BenchError> {
    const id = `a${++this.#asked}`
    return this.line(`"id":"${id}"`, () => this.send({ ...message, id }))
  }

  #cut(needle: string) {
    return Effect.fail(new BenchError({ message: `${this.name} was cut off before ${needle} came: ${this.reason()}` }))
  }

  #stopLooking(): void {
    this.#look = undefined
    this.#pieces = undefined
  }

  #take(length: number): boolean {
    this.bytesIn += length
    const bytes = sharedBuffer.subarray(0, length)
    for (let at = bytes.indexOf(rejected); at !== -1; at = bytes.indexOf(rejected, at + rejected.length)) {
      this.refusals++
    }
    this.#end = Buffer.concat([this.#end, bytes.subarray(-keptBytes)]).subarray(-keptBytes)
    if (this.#pieces !== undefined) this.#lines(bytes)
    this.onBytes()
    if (this.#allowance === undefined) return true
    this.#left -= length
    if (this.#left > 0) return true
    this.#socket.pause()
    return false
  }

  #lines(bytes: Buffer): void {
    let start = 0
    for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, start)) {
      const piece = bytes.subarray(start, end)
      const line = this.#pieces === undefined ? piece : Buffer.concat([...this.#pieces, piece])
      this.#pieces = []
      start = end + 1
      this.#look?.(line.toString())
      if (this.#look === undefined) return
    }
    if (start < bytes.length) this.#pieces?.push(Buffer.from(bytes.subarray(start)))
  }
}
