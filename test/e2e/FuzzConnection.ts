/**
 * A connection that says what it is given to, and knows which line of the server's answers which of its own.
 *
 * Whoever asks sends some lines at once and then waits until each is answered, or the server has closed the connection. What
 * the server says otherwise than the contract allows is told in `breaches`: a line that is no ServerMessage, a second reply,
 * a reply to nobody, an end without a word.
 */
import * as Net from "node:net"
import { Clock, Data, Effect, Predicate, Result, Schema } from "effect"
import { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { isObject, type Json, judge, type Verdict } from "./FuzzContract.ts"

/** What was sent, and what it was answered with. */
export interface Asked {
  readonly verdict: Verdict
  readonly line: string
  reply: Json | undefined
}

export class NotAnswered extends Data.TaggedError("NotAnswered")<{ readonly message: string }> {}

const deadline = 30_000
const realClock = Clock.Clock.defaultValue()
const decode = Schema.decodeUnknownResult(ServerMessage, { onExcessProperty: "error" })

/** What answers a request that has no `id`: none of these is ever news. */
const replyTags = new Set(
  "Sent Pong UserList RoomList RoomUsers RoomInfo History SearchResults UserInfo Rejected".split(" ")
)

/** The words after which the server closes a connection. */
const lastWords = new Set(["Goodbye"])
const lastReasons = new Set(
  "FrameTooLarge HandshakeRequired HandshakeTimeout UserNameTaken PasswordRequired TooManyConnections SlowConsumer ServerStopping Banned InvalidCredentials TooManyAttempts NameTooSimilar".split(
    " "
  )
)

export type Kinds = ReadonlyMap<string, ReadonlyArray<string>>

export const connect = Effect.fnUntraced(function* (port: number, kinds: Kinds, breaches: Array<string>) {
  const socket = yield* Effect.acquireRelease(
    Effect.callback<Net.Socket, NotAnswered>((resume) => {
      const made = Net.connect({ host: "127.0.0.1", port, noDelay: true })
      made.on("error", ({ message }) => resume(new NotAnswered({ message })))
      made.once("connect", () => resume(Effect.succeed(made)))
    }),
    (made) => Effect.sync(() => made.removeAllListeners("close").destroy())
  )
  return new FuzzConnection(socket, kinds, breaches)
})

export class FuzzConnection {
  readonly heard: Array<Json> = []
  /** How many lines in a row were no message, and how many at most. */
  #badLines = 0
  #mostBadLines = 0
  isClosed = false
  #isLeft = false
  #unfinished = ""
  #waiting: ReadonlyArray<Asked> = []
  #wake: () => void = () => {}
  readonly #known = new Map<string, Asked>()
  readonly #socket: Net.Socket
  readonly #kinds: Kinds
  readonly #breaches: Array<string>

  constructor(socket: Net.Socket, kinds: Kinds, breaches: Array<string>) {
    this.#socket = socket
    this.#kinds = kinds
    this.#breaches = breaches
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    socket.on("data", (bytes: Uint8Array) => {
      const lines = (this.#unfinished + utf8.decode(bytes, { stream: true })).split("\n")
      this.#unfinished = lines.pop() ?? ""
      for (const line of lines) this.#hear(line)
      this.#wake()
    })
    socket.on("close", () => {
      this.isClosed = true
      if (!this.#isLeft) this.#checkEnd()
      this.#wake()
    })
  }

  /** Sends these lines, cut into pieces at these places, and waits for their replies; gives those that came, as they came. */
  readonly ask = Effect.fnUntraced(
    { self: this },
    function* (lines: ReadonlyArray<Uint8Array>, cuts: ReadonlyArray<number> = []) {
      const asked = lines.map((line): Asked => ({
        verdict: judge(line, this.#kinds),
        line: Buffer.from(line).toString("utf8"),
        reply: undefined
      }))
      for (const one of asked) {
        this.#badLines = one.verdict._tag === "Message" ? 0 : this.#badLines + 1
        this.#mostBadLines = Math.max(this.#mostBadLines, this.#badLines)
        const id = idOf(one)
        if (id !== undefined) this.#known.set(id, one)
      }
      const from = this.heard.length
      this.#waiting = asked
      const bytes = Buffer.concat(lines.flatMap((line) => [line, newline]))
      const places = [...cuts.map((cut) => Math.floor(cut * bytes.length)).toSorted((a, b) => a - b), bytes.length]
      for (const [index, end] of places.entries()) {
        if (!this.isClosed) this.#socket.write(bytes.subarray(places[index - 1] ?? 0, end))
      }
      const isOver = asked.some(({ verdict }) => verdict._tag === "TooLong")
      const isAnswered = () => !isOver && asked.every((one) => one.reply !== undefined || !hasReply(one))
      yield* this.#until(() => this.isClosed || isAnswered())
      return { asked, heard: this.heard.slice(from) }
    }
  )

  /** What this is the reply to. A refusal of Typing may come late. */
  askedFor(reply: Json): Asked | undefined {
    return [...this.#waiting, ...this.#known.values()].find((one) => one.reply === reply)
  }

  /** Leaves without a word. */
  readonly end = Effect.sync(() => {
    this.#isLeft = true
    this.isClosed = true
    this.#socket.destroy()
  })

  /** The rest of what is said until the server closes. */
  readonly closed = Effect.suspend(() => this.#until(() => this.isClosed))

  #until(isSo: () => boolean): Effect.Effect<void, NotAnswered> {
    const soon = Effect.callback<void>((resume) => {
      this.#wake = () => {
        if (isSo()) resume(Effect.void)
      }
      this.#wake()
    })
    const tooLate = Effect.suspend(() => {
      const silent = this.#waiting.filter(({ reply }) => reply === undefined).map(({ line }) => line.slice(0, 300))
      return new NotAnswered({
        message: `not answered: ${silent.join("\n")}\n${this.#breaches.slice(0, 3).join("\n")}\n${JSON.stringify(this.heard.slice(-5))}`
      })
    })
    return soon.pipe(
      Effect.timeoutOrElse({ duration: deadline, orElse: () => tooLate }),
      Effect.provideService(Clock.Clock, realClock)
    )
  }

  #hear(line: string) {
    const json = Result.getOrUndefined(Result.try((): unknown => JSON.parse(line)))
    if (!isObject(json)) return void this.#breaches.push(`not a line: ${line.slice(0, 300)}`)
    this.heard.push(json)
    const message = decode(json)
    if (Result.isFailure(message))
      this.#breaches.push(`no ServerMessage: ${line.slice(0, 500)}: ${String(message.failure)}`)
    const id = json["id"]
    if (id !== undefined) return this.#answer(Predicate.isString(id) ? this.#known.get(id) : undefined, json)
    if (!replyTags.has(String(json["_tag"]))) return
    // What has no id is answered in the order of the lines, but for what was no message, which waits for nothing.
    const open = this.#waiting.filter((one) => idOf(one) === undefined && one.reply === undefined && hasReply(one))
    const isInvalid = reasonOf(json) === "InvalidMessage"
    const first = open.find(({ verdict }) => (verdict._tag === "Invalid") === isInvalid) ?? open[0]
    if (first !== undefined) first.reply = json
    else if (!lastReasons.has(reasonOf(json))) this.#breaches.push(`a reply to nobody: ${line.slice(0, 300)}`)
  }

  #answer(asked: Asked | undefined, reply: Json) {
    if (asked === undefined) this.#breaches.push(`an id nobody gave: ${JSON.stringify(reply).slice(0, 300)}`)
    else if (asked.reply !== undefined) this.#breaches.push(`a second reply: ${JSON.stringify(reply).slice(0, 300)}`)
    else asked.reply = reply
  }

  /** The server has closed, with a reason that the contract names. */
  #checkEnd() {
    const last = this.heard.at(-1) ?? {}
    const isTold = lastWords.has(String(last["_tag"])) || lastReasons.has(reasonOf(last))
    if (!isTold) this.#breaches.push(`closed without a word behind ${JSON.stringify(last).slice(0, 300)}`)
    if (last["reason"] !== undefined && last["_tag"] === "Goodbye" && /lines/.test(String(last["reason"]))) {
      if (this.#mostBadLines < 20) this.#breaches.push(`closed for ${this.#mostBadLines} bad lines`)
    }
  }
}

const newline = Buffer.from("\n")

const idOf = ({ verdict }: Asked): string | undefined => (verdict._tag === "TooLong" ? undefined : verdict.id)

/** Typing has a reply only if it is refused; a line that is too long closes the connection. */
const hasReply = ({ verdict }: Asked): boolean =>
  verdict._tag === "Invalid" ||
  ((verdict._tag === "Message" || verdict._tag === "Open") && verdict.request["_tag"] !== "Typing")

/** Why it was refused, by its tag; empty if it was not. */
export const reasonOf = (reply: Json | undefined): string => {
  const reason = reply?.["_tag"] === "Rejected" ? reply["reason"] : undefined
  return isObject(reason) ? String(reason["_tag"]) : ""
}
