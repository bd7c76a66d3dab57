/**
 * One direction of a connection in memory: what one end writes, the other pulls.
 *
 * Owns the bytes on their way, and the fibers that wait: one that pulls, any number that write. The states are those of
 * TCP as a program sees it: open, ended by the writer (the rest can still be read), not read any more, reset. The two
 * ends may learn of a reset at different times, and with `carry` what is written takes its time.
 */
import { type Array, Effect } from "effect"
import { Socket } from "effect/socket"

type Chunks = Array.NonEmptyReadonlyArray<Uint8Array>
type Resume<A> = (effect: Effect.Effect<A, Socket.SocketError>) => void

export interface LinkOptions {
  /** How many bytes may be unread before a writer has to wait. */
  readonly highWaterBytes?: number
  /** From 0 to 1, as `Math.random`. Without it nothing is cut. */
  readonly random?: () => number
  /** Sees all that is written, whether it arrives or not. */
  readonly observe?: (bytes: Uint8Array) => void
  /** Sees all that is read. */
  readonly taken?: (bytes: Uint8Array) => void
  /** Called when the reader knows that it reads no more: it has closed its socket, or found it reset. May be called again. */
  readonly closed?: () => void
  /** Called for all that is written, and for the end; each call of `arrive` lets the next of it arrive. At once, without it. */
  readonly carry?: (arrive: () => void) => void
}

export interface Link {
  readonly pull: Effect.Effect<Chunks, Socket.SocketError>
  readonly write: (chunks: Array.NonEmptyReadonlyArray<Uint8Array | string>) => Effect.Effect<void, Socket.SocketError>
  readonly hasUnread: () => boolean
  /** No more will be written; what was written can still be read. */
  readonly end: () => void
  /** No more will be read: a pull that waits fails, and so does every write. */
  readonly stopReading: () => void
  /** Nothing more gets through, in either role, and what was not read is lost. */
  readonly reset: () => void
  /** The reader's part of a reset alone: what has not arrived yet is lost too. */
  readonly resetReader: () => void
  /** The writer's part of a reset alone: what is on its way still arrives. */
  readonly resetWriter: () => void
  /** While paused, whoever pulls gets nothing of what has arrived. */
  readonly setPaused: (isPaused: boolean) => void
}

/** As much as node:net and a kernel hold between them, roughly. */
const defaultHighWaterBytes = 128 * 1024

