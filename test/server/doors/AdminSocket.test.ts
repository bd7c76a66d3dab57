/** The door for `pnpm admin`, with a UserManagement that does what the test wants. */
import { linkSync, renameSync, statSync } from "node:fs"
import * as Net from "node:net"
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Array as Arr, Clock, ConfigProvider, Effect, Exit, FileSystem, Latch, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { NotDone, UserManagement } from "../../../src/server/accounts/UserManagement.ts"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"
import * as AdminSocket from "../../../src/server/doors/AdminSocket.ts"
import * as Eventually from "../../durability/Eventually.ts"

const newPath = Effect.map(
  FileSystem.FileSystem.use((files) => files.makeTempDirectoryScoped({ prefix: "parley-test-" })),
  (folder) => `${folder}/admin`
)

/** A door that stays open for the scope. `list` is what a List does. */
const open = (path: string, list?: Effect.Effect<ReadonlyArray<never>>) =>
  openWith({ ADMIN_SOCKET: path, DATABASE: ":memory:" }, list)

const openWith = (
  env: Readonly<Record<string, string>>,
  list: Effect.Effect<ReadonlyArray<never>> = Effect.succeed([])
) => {
  const no = () => Effect.fail(new NotDone({ message: "Not here." }))
  const users = UserManagement.of({
    add: no,
    list: () => list,
    show: no,
    disable: no,
    enable: no,
    reset: no,
    delete: no,
    free: no,
    setAdmin: no,
    invite: no,
    reports: no,
    handleReport: no,
    deleteReport: no,
    lockdown: no
  })
  return Layer.build(
    AdminSocket.layer.pipe(
      Layer.provide([Layer.succeed(UserManagement, users), ServerConfig.layer]),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)))
    )
  )
}

const list = (id: number) =>
  `${JSON.stringify({ _tag: "Request", id: `${id}`, tag: "List", payload: { after: null }, headers: [] })}\n`
const isAnswer = (text: string) => /"_tag":"Exit".*"Success"/.test(text)

/** Somebody on the socket who says anything, until the scope closes. */
const caller = Effect.fnUntraced(function* (path: string) {
  const socket = yield* Effect.acquireRelease(
    Effect.sync(() => Net.connect(path)),
    (socket) => Effect.sync(() => socket.destroy())
  )
  let heard = ""
  let isOver = false
  socket.on("error", () => {})
  socket.on("data", (data) => {
    heard += String(data)
  })
  socket.on("close", () => {
    isOver = true
  })
  return {
    say: (data: string | Uint8Array) => void socket.write(data),
    answers: () => heard.split("\n").filter(isAnswer).length,
    isOver: () => isOver
  }
})

/** Waits by the real clock. */
const isSo = (what: string, condition: () => boolean) =>
  Effect.provideService(Eventually.isSo(what, condition), Clock.Clock, Clock.Clock.defaultValue())

const isAnswered = Effect.fnUntraced(function* (path: string) {
  const one = yield* caller(path)
  one.say(list(1))
  yield* isSo("an honest request was answered", () => one.answers() === 1)
}, Effect.scoped)

/** A socket on which nobody listens, as a server leaves it that is killed: one that is closed takes it away by its name. */
const leaveSocket = (path: string) =>
  Effect.callback<void>((resume) => {
    const server = Net.createServer().listen(path, () => {
      linkSync(path, `${path}-kept`)
      server.close(() => {
        renameSync(`${path}-kept`, path)
        resume(Effect.void)
      })
    })
  })

const refusalOf = (path: string) => Effect.map(Effect.flip(open(path)), ({ message }) => message)

