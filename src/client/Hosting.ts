/**
 * The full screen with the servers that were named: who is let in where, and what becomes of it when a sitting ends.
 *
 * Before there is a screen, prompts ask; for a server that comes later (`:server work`), the screen of whoever asks for it does.
 * With several servers, one that lets nobody in is told of, and the others are there all the same.
 */
import { join } from "node:path"
import { Effect, Option } from "effect"
import type { UserName } from "../common/name/UserName.ts"
import * as TokenFile from "./account/TokenFile.ts"
import { type Asking, nobody, onScreen } from "./Asking.ts"
import { NotUnderstood } from "./command/Action.ts"
import * as ConfigFile from "./config/ConfigFile.ts"
import * as KeySettings from "./config/KeySettings.ts"
import * as Talk from "./core/chat/Talk.ts"
import type { SessionError } from "./core/ClientError.ts"
import { exitCode } from "./core/ExitCode.ts"
import { Tokens } from "./core/Login.ts"
import { CannotChat, comingBack, enter, explain, putOut, type Visitor, whoever } from "./Entrance.ts"
import { type Shared, stateFolder } from "./Flags.ts"
import { sitting } from "./full/FullScreen.ts"
import { remapped } from "./full/Keys.ts"
import type { Levels } from "./full/Level.ts"
import type { Options } from "./full/Options.ts"
import { type Seat, sideBySide } from "./full/SideBySide.ts"
import * as Stage from "./full/Stage.ts"
import { themeOf } from "./full/Theme.ts"
import { type Entered, Relogin } from "./line/Relogin.ts"
import { Client } from "./link/Client.ts"
import { Screen } from "./screen/Screen.ts"
import { type Start, startOf } from "./Start.ts"

/** Whoever wants in, and where. */
export interface Guest {
  readonly start: Start
  readonly visitor: Visitor
}

/** Whoever is in. */
export interface Let {
  readonly start: Start
  readonly entered: Entered
}

export interface Hosted {
  readonly given: Shared
  readonly opened: ConfigFile.Opened
  readonly hasMouse: boolean
  readonly asking: Asking
}

const levelsIn = ({ profile }: Start): Levels =>
  new Map([
    ...ConfigFile.conversationsIn(profile?.notifyAll).map((where) => [Talk.keyOf(where), "all"] as const),
    ...ConfigFile.conversationsIn(profile?.mute).map((where) => [Talk.keyOf(where), "none"] as const)
  ])

/** Where what is the same after a restart is kept, of this name on this server. */
const memoryOf = Effect.fnUntraced(function* ({ entrance: { address } }: Start, user: UserName) {
  const path = TokenFile.pathIn(join(yield* stateFolder, "screens"), address, user)
  return path.replace(/\.token$/, ".json")
})

const nameOf = ({ entrance: { address }, name }: Start): string => name ?? `${address.host}:${address.port}`

/** Logs in as somebody else, and stays who one is if that comes to nothing. */
export const reloginOn = ({ entrance }: Start, prompts: Asking) =>
  Effect.map(
    Effect.context<Effect.Services<ReturnType<typeof enter>>>(),
    (context) => (other: UserName, self: UserName) =>
      Effect.serviceOption(Screen).pipe(
        Effect.map((here) => Option.match(here, { onNone: () => prompts, onSome: onScreen })),
        Effect.flatMap((asking) => enter(entrance, { user: other, as: "login", stays: self }, asking)),
        Effect.mapError(({ message }) => new NotUnderstood({ message: `:login: ${message} You are still ${self}.` })),
        Effect.provideContext(context)
      )
  )

const seatOf = (
  hosted: Hosted,
  { entered, start }: Let
): Seat<SessionError, Effect.Services<ReturnType<typeof sitIn>>> => ({
  name: nameOf(start),
  sit: (open) => sitIn(hosted, { entered, start }, open),
  next: (other) => seatOf(hosted, { entered: other, start }),
  explain: (error) => explain(start.entrance, entered.user, error).message
})

