/**
 * What may happen in a step, and how often: people who talk, come and go; trouble in the network, on the disk and with
 * the server, and its end.
 */
import { Effect } from "effect"
import type { EntryRequest, Request } from "../../src/client/core/Request.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import { privateDeed, reading } from "./AccountDeeds.ts"
import type { Chance } from "./Chance.ts"
import { deed, flurry, manyOf, targetIn } from "./Deeds.ts"
import { lobbyKey, roomKey } from "./Entries.ts"
import type { Person } from "./Person.ts"
import { maxReplay } from "./WireWatch.ts"
import { rooms, type World } from "./World.ts"

const hour = 3_600_000

export type Action = Effect.Effect<void>

type Others = readonly [UserName, ...Array<UserName>]

interface Choice {
  readonly action: Action
  readonly weight: number
}

/** Gives what happens next, from the choices of this run. */
export const makeActions = (chance: Chance, world: World): (() => Action) => {
  const { disk, network, people } = world

  const somebody = (act: (person: Person) => Action) => Effect.suspend(() => act(chance.pick(people)))
  const happening = (happen: () => void) => Effect.sync(happen)
  const inNetwork = (happen: (name: string) => void) => happening(() => happen(chance.pick(people).label))

  const talk = (person: Person, times: number) =>
    Effect.forEach(
      Array.from({ length: times }, () => chance.pick([undefined, ...rooms])),
      (room) =>
        room !== undefined && !person.isIn(room)
          ? Effect.void
          : person.say(room, chance.is(0.1) ? chance.between(100, 800) : 0, chance.is(0.5)),
      { discard: true }
    )

  /** A place to do something to messages in: the lobby, or a room one is in. */
  const whereabouts = (person: Person) => {
    const room = chance.pick([undefined, ...rooms])
    return room !== undefined && person.isIn(room) ? room : undefined
  }
  const act = (person: Person, times: number) =>
    Effect.forEach(
      Array.from({ length: times }, () => whereabouts(person)),
      (room) => person.send(deed(chance, disk, person, room)),
      { discard: true }
    )
  const sendAll = (person: Person, requests: ReadonlyArray<EntryRequest>) =>
    Effect.forEach(requests, (request) => person.send(request), { discard: true })

  /** People come, who have missed something, while others go on talking and the disk is slow. */
  const bustle = Effect.gen(function* () {
    disk.health.slowness = Math.max(disk.health.slowness, 50)
    for (let round = 0; round < 6; round++) {
      yield* world.strangers.come(true)
      for (const person of people) yield* person.say(undefined, 0, false)
      yield* network.pass(chance.between(0, 40))
    }
  })

  /** Several people do the same to the same message at once: each to their own name. */
  const agree = Effect.suspend(() => {
    const target = targetIn(chance, disk, lobbyKey)
    return Effect.forEach(people, (person) => person.send({ _tag: "React", target, reaction: "👍" }), { discard: true })
  })

  /** Asks for a list, a page or what can be found. */
  const look = (person: Person) => {
    const room = chance.pick(rooms)
    const where = chance.is(0.5) ? { room } : {}
    return person.ask(
      chance.pick<Request>([
        { _tag: "ListUsers" },
        { _tag: "ListRooms" },
        { _tag: "ListRoomUsers", room },
        { _tag: "Ping", nonce: chance.between(0, 9) },
        {
          _tag: "Search",
          query: chance.pick(["ada", "ben 3", "another", "cyd"]),
          limit: chance.between(1, 50),
          ...where
        },
        { _tag: "Search", query: "cyd", room, before: chance.between(1, 40) },
        { _tag: "GetHistory", limit: chance.between(1, 500), before: chance.between(0, 40), ...where },
        { _tag: "GetHistory", only: chance.pick(["messages", "moderation"]), ...where },
        { _tag: "GetHistory", limit: chance.between(1, 500), after: chance.between(0, 20), ...where }
      ])
    )
  }

  /**
   * Goes on from a place in a room's log, as a client of another make may; not from behind what is missing. Not while it is
   * in: where its connection has just been lost, the client shows of an older place only what it has not shown yet.
   */
  const joinBehind = (person: Person) => {
    const room = chance.pick(rooms)
    if (person.isIn(room)) return Effect.void
    const log = roomKey(room)
    return person.ask({
      _tag: "JoinRoom",
      room,
      after: { epoch: disk.epochOf(log), seq: chance.between(0, person.seenOf(room) ?? disk.newest(log)) }
    })
  }

  const sick = chance.pick([0.1, 0.3, 1])

  /** While no server runs, the logs get longer than what a client that comes back is sent: another server was here. */
  const grow = happening(() => {
    if (world.isRunning()) return
    const room = chance.pick([undefined, ...rooms])
    // Many, or of several pieces.
    const [count, padding] = chance.is(0.5) ? [maxReplay + 10, 0] : [100, 4000]
    for (let entry = 1; entry <= count; entry++) world.writeAsAnother(room, padding)
  })
  // It takes a hundred times as long as anything else.
  const growing = chance.is(0.01) ? 6 : 0

  const normal: ReadonlyArray<Choice> = [
    { weight: 12, action: somebody((person) => talk(person, chance.between(1, 4))) },
    { weight: 3, action: somebody((person) => talk(person, chance.between(10, 30))) },
    { weight: 22, action: somebody((person) => act(person, chance.between(1, 5))) },
    { weight: 4, action: somebody((person) => act(person, chance.between(10, 20))) },
    { weight: 3, action: somebody((person) => sendAll(person, flurry(chance, disk, person, whereabouts(person)))) },
    { weight: 2, action: somebody((person) => sendAll(person, manyOf(chance, disk, whereabouts(person)))) },
    { weight: 2, action: agree },
    { weight: 2, action: bustle },
    { weight: 4, action: somebody((person) => person.sayAgain()) },
    { weight: 4, action: somebody((person) => person.repeat((among) => chance.between(0, among - 1))) },
    { weight: 6, action: somebody((person) => person.ask({ _tag: "JoinRoom", room: chance.pick(rooms) })) },
    { weight: 2, action: somebody((person) => person.ask({ _tag: "CreateRoom", room: chance.pick(rooms) })) },
    { weight: 2, action: somebody((person) => person.ask({ _tag: "LeaveRoom", room: chance.pick(rooms) })) },
    { weight: 2, action: somebody((person) => person.ask({ _tag: "GetHistory", limit: chance.between(1, 20) })) },
    { weight: 9, action: somebody(look) },
    { weight: 2, action: somebody(joinBehind) },
    { weight: 3, action: somebody((person) => person.sayPrivately(chance.pick(people).name)) },
    { weight: 3, action: somebody((person) => person.arrive()) },
    // Trouble that nobody ends would be all there is.
    { weight: 4, action: happening(network.heal) },
    { weight: 3, action: happening(disk.heal) },
    { weight: growing, action: grow },
    { weight: 6, action: world.start }
  ]

  const trouble: ReadonlyArray<Choice> = [
    { weight: 2, action: somebody((person) => person.leave()) },
    { weight: 6, action: inNetwork((name) => network.lose(name)) },
    { weight: 2, action: inNetwork((name) => network.halfClose(name)) },
    { weight: 3, action: inNetwork((name) => network.setPaused(name, "client", true)) },
    { weight: 3, action: inNetwork((name) => network.setPaused(name, "server", true)) },
    {
      weight: 2,
      action: happening(() => {
        network.slowness = chance.pick([5, 50, 500, 5000])
      })
    },
    {
      weight: 1,
      action: happening(() => {
        network.refusing = chance.pick([0.5, 1])
      })
    },
    {
      weight: 3,
      action: happening(() => {
        disk.health.slowness = chance.pick([1, 10, 100, 1000])
      })
    },
    {
      weight: 2,
      action: happening(() => {
        disk.health.failing = sick
      })
    },
    {
      weight: 2,
      action: happening(() => {
        disk.health.lying = 0.3
      })
    },
    { weight: 4, action: Effect.suspend(() => world.strangers.come(true)) },
    { weight: 3, action: world.strangers.go },
    { weight: 2, action: Effect.suspend(() => world.stepWall(chance.between(-4 * hour, 4 * hour))) },
    { weight: 2, action: Effect.suspend(() => world.pause(chance.between(1, chance.pick([5000, 100_000, 600_000])))) },
    { weight: 5, action: world.kill },
    { weight: 2, action: world.stop }
  ]

  const names = world.people.map(({ name }) => name)
  const devices = people.filter(({ inbox }) => inbox !== undefined)
  const aDevice = (act: (person: Person, inbox: string, others: Others) => Action) =>
    Effect.suspend(() => {
      const person = devices[chance.between(0, devices.length - 1)]
      const [first, ...others] = names.filter((name) => name !== person?.name)
      if (person?.inbox === undefined || first === undefined) return Effect.void
      return act(person, person.inbox, [first, ...others])
    })
  /** What there is to do where there are accounts. */
  const ofAccounts: ReadonlyArray<Choice> = [
    { weight: 12, action: somebody((person) => person.sayPrivately(chance.pick(people).name)) },
    { weight: 6, action: somebody((person) => mention(person, chance.pick(people).name)) },
    {
      weight: 14,
      action: aDevice((person, inbox, others) => person.send(privateDeed(chance, disk, person, inbox, others)))
    },
    { weight: 10, action: aDevice((person, inbox, others) => person.ask(reading(chance, disk, inbox, rooms, others))) },
    { weight: 6, action: aDevice((person) => person.ask({ _tag: "JoinRoom", room: chance.pick(rooms) })) },
    { weight: 4, action: aDevice((person) => person.ask({ _tag: "LeaveRoom", room: chance.pick(rooms) })) },
    {
      weight: 3,
      action: aDevice((person, _, others) => person.ask({ _tag: "GetHistory", with: chance.pick(others) }))
    },
    { weight: 8, action: aDevice((person) => person.arrive()) },
    { weight: 4, action: aDevice((person) => person.leave()) },
    { weight: 5, action: aDevice((person) => world.loseDevice(person)) }
  ]
  const mention = (person: Person, name: UserName) => {
    const room = whereabouts(person)
    const content = `${person.words()} @${name}`
    return person.send(room === undefined ? { _tag: "GlobalMessage", content } : { _tag: "RoomMessage", room, content })
  }

  const choices = [...normal, ...trouble.filter(() => chance.is(0.6)), ...(devices.length === 0 ? [] : ofAccounts)]
  const sum = choices.reduce((sum, { weight }) => sum + weight, 0)

  return () => {
    let place = chance.between(1, sum)
    const chosen = choices.find(({ weight }) => {
      place -= weight
      return place <= 0
    })
    return chosen?.action ?? Effect.void
  }
}

/** How long a step lasts, in milliseconds: mostly too short for anything to be over. */
export const durationOf = (chance: Chance): number => {
  const dice = chance.next()
  if (dice < 0.3) return 0
  if (dice < 0.8) return chance.between(1, 30)
  return dice < 0.97 ? chance.between(30, 1000) : chance.between(1000, 15_000)
}