export const makeLink = (options: LinkOptions): Link => {
  const { carry, closed, highWaterBytes = defaultHighWaterBytes, observe, random, taken: onTaken } = options
  /** Written and not arrived yet; `undefined` is the end. */
  let travelling: globalThis.Array<Uint8Array | undefined> = []
  let travellingBytes = 0
  let unread: globalThis.Array<Uint8Array> = []
  let unreadBytes = 0
  let isPaused = false
  /** Why the reader gets no more once `unread` is empty. */
  let readerError: Socket.SocketError | undefined
  let writerError: Socket.SocketError | undefined
  let reader: Resume<Chunks> | undefined
  let writers: globalThis.Array<Resume<void>> = []

  const takeUnread = (): Chunks | undefined => {
    const [first, ...rest] = random === undefined ? unread : cutSome(unread, unreadBytes, random)
    if (first === undefined) return undefined
    const taken: Chunks = [first, ...rest]
    const takenBytes = bytesOf(taken)
    unread = random === undefined ? [] : behind(unread, takenBytes)
    unreadBytes -= takenBytes
    if (!isFull()) resumeWriters(Effect.void)
    return taken
  }

  const isFull = () => travellingBytes + unreadBytes > highWaterBytes

  const resumeWriters = (effect: Effect.Effect<void, Socket.SocketError>) => {
    const resumed = writers
    writers = []
    for (const resume of resumed) resume(effect)
  }

  const serveReader = () => {
    if (reader === undefined || isPaused || (unread.length === 0 && readerError === undefined)) return
    const resume = reader
    // Before a writer goes on, which may write more and come here again.
    reader = undefined
    const taken = takeUnread()
    if (taken !== undefined) {
      if (onTaken !== undefined) for (const chunk of taken) onTaken(chunk)
      resume(Effect.succeed(taken))
    } else if (readerError !== undefined) {
      if (readerError !== ended) closed?.()
      resume(Effect.fail(readerError))
    }
  }

  /** The reader gets no more than what has arrived, or not even that. */
  const endReader = (error: Socket.SocketError, forget: boolean) => {
    readerError ??= error
    if (forget) {
      travelling = []
      travellingBytes = 0
      unread = []
      unreadBytes = 0
    }
    serveReader()
  }

  const endWriter = (error: Socket.SocketError) => {
    writerError ??= error
    resumeWriters(Effect.fail(writerError))
  }

  const arrive = (bytes: Uint8Array | undefined) => {
    if (bytes === undefined) return endReader(ended, false)
    if (readerError !== undefined) return
    unread.push(bytes)
    unreadBytes += bytes.length
  }

  const send = (bytes: Uint8Array | undefined) => {
    if (carry === undefined) return arrive(bytes)
    travelling.push(bytes)
    travellingBytes += bytes?.length ?? 0
    carry(() => {
      if (travelling.length === 0) return
      const next = travelling.shift()
      travellingBytes -= next?.length ?? 0
      arrive(next)
      serveReader()
    })
  }

  const resetReader = () => endReader(resetWhileReading, true)
  const resetWriter = () => endWriter(resetWhileWriting)

  return {
    pull: Effect.callback((resume) => {
      reader = resume
      serveReader()
      return Effect.sync(() => {
        if (reader === resume) reader = undefined
      })
    }),
    write: (chunks) =>
      Effect.suspend(() => {
        if (writerError !== undefined) return Effect.fail(writerError)
        for (const chunk of chunks) {
          // Whoever writes may use its buffer again, as with a real socket once the write is done.
          const bytes = typeof chunk === "string" ? encoder.encode(chunk) : Uint8Array.from(chunk)
          if (bytes.length === 0) continue
          observe?.(bytes)
          send(bytes)
        }
        serveReader()
        if (!isFull()) return Effect.void
        return Effect.callback<void, Socket.SocketError>((resume) => {
          writers.push(resume)
          return Effect.sync(() => {
            writers = writers.filter((waiting) => waiting !== resume)
          })
        })
      }),
    hasUnread: () => unreadBytes > 0,
    end: () => {
      if (writerError !== undefined) return
      endWriter(writerEnded)
      send(undefined)
    },
    stopReading: () => {
      closed?.()
      // Whoever got the end, or lost the connection, has nothing to tell the other end by closing.
      if (readerError !== undefined) return
      endReader(cutOff, true)
      endWriter(peerClosed)
    },
    reset: () => {
      resetReader()
      resetWriter()
    },
    resetReader,
    resetWriter,
    setPaused: (paused) => {
      isPaused = paused
      serveReader()
    }
  }
}

/** A random part of what is there, at least a byte of it, cut at random places. */
const cutSome = (chunks: ReadonlyArray<Uint8Array>, available: number, random: () => number) => {
  const pieces: globalThis.Array<Uint8Array> = []
  // Half of the time all that is there, so that a busy connection is not slowed down for good.
  let wanted = random() < 0.5 ? available : Math.ceil(random() * available)
  for (const chunk of chunks) {
    let rest = chunk.subarray(0, wanted)
    wanted -= rest.length
    while (rest.length > 0) {
      const size = random() < 0.5 ? rest.length : Math.ceil(random() * rest.length)
      pieces.push(rest.subarray(0, size))
      rest = rest.subarray(size)
    }
  }
  return pieces
}

const behind = (chunks: ReadonlyArray<Uint8Array>, count: number) => {
  let skip = count
  return chunks.flatMap((chunk) => {
    const rest = chunk.subarray(Math.min(skip, chunk.length))
    skip -= chunk.length - rest.length
    return rest.length === 0 ? [] : [rest]
  })
}

const encoder = new TextEncoder()
const bytesOf = (chunks: Chunks) => chunks.reduce((sum, chunk) => sum + chunk.length, 0)
const closedWith = (code: number) => new Socket.SocketError({ reason: new Socket.SocketCloseError({ code }) })
const notReadable = (cause: string) =>
  new Socket.SocketError({ reason: new Socket.SocketReadError({ cause: new Error(cause) }) })
const notWritable = (cause: string) =>
  new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause: new Error(cause) }) })

// Made once: taking their stack traces was a tenth of the time of a simulation.
const ended = closedWith(1000)
const cutOff = closedWith(1006)
const resetWhileReading = notReadable("the connection was reset")
const resetWhileWriting = notWritable("the connection was reset")
const writerEnded = notWritable("the socket was ended")
const peerClosed = notWritable("the other end was closed")
