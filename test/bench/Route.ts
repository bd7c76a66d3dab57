/**
 * Ways for messages: from one member into one conversation; and the three ways to send along them.
 *
 * Every sending function takes the routes in turn, counts in a `Ledger`, and ends when all that was sent has come, or
 * when nothing has come for the drain time: what is missing then is lost.
 */
import { Effect } from "effect"
import { markerBytes } from "./Dialect.ts"
import { Histogram } from "./Histogram.ts"
import { Ledger, startOf } from "./Ledger.ts"
import type { Member } from "./Member.ts"

export interface Route {
  readonly sender: Member
  /** Everything up to the message's number. */
  readonly before: string
  readonly after: string
  /** How many hear it, the sender included where it does. */
  readonly receivers: number
}

/** How long nothing may come before what is missing counts as lost, unless told otherwise. */
const defaultDrainMillis = 3000

/** Messages a flooding sender hands to its socket in one write. */
const floodBatch = 32

const numberDigits = markerBytes - 1

/** The content of a message: as many bytes as asked for, the marker at the end. */
const filler = (bytes: number) => `${"x".repeat(Math.max(0, bytes - markerBytes))}~`

const routeOf = (
  sender: Member,
  { after, before }: { before: string; after: string },
  receivers: number,
  bytes: number
): Route => ({
  sender,
  before: before + filler(bytes),
  after,
  receivers
})

/** From this member to a room with so many in it. */
export const toRoom = (sender: Member, room: string, members: number, bytes: number): Route =>
  routeOf(sender, sender.dialect.toRoom(room), sender.dialect.echoes ? members : members - 1, bytes)

export const toUser = (sender: Member, receiver: Member, bytes: number): Route =>
  routeOf(sender, sender.dialect.toUser(receiver.name), sender.dialect.echoes ? 2 : 1, bytes)

const textOf = (route: Route, number: number) =>
  `${route.before}${String(number).padStart(numberDigits, "0")}${route.after}`

/** Counts what these members hear from now on. */
const openLedger = (members: Iterable<Member>, capacity: number, acknowledgements?: Histogram) => {
  const ledger = new Ledger(capacity)
  for (const member of members) member.count(ledger, acknowledgements)
  return ledger
}

const takeInTurn = (routes: ReadonlyArray<Route>, index: number): Route => {
  const route = routes[index % routes.length]
  if (route === undefined) throw new Error("There is no route to send along.")
  return route
}

/** Calls `each` for every index at its time, by an absolute clock: who is late catches up and skips nothing. */
const onSchedule = (
  count: number,
  perSecond: number,
  each: (index: number, now: number, due: number) => void,
  done: () => void
) => {
  const interval = 1000 / perSecond
  const startedAt = performance.now() + 1
  let index = 0
  let timer: NodeJS.Timeout | undefined
  const tick = () => {
    const now = performance.now()
    for (; index < count && startedAt + index * interval <= now; index++) {
      each(index, performance.now(), startedAt + index * interval)
    }
    if (index >= count) done()
    else timer = setTimeout(tick, Math.max(1, startedAt + index * interval - now))
  }
  tick()
  return () => clearTimeout(timer)
}

/** Does something so many times a second, whatever the time it takes. */
export const atRate = (count: number, perSecond: number, each: (index: number, now: number, due: number) => void) =>
  Effect.callback<void>((resume) => {
    const stop = onSchedule(count, perSecond, each, () => resume(Effect.void))
    return Effect.sync(stop)
  })

/** How often it is looked. */
const lookMillis = 10

/** Waits until all is there, or nothing comes any more, as often as it is looked: a process that was stopped has not looked. */
export const drain = Effect.fnUntraced(function* (
  isComplete: () => boolean,
  progress: () => number,
  drainMillis: number = defaultDrainMillis
) {
  let last = progress()
  let looks = 0
  while (!isComplete() && looks * lookMillis < drainMillis) {
    yield* Effect.sleep(lookMillis)
    const current = progress()
    looks = current === last ? looks + 1 : 0
    last = current
  }
})

/** Who sends which way, and who counts. */
interface SendOptions {
  readonly routes: ReadonlyArray<Route>
  readonly members: Iterable<Member>
  /** Where the time from a message to its acknowledgement is recorded, if the protocol has one. */
  readonly acknowledgements?: Histogram | undefined
  /** How long nothing may come before what is missing counts as lost. */
  readonly drainMillis?: number
}

