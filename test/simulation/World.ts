/**
 * Everything there is in one run: the time, the disk, the network, the people, and the server that lives now, if one does.
 *
 * A server is started on the disk as its predecessor left it. It ends as a process does: stopped, with its goodbyes, or
 * killed, and then nothing it does any more can reach anybody.
 */
import { Array as Arr, Cause, Effect, Exit, Logger, Predicate, Scope } from "effect"
import { type Conversation, conversationKey } from "../../src/common/log/Conversation.ts"
import type { Body } from "../../src/common/log/Entry.ts"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import type { NewEntry } from "../../src/server/history/History.ts"
import { Comings } from "./AccountWatch.ts"
import type { Chance } from "./Chance.ts"
import { Costs } from "./Costs.ts"
import { reactions } from "./Deeds.ts"
import { Disk } from "./Disk.ts"
import { Journal } from "./Journal.ts"
import { begin, type Holdings, type Life } from "./Life.ts"
import { Network } from "./Network.ts"
import { Origins } from "./Origins.ts"
import { Person } from "./Person.ts"
import { Pocket } from "./Pocket.ts"
import { firstToken, labelOf, make as makeSafe, type Owner, type Safe } from "./Safe.ts"
import { Strangers } from "./Strangers.ts"
import type { Turns } from "./Turns.ts"
import { type Watch, watch } from "./WireWatch.ts"
import type { WorldClock } from "./WorldClock.ts"

const names: Arr.NonEmptyReadonlyArray<UserName> = [UserName.make("ada"), UserName.make("ben"), UserName.make("cyd")]

/** The accounts there are, in a run that has any. */
const owners: ReadonlyArray<Owner> = [
  { user: UserName.make("dee"), devices: 2 },
  { user: UserName.make("eve"), devices: 1 }
]

export const rooms: Arr.NonEmptyReadonlyArray<RoomName> = [RoomName.make("dev"), RoomName.make("Ops")]

/** A farewell takes 5 s at most, whoever does not read. */
const longestStop = 5000

const said = (content: string): Body => ({ _tag: "Said", content })

/** An entry that another server has stored, by somebody nobody knows any more. */
const another = (conversation: Conversation, body: Body, at: number, name = "another"): NewEntry => ({
  conversation,
  from: UserName.make(name),
  author: undefined,
  body,
  at,
  key: undefined
})

/** Mostly messages, and what was done to the last ones; some of that is about what is no message, or none any more. */
const bodyOfAnother = (chance: Chance, content: string, newest: number, isMessage: (seq: number) => boolean): Body => {
  const target = chance.between(Math.max(1, newest - 30), Math.max(1, newest))
  const dice = chance.next()
  if (!isMessage(target)) return said(content)
  if (dice < 0.1) return { _tag: "Edited", target, content }
  if (dice < 0.15) return { _tag: "Deleted", target }
  return dice < 0.3 ? { _tag: "Reacted", target, reaction: chance.pick(reactions) } : said(content)
}

export interface World {
  readonly disk: Disk
  /** There if there are accounts. */
  readonly safe: Safe | undefined
  readonly journal: Journal
  readonly costs: Costs
  readonly network: Network
  readonly people: Arr.NonEmptyReadonlyArray<Person>
  readonly strangers: Strangers
  /** A device of an account is gone without a word, in the middle of whatever it writes. */
  readonly loseDevice: (person: Person) => Effect.Effect<void>
  /** How many messages a second a connection may send; 0 if as many as it likes. */
  readonly rate: number
  /** Whether there are more rooms than one list may name. */
  readonly isCrowded: boolean
  /** Whether a server runs and takes connections. */
  readonly isServed: () => boolean
  readonly isRunning: () => boolean
  /** What the server holds that runs. */
  readonly holdings: () => Holdings | undefined
  /** Stores an entry in a room's log, or in the lobby's, as a server that was there before. */
  readonly writeAsAnother: (room: RoomName | undefined, padding: number) => void
  /** Somebody sets the clocks on the wall. */
  readonly stepWall: (millis: number) => Effect.Effect<void>
  /** Nobody runs for so long. */
  readonly pause: (millis: number) => Effect.Effect<void>
  readonly start: Effect.Effect<void>
  readonly stop: Effect.Effect<void>
  readonly kill: Effect.Effect<void>
}