const sitIn = Effect.fnUntraced(function* (
  { asking, hasMouse, opened: { config } }: Hosted,
  { entered: { client, close, tokens, user }, start }: Let,
  open: Parameters<Seat<SessionError, never>["sit"]>[0]
) {
  const options: Options = {
    memoryPath: yield* Effect.orDie(memoryOf(start, user)),
    hasMouse,
    keymap: remapped(KeySettings.read(config.keys ?? {}).changes),
    configured: levelsIn(start),
    hasBell: config.bell ?? true,
    hasNotices: config.notify ?? true
  }
  const logIn = yield* reloginOn(start, asking)
  return yield* sitting(options, open).pipe(
    Effect.provideService(Client, client),
    Effect.provideService(Tokens, tokens),
    Effect.provideService(Relogin, logIn),
    Effect.ensuring(close)
  )
})

/** Lets in all who want to be; of several, those who are not are told of. */
export const letIn = Effect.fnUntraced(function* (guests: ReadonlyArray<Guest>, asking: Asking) {
  const all: Array<Let> = []
  const remarks: Array<string> = []
  let failure: Effect.Error<ReturnType<typeof enter>> | undefined
  for (const { start, visitor } of guests) {
    if (guests.length > 1) yield* asking.say(`${nameOf(start)}:`)
    const entered = yield* Effect.result(enter(start.entrance, visitor, asking))
    if (entered._tag === "Success") {
      all.push({ start, entered: entered.success })
      continue
    }
    failure ??= entered.failure
    remarks.push(`${nameOf(start)}: ${entered.failure.message} :server ${nameOf(start)} tries again.`)
  }
  const [first, ...rest] = all
  if (first === undefined) return yield* failure ?? new CannotChat({ message: "No server.", exitCode: exitCode.usage })
  return { all: [first, ...rest] as const, remarks }
})

/** One screen after the other, until one is the last. */
export const host = Effect.fnUntraced(function* (arrived: Effect.Success<ReturnType<typeof letIn>>, hosted: Hosted) {
  const { asking, given, hasMouse, opened } = hosted
  const { colours = {}, theme = "terminal" } = opened.config
  const context = yield* Effect.context<
    Effect.Services<ReturnType<typeof startOf>> | Effect.Services<ReturnType<typeof enter>>
  >()

  /** Asked for on a screen that is there. */
  const enterFrom = (name: string) =>
    Effect.gen(function* () {
      const here = yield* Effect.serviceOption(Screen)
      const asking = Option.match(here, { onNone: () => hosted.asking, onSome: onScreen })
      const start = yield* startOf(given, opened, name, false)
      const user = yield* whoever(start.entrance, start.user, nobody)
      const entered = yield* enter(start.entrance, { user, as: "whatever" }, asking)
      return seatOf(hosted, { start, entered })
    }).pipe(
      Effect.mapError((error) => ({
        message:
          error._tag === "QuitError"
            ? `Not on ${name}: its "user" in the config file says under which name you want in.`
            : error.message
      })),
      Effect.provideContext(context)
    )

  let here = arrived
  for (;;) {
    const { all, remarks } = here
    const [first, ...rest] = all
    const seats = [seatOf(hosted, first), ...rest.map((one) => seatOf(hosted, one))] as const
    const ended = yield* Effect.result(
      sideBySide({
        seats,
        open: (frame) => Stage.open(frame, hasMouse, themeOf(theme, colours)),
        enter: enterFrom,
        remarks
      })
    )
    if (ended._tag === "Success") return
    const error = ended.failure
    if (error._tag === "CannotDraw") {
      const message = "The full screen cannot be drawn here. Start with --line."
      return yield* new CannotChat({ message, exitCode: exitCode.usage })
    }
    const { entered, start } = first
    const visitor = comingBack(entered.user, error)
    if (visitor?.isPutOut === true) yield* Effect.ignore(entered.tokens.forget)
    if (visitor === undefined || !asking.canAsk || all.length > 1)
      return yield* explain(start.entrance, entered.user, error)
    if (visitor.isPutOut === true) yield* asking.say(putOut(entered.user, error))
    here = yield* letIn([{ start, visitor }], asking)
  }
})
