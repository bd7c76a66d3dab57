/**
 * Several servers on one screen: each has a sitting of its own, with its own connection, and one of them is shown. Keys and the mouse
 * go to that one alone, and it alone draws; the others hear what happens on their servers, and what waits there is told in the status
 * line of the one that is shown.
 *
 * 1. What is typed goes to the server whose conversation is named before it: a sitting that is not shown takes no keys.
 * 2. A sitting that ends takes no other one with it, unless the person quits; then each keeps what there is to keep.
 *
 * Bounds: `maxServers`, as each has a connection and what Chat holds of it.
 */
import { Effect, Exit, FiberSet, Queue } from "effect"
import type { Ending } from "../line/Keyboard.ts"
import type { Entered } from "../line/Relogin.ts"
import type { Frame } from "./Frame.ts"
import { Servers, type Standing } from "./Servers.ts"
import type { Input, Stage } from "./Stage.ts"
import type { Other } from "./View.ts"

const maxServers = 16

/** How long the others may take to end. */
const farewell = "2 seconds"

export type Open = (frame: () => Frame, hasMouse: boolean) => Effect.Effect<Stage>

/** A server to which somebody has been let in. */
export interface Seat<E, R> {
  readonly name: string
  readonly sit: (open: Open) => Effect.Effect<Ending, E, R>
  /** The same server for who logs in there as somebody else. */
  readonly next: (entered: Entered) => Seat<E, R>
  /** Why it has ended, in a sentence. */
  readonly explain: (error: E) => string
}

export interface Hosting<E, R, E2, R2> {
  readonly seats: readonly [Seat<E, R>, ...ReadonlyArray<Seat<E, R>>]
  readonly open: (frame: () => Pick<Frame, "cursor" | "rows">) => Effect.Effect<Stage, E2, R2>
  /** Lets the person in to another server, which asks on the screen of whoever runs this; or says why not. */
  readonly enter: (name: string) => Effect.Effect<Seat<E, R>, { readonly message: string }>
  /** What was to be told before there was a screen. */
  readonly remarks: ReadonlyArray<string>
}

/** One that runs. */
interface Running<E, R> {
  readonly seat: Seat<E, R>
  readonly inputs: Queue.Queue<Input>
  frame: (() => Frame) | undefined
  standing: Standing
}

const otherOf = ({
  seat: { name },
  standing: { isThere, mentions, unread }
}: Pick<Running<never, never>, "standing"> & { readonly seat: { readonly name: string } }): Other => ({
  name,
  isThere,
  mentions,
  unread
})

const unknown: Standing = { unread: 0, mentions: 0, isThere: false }
const maxInputs = 4096
const blank: Pick<Frame, "cursor" | "rows"> = { rows: [], cursor: undefined }