const drainOf = (ledger: Ledger, { acknowledgements, drainMillis, routes }: SendOptions) => {
  const acknowledged = acknowledgements !== undefined
  const senders = [...new Set(routes.map(({ sender }) => sender))]
  const unacknowledged = () => (acknowledged ? senders.reduce((sum, sender) => sum + sender.unacknowledged(), 0) : 0)
  return drain(
    () => ledger.lost() === 0 && unacknowledged() === 0,
    () => ledger.received + ledger.repeats - unacknowledged(),
    drainMillis
  )
}

export interface PacedOptions extends SendOptions {
  readonly perSecond: number
  readonly seconds: number
}

/** So many messages a second. */
export const pace = Effect.fnUntraced(function* (options: PacedOptions) {
  const { acknowledgements, members, perSecond, routes, seconds } = options
  const count = Math.max(1, Math.round(perSecond * seconds))
  const ledger = openLedger(members, count, acknowledgements)
  yield* atRate(count, perSecond, (index, now, due) => {
    const route = takeInTurn(routes, index)
    const number = ledger.send(route.receivers, now, due)
    if (acknowledgements !== undefined) route.sender.awaitAcknowledgement(startOf(now, due))
    route.sender.write(textOf(route, number))
  })
  yield* drainOf(ledger, options)
  return ledger
})

export interface FloodOptions extends SendOptions {
  readonly messages: number
}

/** So many messages, as fast as the sockets take them: each sender writes until its socket is full, and on when it is not. */
export const flood = Effect.fnUntraced(function* (options: FloodOptions) {
  const { acknowledgements, members, messages, routes } = options
  const ledger = openLedger(members, messages, acknowledgements)
  const bySender = Map.groupBy(routes, ({ sender }) => sender)
  const share = Math.ceil(messages / bySender.size)
  yield* Effect.forEach(
    bySender,
    ([sender, own], index) => {
      const count = Math.max(0, Math.min(share, messages - index * share))
      return floodFrom(sender, own, count, ledger, acknowledgements !== undefined)
    },
    { concurrency: "unbounded", discard: true }
  )
  yield* drainOf(ledger, options)
  return ledger
})

const floodFrom = (sender: Member, own: ReadonlyArray<Route>, count: number, ledger: Ledger, acknowledged: boolean) =>
  Effect.callback<void>((resume) => {
    let index = 0
    let next: NodeJS.Immediate | undefined
    const finish = () => {
      sender.onDrain = () => {}
      sender.onClose = () => {}
      resume(Effect.void)
    }
    const write = () => {
      if (sender.isClosed) return
      const now = performance.now()
      let text = ""
      for (let left = floodBatch; left > 0 && index < count; left--) {
        const route = takeInTurn(own, index++)
        const number = ledger.send(route.receivers, now)
        if (acknowledged) sender.awaitAcknowledgement(now)
        text += textOf(route, number)
      }
      const goesOn = sender.write(text)
      if (index >= count) finish()
      // Between two batches others write and everybody reads.
      else if (goesOn) next = setImmediate(write)
    }
    sender.onDrain = write
    // Who is cut off cannot send the rest; what was written and did not come is lost.
    sender.onClose = finish
    if (count === 0) finish()
    else next = setImmediate(write)
    return Effect.sync(() => clearImmediate(next))
  })

export interface ClosedOptions extends SendOptions {
  readonly seconds: number
}

/** At most so many rounds a second are made room for. */
const closedPerSecond = 50_000

/** One message in flight; the next goes when every member has it. Gives how long each took to reach them all. */
export const closed = Effect.fnUntraced(function* ({ drainMillis, members, routes, seconds }: ClosedOptions) {
  const ledger = openLedger(members, seconds * closedPerSecond)
  const rounds = new Histogram()
  yield* Effect.raceFirst(
    Effect.callback<void>((resume) => {
      const until = performance.now() + seconds * 1000
      let startedAt = 0
      const next = (now: number) => {
        if (startedAt !== 0) rounds.record(now - startedAt)
        if (now >= until || ledger.sent >= ledger.capacity) {
          resume(Effect.void)
          return
        }
        const route = takeInTurn(routes, ledger.sent)
        startedAt = performance.now()
        const number = ledger.send(route.receivers, startedAt)
        ledger.target = ledger.expected
        route.sender.write(textOf(route, number))
      }
      ledger.onTarget = next
      next(performance.now())
      return Effect.sync(() => {
        ledger.onTarget = () => {}
      })
    }),
    // A lost message would stop the round for ever.
    drain(
      () => false,
      () => ledger.received,
      drainMillis
    )
  )
  return { ledger, rounds }
})
