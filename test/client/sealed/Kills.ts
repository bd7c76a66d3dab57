/**
 * A client that is a process of its own talks without pause in an encrypted room, while others talk and change the keys, and is
 * killed (SIGKILL) again and again, at whatever it is about. Then the server's own log is looked at: what it answered as stored
 * is there, nothing twice, and no key was used twice, neither by what the server took nor by what it was sent and refused.
 */
import * as process from "node:process"
import { type Cause, Effect, Queue, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import * as TokenFile from "../../../src/client/account/TokenFile.ts"
import { Chance } from "../../simulation/Chance.ts"
import { compileCache } from "../../support/CompileCache.ts"
import { programs } from "../../support/Programs.ts"
import { judge, type Witness } from "./ChaosJudge.ts"
import * as ChaosServer from "./ChaosServer.ts"
import type { Moment } from "./CrashingFile.ts"
import { type Device, enter, homeOf, isIn, makeVault, say, switchOn, until, vault } from "./Devices.ts"
import * as KeyUse from "./KeyUse.ts"
import * as ServerLog from "./ServerLog.ts"

export interface KillsOptions {
  readonly seed: number
  readonly kills: number
  readonly folder: string
  /** What the process leaves out. */
  readonly control?: "withoutTheGroup"
  /** Hears of each kill. */
  readonly onKill?: (figures: { readonly kills: number; readonly stored: number }) => void
}

/** So many lines wait in its input: it never rests. */
const ahead = 3

/** How long it may take to be let in and to send what it has, in milliseconds of a busy machine. */
const patience = 60_000

const talker = "cyd"

/** So many writes it has by the time that it has said something and heard others. */
const latestWrite = 20

const decodeSecret = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ group: Schema.String, secret: Schema.String }))
)