/** Ends when the person quits, or the last server is left; fails as the last one does. */
export const sideBySide = Effect.fnUntraced(function* <E, R, E2, R2>({
  enter,
  open,
  remarks,
  seats
}: Hosting<E, R, E2, R2>) {
  const fork = yield* FiberSet.makeRuntime<R>()
  // One for each that runs, so no more than there are servers.
  const ended = yield* Queue.unbounded<{ readonly one: Running<E, R>; readonly exit: Exit.Exit<Ending, E> }>()
  let all: ReadonlyArray<Running<E, R>> = []
  let shown: Running<E, R> | undefined
  /** Whether the window is looked at. */
  let isLooking = true
  const stage = yield* open(() => shown?.frame?.() ?? blank)

  const give = (one: Running<E, R>, input: Input) => void Queue.offerUnsafe(one.inputs, input)
  const others = (than: Running<E, R>): ReadonlyArray<Other> => all.filter((one) => one !== than).map(otherOf)
  const tellShown = () => shown !== undefined && give(shown, { _tag: "Elsewhere" })

  const show = (one: Running<E, R>) => {
    if (one === shown) return
    if (shown !== undefined && all.includes(shown)) give(shown, { _tag: "Looked", isLooking: false })
    shown = one
    give(one, { _tag: "Looked", isLooking })
    tellShown()
    stage.draw()
  }

  const facade = (one: Running<E, R>): Stage => ({
    ...stage,
    inputs: one.inputs,
    draw: () => {
      if (one === shown) stage.draw()
    },
    title: (text) => {
      if (one === shown) stage.title(text)
    },
    notify: (about, text) => {
      if (!isLooking) stage.notify(all.length > 1 ? `${one.seat.name}: ${about}` : about, text)
    }
  })

  const isSame = (one: string, other: string) => one.toLowerCase() === other.toLowerCase()

  const turnTo = Effect.fnUntraced(function* (from: Running<E, R>, name: string | undefined) {
    if (name === undefined) {
      const next = all[(all.indexOf(from) + 1) % all.length]
      if (next === undefined || next === from) {
        return "There is one server here. :server and the name of another one in the config file enters that, too."
      }
      show(next)
      return undefined
    }
    const known = all.find(({ seat }) => isSame(seat.name, name))
    if (known !== undefined) {
      show(known)
      return known === from ? `This is ${known.seat.name}.` : undefined
    }
    if (all.length >= maxServers) return `There are ${maxServers} servers here already; :quit leaves them all.`
    const entered = yield* Effect.result(enter(name))
    if (entered._tag === "Failure") return entered.failure.message
    show(yield* begin(entered.success))
    return undefined
  })

  const begin = Effect.fnUntraced(function* (seat: Seat<E, R>, instead?: Running<E, R>) {
    const inputs = yield* Queue.dropping<Input>(maxInputs)
    const one: Running<E, R> = { seat, inputs, frame: undefined, standing: unknown }
    // Before it begins: only what is shown is looked at.
    if (shown === undefined || shown === instead) shown = one
    all = instead === undefined ? [...all, one] : all.map((before) => (before === instead ? one : before))
    const sitting = seat.sit((frame) =>
      Effect.sync(() => {
        one.frame = frame
        return facade(one)
      })
    )
    const servers = Servers.of({
      name: () => (all.length > 1 ? seat.name : undefined),
      isShown: () => one === shown && isLooking,
      others: () => others(one),
      tell: (standing) => {
        const { isThere, mentions, unread } = one.standing
        const isNews = isThere !== standing.isThere || mentions !== standing.mentions || unread !== standing.unread
        one.standing = standing
        if (isNews && one !== shown) tellShown()
      },
      turnTo: (name) => turnTo(one, name)
    })
    fork(
      sitting.pipe(
        Effect.provideService(Servers, servers),
        Effect.onExit((exit) => Effect.sync(() => void Queue.offerUnsafe(ended, { one, exit })))
      )
    )
    return one
  })

  const hand = (input: Input) => {
    if (input._tag === "Looked") isLooking = input.isLooking
    const isForAll = input._tag === "Resized" || input._tag === "Gone"
    for (const one of all) if (isForAll || one === shown) give(one, input)
  }
  yield* Effect.forkScoped(Effect.forever(Effect.map(Queue.take(stage.inputs), hand)))

  for (const seat of seats) yield* begin(seat)
  tellShown()
  for (const text of remarks) if (shown !== undefined) give(shown, { _tag: "Told", text })

  for (;;) {
    const { exit, one } = yield* Queue.take(ended)
    if (Exit.isSuccess(exit) && exit.value._tag === "Login") {
      yield* begin(one.seat.next(exit.value.entered), one)
      tellShown()
      continue
    }
    const rest = all.filter((other) => other !== one)
    const isQuit = Exit.isSuccess(exit) && exit.value._tag === "Quit" && exit.value.leaves !== "server"
    const error = Exit.findErrorOption(exit)
    // What nobody foresaw is no server's end, but this program's.
    const isBroken = Exit.isFailure(exit) && error._tag === "None"
    if (isQuit || isBroken) {
      for (const other of rest) give(other, { _tag: "Gone" })
      yield* Effect.forEach(rest, () => Queue.take(ended), { discard: true }).pipe(Effect.timeoutOption(farewell))
      return yield* exit
    }
    const [first] = rest
    if (first === undefined) return yield* exit
    const at = all.indexOf(one)
    all = rest
    if (shown === one) show(rest[Math.min(at, rest.length - 1)] ?? first)
    const why = error._tag === "Some" ? one.seat.explain(error.value) : "You have left it."
    if (shown !== undefined)
      give(shown, { _tag: "Told", text: `${one.seat.name}: ${why} :server ${one.seat.name} goes back.` })
    tellShown()
  }
}, Effect.scoped)