layer(NodeServices.layer, { excludeTestServices: true })("The door for pnpm admin", (it) => {
  it.effect(
    "is a socket that nobody else may open from the moment it is there, whatever the umask, and goes with the server",
    () =>
      Effect.gen(function* () {
        const path = yield* newPath
        const scope = yield* Scope.make()
        const before = process.umask(0)
        yield* Effect.addFinalizer(() => Effect.sync(() => process.umask(before)))
        // Looked at before anything else can happen.
        const seen: Array<number> = []
        const watch = Net.Server.prototype.listen
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            Net.Server.prototype.listen = new Proxy(watch, {
              apply: (listen, server, args) => {
                const listening: unknown = Reflect.apply(listen, server, args)
                seen.push(statSync(path).mode)
                return listening
              }
            })
          }),
          () =>
            Effect.sync(() => {
              Net.Server.prototype.listen = watch
            })
        )
        yield* Scope.provide(open(path), scope)
        assert.deepStrictEqual(
          [...seen, statSync(path).mode].map((mode) => mode.toString(8)),
          ["140600", "140600"]
        )
        assert.strictEqual(process.umask(), 0)
        yield* isAnswered(path)
        yield* Scope.close(scope, Exit.void)
        assert.isFalse(yield* FileSystem.FileSystem.use((files) => files.exists(path)))
      })
  )

  it.effect("takes the place of one whose server was killed, and of nothing else", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* newPath
      yield* files.writeFileString(path, "something of value")
      assert.strictEqual(
        yield* refusalOf(path),
        `Cannot listen for pnpm admin at ${path}: something else has that name. Set ADMIN_SOCKET to another path.`
      )
      assert.strictEqual(yield* files.readFileString(path), "something of value")
      yield* files.remove(path)
      yield* files.makeDirectory(path)
      assert.include(yield* refusalOf(path), "something else has that name.")
      yield* files.remove(path, { recursive: true })
      assert.include(yield* refusalOf(`${path}/deep/down`), "listen E")
      assert.include(
        yield* refusalOf(`/tmp/${"x".repeat(120)}`),
        "the path has 125 bytes, and a socket's has 103 at most."
      )

      yield* leaveSocket(path)
      assert.isTrue(statSync(path).isSocket())
      yield* open(path)
      yield* isAnswered(path)
      assert.include(yield* refusalOf(path), "another server listens there.")
      yield* isAnswered(path)
    })
  )

  it.effect("is not there beside a database whose path is too long for a socket", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = `${yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })}/${"x".repeat(100)}`
      yield* files.makeDirectory(folder)
      yield* openWith({ DATABASE: `${folder}/chat.sqlite` })
      assert.deepStrictEqual(yield* files.readDirectory(folder), [])
    })
  )

  it.effect("is not hurt by what is no request", () =>
    Effect.gen(function* () {
      const path = yield* newPath
      yield* open(path)
      for (const garbage of [
        "null\n",
        "{}\n[]\n5\n",
        "no json\n",
        Buffer.from([255, 254, 0, 10, 255, 10]),
        "[".repeat(60_000),
        `${"[".repeat(60_000)}\n`,
        "x".repeat(3_000_000),
        `"${"x".repeat(3_000_000)}"\n`,
        list(1).replace("List", "Nope"),
        list(1).replace('"1"', "{}"),
        list(1).replace("null", "7"),
        list(1).replace(',"headers":[]', ""),
        list(1) + list(1),
        '{"_tag":"Eof"}\n',
        '{"_tag":"Interrupt","requestId":"9"}\n'
      ]) {
        yield* Effect.scoped(
          Effect.flatMap(caller(path), (one) =>
            Effect.andThen(
              Effect.sync(() => one.say(garbage)),
              isAnswered(path)
            )
          )
        )
      }
    })
  )

  it.effect("carries out four requests at once, from eight connections, whoever else waits", () =>
    Effect.gen(function* () {
      const path = yield* newPath
      const isOpen = yield* Latch.make(false)
      let running = 0
      let most = 0
      const door = yield* Scope.fork(yield* Effect.scope)
      const opening = open(
        path,
        Effect.acquireUseRelease(
          Effect.sync(() => {
            most = Math.max(most, ++running)
          }),
          () => Effect.as(isOpen.await, []),
          () => Effect.sync(() => running--)
        )
      )
      yield* Scope.provide(opening, door)
      const callers = yield* Effect.forEach(Arr.range(1, 9), () => caller(path))
      for (const { say } of callers) say(list(1) + list(2))
      yield* isSo("four were carried out", () => running === 4)
      yield* isOpen.open
      const answers = () => callers.map((one) => one.answers())
      yield* isSo("eight were answered", () => answers().filter((count) => count === 2).length === 8)
      const last = callers[answers().indexOf(0)]
      assert.strictEqual(last?.answers(), 0)
      assert.strictEqual(most, 4)
      // The door closes before those who stand at it go.
      yield* Scope.close(door, Exit.void)
      yield* isSo("it was over for all", () => callers.every((one) => one.isOver()))
    })
  )

  it.effect("ends a connection whose line has no end", () =>
    Effect.gen(function* () {
      const path = yield* newPath
      yield* open(path)
      const one = yield* caller(path)
      one.say(list(1).padStart(64 * 1024, " "))
      yield* isSo("the longest line was answered", () => one.answers() === 1)
      one.say(" ".repeat(64 * 1024 + 1))
      yield* isSo("it was over", one.isOver)
    })
  )

  it.effect("hears a mebibyte from each connection, and no more", () =>
    Effect.gen(function* () {
      const path = yield* newPath
      yield* open(path)
      const one = yield* caller(path)
      const fits = 16
      one.say(Arr.makeBy(fits, (id) => list(id).padStart(64 * 1024, " ")).join(""))
      yield* isSo("all was answered", () => one.answers() === fits)
      assert.isFalse(one.isOver())
      one.say(list(1) + list(2))
      yield* isSo("it was over", one.isOver)
      assert.strictEqual(one.answers(), fits)
      yield* isAnswered(path)
    })
  )
})

layer(NodeServices.layer)("The door for pnpm admin", (it) => {
  it.effect("is open to each connection for a minute", () =>
    Effect.gen(function* () {
      const path = yield* newPath
      yield* open(path)
      const idle = yield* Effect.forEach(Arr.range(1, 8), () => caller(path))
      for (const { say } of idle) say(list(1))
      yield* isSo("all are heard", () => idle.every((one) => one.answers() === 1))
      const late = yield* caller(path)
      late.say(list(1))
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(late.answers(), 0)
      assert.isFalse(idle.some((one) => one.isOver()))
      yield* TestClock.adjust("1 second")
      yield* isSo("the others are over", () => idle.every((one) => one.isOver()))
      yield* isSo("who waited was heard", () => late.answers() === 1)
    })
  )
})