export const run = Effect.fnUntraced(function* ({ control, folder, kills, onKill, seed }: KillsOptions) {
  const chance = new Chance(seed)
  const server = yield* ChaosServer.start(folder)
  const keyUse = KeyUse.make()
  const tried = new Set<string>()
  const accepted = new Set<string>()
  const told: Array<string> = []
  let count = 0
  const newText = (name: string) => {
    const text = `${name} ${++count}`
    tried.add(text)
    return text
  }

  const door = yield* server.wire.door
  const switchedOn = Effect.fnUntraced(function* (user: string) {
    const { port } = yield* server.wire.door
    return yield* switchOn(port, homeOf(folder, user, "desk"), { store: keyUse.watched, patience: 5 })
  })
  const ada = yield* switchedOn("ada")
  const ben = yield* switchedOn("ben")
  yield* makeVault(ada)
  yield* enter(ben)
  yield* until("ben is let in", isIn(ben, vault, 2), patience)

  const speak = (device: Device) =>
    Effect.suspend(() => {
      const text = newText(device.home.name)
      return Effect.ignore(Effect.tap(say(device, text), () => Effect.sync(() => accepted.add(text))))
    })
  const talking = yield* Effect.forEach([ada, ben], (device) =>
    Effect.forkScoped(Effect.forever(Effect.andThen(speak(device), Effect.sleep(15))))
  )
  /** Each time that ben leaves and comes back, whoever is first changes the keys, twice. */
  const coming = yield* Effect.gen(function* () {
    yield* Effect.sleep(chance.between(20, 200))
    if (chance.is(0.1)) return yield* ada.rooms.rekey(vault)
    yield* ben.client.request({ _tag: "LeaveRoom", room: vault })
    yield* Effect.sleep(chance.between(0, 50))
    yield* enter(ben)
    yield* Effect.ignore(until("ben is in", isIn(ben), 5000))
  }).pipe(Effect.ignore, Effect.forever, Effect.forkScoped)

  /** One life of the process; it may end itself at one of its writes. */
  const live = Effect.fnUntraced(function* ({ n, when }: Moment = { n: 0, when: "before" }) {
    const input = yield* Queue.unbounded<string, Cause.Done>()
    const child = yield* ChildProcess.make(process.execPath, [programs.talker, `${door.port}`, folder, talker], {
      env: { ...compileCache, KILL_AT: `${n}`, KILL_WHEN: when, ...(control && { CONTROL: control }) },
      extendEnv: true,
      stdin: Stream.fromQueue(input).pipe(Stream.encodeText)
    })
    const heard = { isIn: false, stored: 0, stderr: "" }
    const next = Effect.suspend(() => Queue.offer(input, `${newText(`${talker}'s desk`)}\n`))
    const hear = (line: string) =>
      Effect.suspend(() => {
        if (line === "in") {
          heard.isIn = true
          return Effect.forEach(Array.from({ length: ahead }), () => next, { discard: true })
        }
        if (line.startsWith("told ")) told.push(line)
        if (line.startsWith("secret ")) keyUse.learn(decodeSecret(line.slice("secret ".length)))
        if (!line.startsWith("stored ")) return Effect.void
        heard.stored += 1
        accepted.add(line.slice("stored ".length))
        return Effect.asVoid(next)
      })
    const out = yield* Stream.decodeText(child.stdout).pipe(
      Stream.splitLines,
      Stream.runForEach(hear),
      Effect.ignore,
      Effect.forkScoped
    )
    yield* Stream.decodeText(child.stderr).pipe(
      Stream.runForEach((text) =>
        Effect.sync(() => {
          heard.stderr += text
        })
      ),
      Effect.ignore,
      Effect.forkScoped
    )
    return { child, heard, input, out }
  })

  for (let killed = 1; killed <= kills; killed++) {
    yield* Effect.scoped(
      Effect.gen(function* () {
        const isAtWrite = chance.is(0.35)
        const moment: Moment = {
          n: isAtWrite ? chance.between(1, latestWrite) : 0,
          when: chance.pick(["before", "after"])
        }
        const { child, heard } = yield* live(moment)
        const isDead = Effect.map(child.isRunning, (isRunning) => !isRunning)
        // A fifth of its lives end before it is let in.
        if (chance.is(0.8) || killed === 1) {
          const enough = isAtWrite ? latestWrite : chance.between(0, 12)
          const isAlong = Effect.sync(() => heard.isIn && heard.stored >= enough)
          yield* until(
            `it talks (${heard.stderr.slice(0, 2000)})`,
            Effect.zipWith(isDead, isAlong, (one, other) => one || other),
            patience
          )
          yield* Effect.sleep(chance.next() * 30)
        } else yield* Effect.sleep(chance.next() * 1000)
        if (yield* isDead) return
        yield* child.kill({ killSignal: "SIGKILL" })
      })
    )
    onKill?.({ kills: killed, stored: accepted.size })
  }

  yield* Effect.forEach([...talking, coming], (fiber) => Effect.sync(() => fiber.interruptUnsafe()), { discard: true })
  yield* Effect.ignore(enter(ben))
  const last = yield* live()
  const isAlong = Effect.sync(() => last.heard.isIn && last.heard.stored > ahead)
  yield* until("it talks in the end", isAlong, patience)
  yield* Queue.end(last.input)
  const exitCode = Number(yield* last.child.exitCode)

  const isQuiet = Effect.map(
    Effect.forEach([ada, ben], ({ rooms }) => rooms.view(vault)),
    (views) => views.every((view) => view?.state === "in" && view.underway === 0)
  )
  yield* until("the others have sent all", isQuiet, patience)
  const log = ServerLog.read(server.file, vault)
  const end = log.entries.findLast(({ kind }) => kind === "Sealed")?.seq ?? 0
  const witness = Effect.fnUntraced(function* (device: Device) {
    const isRead = Effect.map(device.rooms.view(vault), (view) => (view?.cursor ?? 0) >= end)
    yield* Effect.ignore(until("it is read", isRead, patience))
    const { identity } = yield* device.rooms.ready
    const rows = yield* device.rooms.rows(vault)
    const { home, news } = device
    const whose = { name: home.name, user: home.user, device: identity.device }
    // Ada may ask for fresh keys while others' fresh keys leave her out, and is answered so.
    const hasRekeyed = device === ada
    return { ...whose, rows, news, isOut: false, hasRekeyed } satisfies Witness
  })
  // What the process has kept is read by one that is not killed, and has nothing to say.
  const tokens = yield* TokenFile.open(`${folder}/${talker}.token`)
  const again = { ...homeOf(folder, talker, "desk", false), tokens }
  const cyd = yield* switchOn(door.port, again, { store: keyUse.watched })
  yield* Effect.ignore(enter(cyd))
  const witnesses = yield* Effect.forEach([ada, ben, cyd], witness)
  const verdict = judge({ log, witnesses, tried, accepted })
  const stored = log.entries.flatMap(({ fields, kind }) => (kind === "Sealed" ? [fields.data ?? ""] : []))
  const sent = KeyUse.dataIn(server.wire.sealedLines)
  const uses = yield* keyUse.faults([...stored, ...sent])
  const wrong = [...verdict.wrong, ...uses.wrong, ...told.map((line) => `the process is ${line}`)]
  if (exitCode !== 0) wrong.push(`the process ended with ${exitCode}: ${last.heard.stderr.slice(0, 500)}`)
  return {
    kills,
    accepted: accepted.size,
    stored: stored.length,
    sent: sent.length,
    keys: uses.keys,
    commits: log.entries.filter(({ kind }) => kind === "KeysCommitted").length,
    deliveries: verdict.deliveries,
    wrong,
    story: verdict.story
  }
})
