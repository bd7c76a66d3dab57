/**
 * What the generator has to know of a protocol: how to say a few things, and how to tell by a few bytes what came.
 *
 * Every measured message ends in a marker, `~` and ten digits: its number. A delivery is recognised by the marker's
 * place before the end of its line and read off there; nothing of it is parsed. Only other lines are looked at closer.
 */
export const markerBytes = 11

/** What a line is that is not a measured message. */
type LineKind = "acknowledged" | "refused" | "other"

export interface Dialect {
  /** A conversation's sender hears its own message too. */
  readonly echoes: boolean
  /** Every message is answered to its sender once it has its place. */
  readonly acknowledges: boolean
  /** Bytes between the marker and the line feed. */
  readonly trailerBytes: number
  readonly kindOf: (bytes: Buffer, start: number, end: number) => LineKind
  readonly hello: (user: string) => string
  readonly isWelcome: (line: string) => boolean
  readonly join: (room: string) => string
  readonly isJoined: (line: string, room: string) => boolean
  /** Only where a room has to be made before it is joined. */
  readonly create?: (room: string) => string
  /** A message is `before`, its content with the marker at the end, and `after`. */
  readonly toRoom: (room: string) => Frame
  readonly toUser: (user: string) => Frame
  readonly ping: (nonce: number) => string
  readonly isPong: (line: string, nonce: number) => boolean
  /** What keeps the connection alive, if this line asks for it. */
  readonly answer?: (line: string) => string | undefined
}

interface Frame {
  readonly before: string
  readonly after: string
}

const line = (message: object) => `${JSON.stringify(message)}\n`

/** Cuts an encoded message where its content belongs. */
const around = (message: object): Frame => {
  const [before = "", after = ""] = line({ ...message, content: "@@" }).split("@@")
  return { before, after }
}

const letterR = 0x52
const letterS = 0x53
const letterG = 0x47
/** `{"_tag":"` */
const tagAt = 9

/** The tag is the first field of a line; the test of this folder holds that. */
const parleyKindOf = (bytes: Buffer, start: number, end: number): LineKind => {
  if (end - start < tagAt + 5) return "other"
  const first = bytes[start + tagAt]
  if (first === letterS)
    return bytes.toString("latin1", start + tagAt, start + tagAt + 5) === 'Sent"' ? "acknowledged" : "other"
  const isLast = first === letterG || first === letterR
  if (!isLast) return "other"
  const tag = bytes.toString("latin1", start + tagAt, start + tagAt + 8)
  return tag === "Rejected" || tag.startsWith("Goodbye") ? "refused" : "other"
}

export const parley: Dialect = {
  echoes: true,
  acknowledges: true,
  trailerBytes: '"}'.length,
  kindOf: parleyKindOf,
  hello: (user) => line({ _tag: "Handshake", user }),
  isWelcome: (text) => text.startsWith('{"_tag":"Welcome"'),
  create: (room) => line({ _tag: "CreateRoom", room }),
  join: (room) => line({ _tag: "JoinRoom", room }),
  isJoined: (text) => text.startsWith('{"_tag":"RoomJoined"'),
  toRoom: (room) => around({ _tag: "RoomMessage", room }),
  toUser: (to) => around({ _tag: "PrivateMessage", to }),
  ping: (nonce) => line({ _tag: "Ping", nonce }),
  isPong: (text, nonce) => text.startsWith('{"_tag":"Pong"') && text.includes(`"nonce":${nonce}`)
}

/** A room's name as a channel. */
const channel = (room: string) => `#${room}`

const letterE = 0x45

/** RFC 2812, as far as a room, a private message and a ping need it. */
export const irc: Dialect = {
  echoes: false,
  acknowledges: false,
  trailerBytes: "\r".length,
  kindOf: (bytes, start, end) =>
    bytes[start] === letterE && bytes.toString("latin1", start, Math.min(end, start + 5)) === "ERROR"
      ? "refused"
      : "other",
  hello: (user) => `NICK ${user}\r\nUSER ${user} 0 * :${user}\r\n`,
  isWelcome: (text) => /^:\S+ 001 /.test(text),
  join: (room) => `JOIN ${channel(room)}\r\n`,
  // End of NAMES: the last line about a join.
  isJoined: (text, room) => new RegExp(`^:\\S+ 366 \\S+ ${channel(room)} `).test(text),
  toRoom: (room) => ({ before: `PRIVMSG ${channel(room)} :`, after: "\r\n" }),
  toUser: (user) => ({ before: `PRIVMSG ${user} :`, after: "\r\n" }),
  ping: (nonce) => `PING :${nonce}\r\n`,
  isPong: (text, nonce) => / PONG /.test(text) && text.includes(`:${nonce}`),
  answer: (text) => (text.startsWith("PING ") ? `PONG ${text.slice(5).trim()}\r\n` : undefined)
}