export const make = Effect.fnUntraced(function* (
  chance: Chance,
  clock: WorldClock,
  turns: Turns,
  hasAccounts: boolean
): Effect.fn.Return<World, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const { now } = clock
  const journal = new Journal(now)
  // Mostly small, so that who does not read is cut after a few messages. A large one holds pages of several pieces.
  const mailboxBytes = chance.pick([2048, 2048, 2048, 256 * 1024])
  // The client says something every 40 s.
  const idleMillis = chance.pick([60_000, 300_000])
  const rate = chance.pick([0, 0, 0, 5])
  const editWindow = chance.pick([86_400_000, 86_400_000, 20_000, 0])
  const settings = {
    EDIT_WINDOW: `${editWindow} millis`,
    MAILBOX_BYTES: String(mailboxBytes),
    IDLE_TIMEOUT: String(idleMillis),
    MESSAGE_RATE: String(rate),
    MESSAGE_BURST: "20"
  }
  // What accounts may cost nobody has counted yet.
  const costs = new Costs(hasAccounts ? new Journal(now) : journal, mailboxBytes)
  const disk = new Disk({ chance, journal, costs, editWindow })
  const origins = new Origins()
  const safe = hasAccounts ? yield* makeSafe(chance, disk, journal, owners) : undefined
  const accounts = safe && { safe, disk, comings: new Comings() }
  // As an earlier server left them: it takes a hundred times as long as any other run.
  const isCrowded = chance.is(0.005)
  if (isCrowded) {
    for (let number = 1; number <= 1050; number++) {
      const conversation = { _tag: "Room", room: RoomName.make(`room${number}`) } as const
      disk.store([another(conversation, said("old"), clock.wall())])
    }
  }
  // Long pages are read in several pieces.
  if (mailboxBytes > 2048 && chance.is(0.5)) {
    for (let number = 1; number <= 60; number++) {
      const content = `another's long ${number}${".".repeat(4000)}`
      const conversation = { _tag: "Lobby" } as const
      disk.store([another(conversation, said(content), clock.wall())])
    }
  }
  const rest = Effect.tap(turns.rest, () => Effect.sync(() => costs.rest(turns.taken())))
  let watches: ReadonlyArray<Watch> = []
  const tap = (label: string) => {
    const limits = { idleMillis, rate }
    const watching = watch(label, {
      disk,
      journal,
      costs,
      origins,
      limits,
      editWindow,
      mailboxBytes,
      clock,
      accounts
    })
    watches = [...watches.filter((watching) => !watching.isGone()), watching]
    return watching
  }
  const network = new Network({ chance, journal, clock, rest, onHappening: costs.happen, tap })
  const [first, ...others] = names
  const personOf = (name: UserName) =>
    new Person({ name, disk, journal, clock, socket: network.socketOf(name), scope, isHurried: rate > 0 })
  const pockets = new Map<string, Pocket>()
  const deviceOf = (user: UserName, number: number) => {
    const label = labelOf(user, number)
    const tokens = new Pocket(chance, firstToken(label))
    pockets.set(label, tokens)
    const device = { label, tokens, inbox: safe?.inboxKey(user) ?? "" }
    return new Person({
      name: user,
      device,
      disk,
      journal,
      clock,
      socket: network.socketOf(label),
      scope,
      isHurried: rate > 0
    })
  }
  const devices =
    safe === undefined
      ? []
      : owners.flatMap(({ devices, user }) => Arr.makeBy(devices, (index) => deviceOf(user, index + 1)))
  let life: Life | undefined
  let isStarting = false
  let written = 0
  /** How long nobody ran in all. */
  let paused = 0

  const logger = Logger.make(({ cause, message }) => {
    const [text] = Predicate.isIterable(message) ? message : [message]
    journal.accuse(`the server logged ${String(text)}: ${Cause.pretty(cause)}`)
  })

  const start = Effect.gen(function* () {
    if (life !== undefined || isStarting) return
    isStarting = true
    journal.note("the server starts")
    costs.begin()
    const own = yield* Scope.fork(scope)
    life = yield* begin({ scope: own, disk: disk.mount(), safe: safe?.mount(), clock, settings, logger })
    network.server = life.server
    isStarting = false
  })

  const end = (ended: Life, how: string) => {
    if (life !== ended) return
    journal.note(`the server ${how}`)
    ended.disk.crash()
    ended.safe?.crash()
    network.crash()
    life = undefined
  }

  const stop = Effect.suspend(() => {
    const stopping = life
    if (stopping === undefined || stopping.stoppingSince !== undefined) return Effect.void
    journal.note("the server stops")
    const since = now() - paused
    stopping.stoppingSince = since
    const stopped = Effect.sync(() => {
      if (life !== stopping) return
      const took = now() - paused - since
      if (took > longestStop) journal.accuse(`the server took ${took} ms to stop`)
      const left = stopping.holdings()
      if (Object.values(left).some((count) => count > 0)) {
        journal.accuse(`a server that has stopped still holds ${JSON.stringify(left)}`)
      }
      end(stopping, "has stopped")
    })
    return Effect.asVoid(
      Effect.forkIn(Effect.andThen(Scope.close(stopping.scope, Exit.void), stopped), scope, { startImmediately: true })
    )
  })

  const world: World = {
    disk,
    safe,
    journal,
    costs,
    network,
    people: [personOf(first), ...others.map(personOf), ...devices],
    loseDevice: (person) =>
      Effect.suspend(() => {
        journal.note(`${person.label} is gone without a word`)
        pockets.get(person.label)?.lose()
        network.lose(person.label)
        return person.leave()
      }),
    strangers: new Strangers({ chance, disk, journal, network, scope, rooms, names }),
    rate,
    isCrowded,
    isRunning: () => life !== undefined,
    holdings: () => life?.holdings(),
    writeAsAnother: (room, padding) => {
      const conversation = room === undefined ? ({ _tag: "Lobby" } as const) : ({ _tag: "Room", room } as const)
      const content = `another ${++written}${".".repeat(padding)}`
      const name = conversationKey(conversation)
      // Nothing is done to what is no message: whoever decides sees to that.
      const isMessage = (seq: number) => disk.log(name)?.made[seq - 1]?.body._tag === "Said"
      const body = bodyOfAnother(chance, content, disk.newest(name), isMessage)
      disk.store([another(conversation, body, clock.wall())])
    },
    isServed: () => life !== undefined && life.stoppingSince === undefined,
    stepWall: (millis) =>
      Effect.sync(() => {
        journal.note(`the clocks are set by ${millis} ms`)
        clock.stepWall(millis)
      }),
    pause: (millis) =>
      Effect.suspend(() => {
        paused += millis
        for (const watching of watches) watching.pause(millis)
        return network.pause(millis)
      }),
    start,
    // What is left of it is not ended, which would be a farewell: it waits for ever for a disk and sockets that are gone.
    kill: Effect.sync(() => {
      if (life !== undefined) end(life, "is killed")
    }),
    stop
  }
  return world
})
