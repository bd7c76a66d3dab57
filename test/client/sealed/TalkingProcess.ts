/**
 * A device as a process of its own, for whoever kills it: `node TalkingProcess.ts <port> <folder> <user>`. It comes into the room and
 * says each line of its input, as `parley send` does. A line of its output is `in` once it is let in; `stored <text>` for what is
 * sure to be said from then on, whatever happens; `told <news>` for what people are alarmed by; `secret <json>` for what the test needs
 * to tell which key was used (see KeyUse.ts). After its input's end it stays until all is sent.
 *
 * KILL_AT=<n> makes it kill itself at its n-th write to its state, KILL_WHEN=before or after it. CONTROL=withoutTheGroup leaves
 * one write out.
 */
import { writeSync } from "node:fs"
import * as process from "node:process"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, Effect, Stdio, Stream } from "effect"
import * as TokenFile from "../../../src/client/account/TokenFile.ts"
import { withoutTheGroup } from "./Controls.ts"
import { crashingAt, type Moment } from "./CrashingFile.ts"
import { type Device, enter, homeOf, isIn, say, switchOn, until, vault } from "./Devices.ts"
import * as KeyUse from "./KeyUse.ts"

/** At once: what is waiting in a pipe of Node's own would go with the process. */
const tellNow = (line: string) => writeSync(1, `${line}\n`)
const tell = (line: string) => Effect.sync(() => tellNow(line))

const quietNews = new Set(["Rows", "Stands", "FirstSeen", "DeviceAdded", "DeviceRemoved", "Erased"])

/** Whoever is put out meanwhile says it again when they are back. */
const sayForCertain = (device: Device, text: string) =>
  say(device, text).pipe(
    Effect.tapError(() => Effect.sleep(10)),
    Effect.retry({ while: ({ _tag }) => _tag === "NotLetIn" }),
    Effect.andThen(tell(`stored ${text}`))
  )

const talk = Effect.gen(function* () {
  const [port = "", folder = "", user = ""] = process.argv.slice(2)
  const path = `${folder}/${user}.token`
  const tokens = yield* TokenFile.open(path, folder)
  const isNew = (yield* tokens.read).length === 0
  const at = yield* Config.withDefault(Config.Int("KILL_AT"), 0)
  const when = yield* Config.withDefault(Config.Literals(["before", "after"], "KILL_WHEN"), "before")
  const control = yield* Config.withDefault(Config.String("CONTROL"), "")
  const { watched } = KeyUse.make((secret) => tellNow(`secret ${JSON.stringify(secret)}`))
  const moment: Moment = { n: at, when }
  const dying = Effect.andThen(
    Effect.sync(() => process.kill(process.pid, "SIGKILL")),
    Effect.never
  )
  const device = yield* switchOn(
    Number(port),
    { ...homeOf(folder, user, "desk", isNew), tokens },
    {
      patience: 2,
      file: crashingAt(moment, dying),
      store: (store) => watched(control === "withoutTheGroup" ? withoutTheGroup()(store) : store)
    }
  )
  yield* device.rooms.ready
  yield* Effect.ignore(enter(device))
  yield* until("it is let in", isIn(device), 60_000)
  yield* tell("in")
  let shown = 0
  const showNews = Effect.suspend(() => {
    const news = device.news.slice(shown).filter(({ _tag }) => !quietNews.has(_tag))
    shown = device.news.length
    return Effect.forEach(news, (one) => tell(`told ${JSON.stringify(one)}`), { discard: true })
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(50), showNews)))
  const { stdin } = yield* Stdio.Stdio
  yield* Stream.decodeText(stdin).pipe(
    Stream.splitLines,
    Stream.runForEach((text) => sayForCertain(device, text))
  )
  const isAllSent = Effect.map(device.rooms.view(vault), (view) => view?.underway === 0)
  yield* until("all is sent", isAllSent, 60_000)
  yield* showNews
})

Effect.scoped(talk).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain())
