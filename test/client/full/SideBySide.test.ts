/** Several servers on one screen, with real servers behind it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, FileSystem, Queue, type Scope } from "effect"
import { HasLeft, SessionError } from "../../../src/client/core/ClientError.ts"
import type { Frame } from "../../../src/client/full/Frame.ts"
import { sitting } from "../../../src/client/full/FullScreen.ts"
import { textOf } from "../../../src/client/full/Row.ts"
import { Servers } from "../../../src/client/full/Servers.ts"
import { type Open, type Seat, sideBySide } from "../../../src/client/full/SideBySide.ts"
import type { Input, Stage } from "../../../src/client/full/Stage.ts"
import { Client } from "../../../src/client/link/Client.ts"
import * as TestServer from "../../support/TestServer.ts"
import { start } from "../BreakableClient.ts"

const makeStage = Effect.gen(function* () {
  const inputs = yield* Queue.unbounded<Input>()
  const told = { title: "", rings: 0, notices: [] as Array<string> }
  let frame: () => Pick<Frame, "cursor" | "rows"> = () => ({ rows: [], cursor: undefined })
  const stage: Stage = {
    inputs,
    size: () => ({ columns: 80, rows: 24 }),
    draw: () => void frame(),
    copy: () => true,
    ring: () => void (told.rings += 1),
    notify: (title, text) => void told.notices.push(`${title}: ${text}`),
    title: (text) => {
      told.title = text
    },
    mouse: () => {},
    redraw: () => {},
    suspend: Effect.void
  }
  const open = (drawn: typeof frame) =>
    Effect.sync(() => {
      frame = drawn
      return stage
    })
  const press = (...names: ReadonlyArray<string>) =>
    Queue.offerAll(
      inputs,
      names.map((name) => ({ _tag: "Key" as const, key: name.length === 1 ? { name, text: name } : { name } }))
    )
  const until = (isSo: () => boolean) => Effect.sync(isSo).pipe(Effect.filterOrFail(Boolean), Effect.eventually)
  const shows = (text: string) => until(() => frame().rows.some((row) => textOf(row).includes(text)))
  const give = (input: Input) => Queue.offer(inputs, input)
  return { open, press, shows, until, told, give }
})

const hasLeft = new SessionError({ reason: new HasLeft() })

layer(NodeServices.layer, { excludeTestServices: true })("Two servers side by side", (it) => {
  const begin = Effect.gen(function* () {
    const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
    const seatOn = (
      name: string,
      client: Client["Service"]
    ): Seat<SessionError, FileSystem.FileSystem | Scope.Scope> => ({
      name,
      sit: (open: Open) =>
        sitting({ memoryPath: `${folder}/${name}.json`, hasMouse: true }, open).pipe(
          Effect.provideService(Client, client)
        ),
      next: () => seatOn(name, client),
      explain: ({ message }) => message
    })
    const servers = { home: yield* TestServer.start(), work: yield* TestServer.start() }
    const home = yield* start(servers.home.port, "ada")
    const work = yield* start(servers.work.port, "ada")
    const bob = { home: yield* servers.home.join("bob"), work: yield* servers.work.join("bob") }
    const stage = yield* makeStage
    const third = yield* start((yield* TestServer.start()).port, "ada")
    const chatting = yield* sideBySide({
      seats: [seatOn("home", home.client), seatOn("work", work.client)],
      open: stage.open,
      enter: (name) =>
        name === "third"
          ? Effect.succeed(seatOn(name, third.client))
          : name === "broken"
            ? Effect.succeed({ ...seatOn(name, third.client), sit: () => Effect.fail(hasLeft) })
            : Effect.fail({ message: `There is no server ${name}.` }),
      remarks: []
    }).pipe(Effect.forkChild)
    return { ...stage, bob, chatting }
  })

  it.effect("have each their own conversation, and what is typed goes to the one that is shown", () =>
    Effect.gen(function* () {
      const { bob, chatting, press, shows } = yield* begin
      yield* shows("ada on home")
      yield* press(..."for home", "enter")
      yield* bob.home.upTo("GlobalMessage")
      yield* press(..."half", "alt+o")
      yield* shows("ada on work")
      yield* press(..."for work", "enter")
      const heard = yield* bob.work.upTo("GlobalMessage")
      assert.deepInclude(heard.at(-1), { from: "ada", content: "for work" })
      yield* press(...":server home", "enter")
      yield* shows("ada on home")
      yield* shows("lobby› half")
      yield* press("ctrl+c", "ctrl+c", "y")
      assert.deepStrictEqual(yield* Fiber.join(chatting), { _tag: "Quit" })
    })
  )

  it.effect("tell what waits on the other one, in the status line and the title, and call for it", () =>
    Effect.gen(function* () {
      const { bob, give, press, shows, told, until } = yield* begin
      yield* shows("ada on home")
      yield* bob.work.send({ _tag: "GlobalMessage", content: "It compiles" })
      yield* shows("[work 1]")
      assert.strictEqual(told.rings, 0)
      yield* give({ _tag: "Looked", isLooking: false })
      yield* bob.work.send({ _tag: "GlobalMessage", content: "@ada it compiles" })
      yield* shows("[work @1]")
      yield* until(() => told.rings === 1 && told.notices.length === 1)
      assert.deepStrictEqual(told.notices, ["work: bob in lobby: @ada it compiles"])
      yield* until(() => told.title === "(1) parley: lobby")
      yield* give({ _tag: "Looked", isLooking: true })
      yield* press("alt+o")
      yield* shows("ada on work")
      yield* until(() => told.title === "parley: lobby")
    })
  )

  it.effect("become three by a command; of one that is not there it is told; one that ends leaves the others", () =>
    Effect.gen(function* () {
      const { press, shows } = yield* begin
      yield* shows("ada on home")
      yield* press(...":server nowhere", "enter")
      yield* shows("There is no server nowhere.")
      yield* press(...":server third", "enter")
      yield* shows("ada on third")
      yield* press(...":server work", "enter")
      yield* shows("ada on work")
      yield* press(...":server broken", "enter")
      yield* shows("broken: This client has left the server. :server broken goes back.")
      yield* press("alt+o")
      yield* shows("ada on home")
    })
  )

  it.effect("are sixteen at most: of one more it is told, and nobody is let in there", () =>
    Effect.gen(function* () {
      const stage = yield* makeStage
      const turned = yield* Deferred.make<string | undefined>()
      let entered = 0
      const seatOf = (name: string, sit: Seat<SessionError, never>["sit"]): Seat<SessionError, never> => ({
        name,
        sit,
        next: () => seatOf(name, sit),
        explain: ({ message }) => message
      })
      const waits = () => Effect.never
      const first = seatOf("home", () =>
        Effect.gen(function* () {
          const { others, turnTo } = yield* Servers
          yield* Effect.sync(() => others().length === 15).pipe(Effect.filterOrFail(Boolean), Effect.eventually)
          yield* Deferred.succeed(turned, yield* turnTo("more"))
          return yield* Effect.never
        })
      )
      yield* sideBySide({
        seats: [first, ...Array.from({ length: 15 }, (_, index) => seatOf(`server${index}`, waits))],
        open: stage.open,
        enter: (name) => Effect.sync(() => void (entered += 1)).pipe(Effect.as(seatOf(name, waits))),
        remarks: []
      }).pipe(Effect.forkChild)
      assert.include(yield* Deferred.await(turned), "There are 16 servers here already")
      assert.strictEqual(entered, 0)
    })
  )
})
