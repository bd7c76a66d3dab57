/**
 * The floor: what a chat server on node:net cannot well be faster than. It parses each line and hands it to the room's
 * sockets, and does nothing else: no check, no limit, no order kept, nothing stored, nobody told who came.
 *
 * A process of its own: it prints where it listens, like the server. A room's last messages are kept for JoinRoom `after`.
 */
import * as Net from "node:net"

interface Line {
  readonly _tag: string
  readonly [field: string]: unknown
}

const rooms = new Map<string, { readonly sockets: Set<Net.Socket>; log: Array<string>; seq: number }>()
const users = new Map<string, Net.Socket>()
const roomOf = (name: string) => rooms.getOrInsertComputed(name, () => ({ sockets: new Set(), log: [], seq: 0 }))
const isLine = (json: unknown): json is Line => typeof json === "object" && json !== null && "_tag" in json
const encode = (message: Line) => `${JSON.stringify(message)}\n`
/** As many as the server replays at most. */
const keptMessages = 1000

const answer = (socket: Net.Socket, from: string, message: Line) => {
  const { _tag, content, id, nonce, room } = message
  const name = String(room)
  if (_tag === "RoomMessage") {
    const { log, sockets, seq } = roomOf(name)
    const at = Date.now()
    const frame = encode({ _tag, room, seq: seq + 1, at, from, content })
    roomOf(name).seq = seq + 1
    log.push(frame)
    if (log.length > 2 * keptMessages) roomOf(name).log = log.slice(-keptMessages)
    for (const member of sockets) member.write(frame)
    socket.write(encode({ _tag: "Sent", id, seq: seq + 1, at }))
  } else if (_tag === "PrivateMessage") {
    const frame = encode({ _tag, seq: 1, at: Date.now(), from, to: message["to"], content })
    users.get(String(message["to"]))?.write(frame)
    socket.write(frame + encode({ _tag: "Sent", id, seq: 1, at: Date.now() }))
  } else if (_tag === "JoinRoom") {
    const { log, sockets, seq } = roomOf(name)
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    const missed = message["after"] === undefined ? [] : log.slice(-keptMessages)
    const joined = {
      _tag: "RoomJoined",
      id,
      room,
      epoch: "floor",
      seq,
      missed: missed.length,
      truncated: false,
      users: []
    }
    socket.write(encode(joined) + missed.join(""))
  } else if (_tag === "CreateRoom") {
    roomOf(name)
    socket.write(encode({ _tag: "RoomCreated", id, room, by: from }))
  } else if (_tag === "Ping") socket.write(encode({ _tag: "Pong", id, nonce }))
}

const server = Net.createServer({ noDelay: true }, (socket) => {
  let unfinished = ""
  let user = ""
  socket.setEncoding("utf8")
  socket.on("error", () => socket.destroy())
  socket.on("data", (text: string) => {
    const lines = (unfinished + text).split("\n")
    unfinished = lines.pop() ?? ""
    for (const line of lines) {
      const message: unknown = JSON.parse(line)
      if (!isLine(message)) continue
      if (message._tag === "Handshake") {
        user = String(message["user"])
        users.set(user, socket)
        socket.on("close", () => users.delete(user))
        socket.write(encode({ _tag: "Welcome", user, protocol: 1 }))
      } else answer(socket, user, message)
    }
  })
})

server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) process.stdout.write(`listening on 127.0.0.1:${address.port}\n`)
})
process.once("SIGTERM", () => process.exit(0))
