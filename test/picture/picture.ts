/**
 * `pnpm picture`: makes the pictures of the README anew, from real clients in a real terminal (tmux) with a real server, where several
 * people say what is written here.
 */
import { resolve } from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, FileSystem } from "effect"
import { startServer } from "../client/Processes.ts"
import { startInTerminal } from "../client/Tmux.ts"
import { connect, type RawClient } from "../support/RawClient.ts"
import { svgOf } from "./Svg.ts"

const folder = resolve(import.meta.dirname, "../../src/client/pictures")

/** Who is there beside ada, before whose screen one sits. */
type Name = "barbara" | "dennis" | "grace" | "linus" | "margaret"
type People = Readonly<Record<Name, RawClient>>

const room = "compilers"

const enter = Effect.fnUntraced(function* (port: number, user: Name) {
  const client = yield* connect({ port })
  yield* client.send({ _tag: "Handshake", user })
  yield* client.find("Welcome")
  return client
})

/** Says something, and gives its place. */
const say = (client: RawClient, message: object) => Effect.map(client.ask(message), ({ seq }) => Number(seq))

/** What has been said before ada looks. */
const talkBefore = Effect.fnUntraced(function* (people: People) {
  const { barbara, dennis, grace, linus, margaret } = people
  yield* grace.ask({ _tag: "CreateRoom", room, topic: "What breaks, and why it is the parser" })
  yield* linus.ask({ _tag: "CreateRoom", room: "releases", topic: "0.9 goes out on Friday" })
  yield* barbara.ask({ _tag: "CreateRoom", room: "tea" })
  for (const client of [grace, margaret, dennis, barbara]) yield* client.ask({ _tag: "JoinRoom", room })
  for (const client of [linus, margaret]) yield* client.ask({ _tag: "JoinRoom", room: "releases" })
  yield* barbara.ask({ _tag: "JoinRoom", room: "tea" })
  yield* say(grace, { _tag: "GlobalMessage", content: "Good morning, everybody" })
})

/** What is said in the room while ada is there. */
const talk = Effect.fnUntraced(function* ({ barbara, dennis, grace, margaret }: People) {
  const inRoom = (client: RawClient, content: string, replyTo?: number) =>
    say(client, { _tag: "RoomMessage", room, content, ...(replyTo !== undefined && { replyTo }) })
  yield* inRoom(grace, "The nightly build is red again: `parse.test` fails on *nested* comments.")
  const found = yield* inRoom(grace, "I found a moth in the relay, but this one is **ours**.")
  yield* inRoom(dennis, "Did anybody change the lexer? It was green at 02:00 → https://ci.example.org/builds/4711")
  const mine = yield* inRoom(margaret, "I did: comments may nest now. The parser still counts to one 🙈")
  yield* barbara.ask({ _tag: "React", room, target: found, reaction: "🦋" })
  yield* dennis.ask({ _tag: "React", room, target: found, reaction: "🦋" })
  yield* inRoom(barbara, "Then let it count. A depth, and an error where the file ends above zero.", mine)
  yield* inRoom(margaret, "```\nif (depth > 0) return unclosed(depth)\n```")
  yield* grace.ask({ _tag: "React", room, target: mine, reaction: "👍" })
  return mine
})

/** What happens elsewhere meanwhile. */
const elsewhere = Effect.fnUntraced(function* ({ barbara, linus, margaret }: People) {
  yield* say(linus, { _tag: "RoomMessage", room: "releases", content: "The notes for 0.9 are written" })
  yield* say(margaret, { _tag: "RoomMessage", room: "releases", content: "@ada do you have a minute for them?" })
  yield* say(barbara, { _tag: "RoomMessage", room: "tea", content: "The kettle is on" })
  yield* say(linus, { _tag: "PrivateMessage", to: "ada", content: "Lunch at twelve?" })
})

const making = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const home = yield* files.makeTempDirectoryScoped()
  const { port } = yield* startServer({ MESSAGE_RATE: "0" })
  const people: People = yield* Effect.all({
    grace: enter(port, "grace"),
    linus: enter(port, "linus"),
    margaret: enter(port, "margaret"),
    dennis: enter(port, "dennis"),
    barbara: enter(port, "barbara")
  })
  yield* talkBefore(people)

  const environment = { PORT: `${port}`, TZ: "UTC", XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, XDG_STATE_HOME: home }
  const full = yield* startInTerminal(["--user", "ada"], { ...environment, CHAT_LINE: "false" })
  yield* full.resize(104, 26)
  yield* full.shows("lobby›")
  const command = (text: string) => Effect.andThen(full.type(text), full.press("Enter"))
  for (const name of ["releases", "tea", room]) {
    yield* command(`:jr ${name}`)
    yield* full.shows(`${name}›`)
  }
  yield* talk(people)
  yield* full.showsIn("unclosed(depth)")
  yield* command("On it. Who reviews?")
  yield* people.barbara.find(({ content }) => content === "On it. Who reviews?")
  yield* people.barbara.ask({ _tag: "RoomMessage", room, content: "I do, after the tea" })
  yield* elsewhere(people)
  yield* full.showsIn("@linus")
  yield* full.type("@barbara thank you, it is")
  yield* people.margaret.send({ _tag: "Typing", room })
  yield* full.showsIn("thank you, it is")
  yield* full.showsIn("margaret typing")
  const shown = yield* full.withColours
  yield* keep("screen", {
    text: shown,
    columns: 104,
    title: "parley",
    alternative: `The full screen: conversations at the left, who is here at the right, the room ${room} between them`
  })

  const line = yield* startInTerminal(["--user", "ken"], environment)
  yield* line.resize(88, 20)
  yield* line.showsIn("lobby>")
  yield* line.type(`:jr ${room}`)
  yield* line.press("Enter")
  yield* line.showsIn("after the tea")
  yield* say(people.grace, { _tag: "RoomMessage", room, content: "Welcome, @ken" })
  yield* line.showsIn("Welcome, @ken")
  yield* line.type("Hello! What is red")
  yield* line.showsIn("What is red")
  yield* keep("line", {
    text: yield* line.withColours,
    columns: 88,
    title: "parley, line mode",
    alternative: "The line mode: what happens, line by line, above what is typed"
  })
})

const keep = Effect.fnUntraced(function* (name: string, captured: Parameters<typeof svgOf>[0]) {
  const files = yield* FileSystem.FileSystem
  const svg = svgOf(captured)
  yield* files.makeDirectory(folder, { recursive: true })
  yield* files.writeFileString(resolve(folder, `${name}.svg`), svg)
  yield* Console.log(`${name}.svg: ${Math.ceil(svg.length / 1024)} KB`)
})

making.pipe(Effect.scoped, Effect.provide(NodeServices.layer), NodeRuntime.runMain)
