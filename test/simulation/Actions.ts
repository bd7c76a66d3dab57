/**
 * What may happen in a step, and how often: people who talk, come and go; trouble in the network, on the disk and with
 * the server, and its end.
 */
import { Effect } from "effect"
import type { Chance } from "./Chance.ts"
import type { Person } from "./Person.ts"
import { maxReplay } from "./WireWatch.ts"
import { rooms, type World } from "./World.ts"

export type Action = Effect.Effect<void>

interface Choice {
  readonly action: Action
  readonly weight: number
}

/** Gives what happens next, from the choices of this run. */
export const makeActions = (chance: Chance, world: World): (() => Action) => {
  const { disk, network, people } = world

  const somebody = (act: (person: Person) => Action) => Effect.suspend(() => act(chance.pick(people)))
  const happening = (happen: () => void) => Effect.sync(happen)
  const inNetwork = (happen: (name: string) => void) => happening(() => happen(chance.pick(people).name))

  const talk = (person: Person, times: number) =>
    Effect.forEach(
      Array.from({ length: times }, () => chance.pick([undefined, ...rooms])),
      (room) =>
        room !== undefined && !person.isIn(room)
          ? Effect.void
          : person.say(room, chance.is(0.1) ? chance.between(100, 800) : 0, chance.is(0.5)),
      { discard: true }
    )

  const sick = chance.pick([0.1, 0.3, 1])

  /** While no server runs, the logs get longer than what a client that comes back is sent: another server was here. */
  const grow = happening(() => {
    if (world.isRunning()) return
    const room = chance.pick([undefined, ...rooms])
    for (let entry = 1; entry <= maxReplay + 10; entry++) world.writeAsAnother(room)
  })
  // It takes a hundred times as long as anything else.
  const growing = chance.is(0.005) ? 6 : 0

  const normal: ReadonlyArray<Choice> = [
    { weight: 14, action: somebody((person) => talk(person, chance.between(1, 4))) },
    { weight: 3, action: somebody((person) => talk(person, chance.between(10, 30))) },
    { weight: 4, action: somebody((person) => person.sayAgain()) },
    { weight: 6, action: somebody((person) => person.ask({ _tag: "JoinRoom", room: chance.pick(rooms) })) },
    { weight: 2, action: somebody((person) => person.ask({ _tag: "CreateRoom", room: chance.pick(rooms) })) },
    { weight: 2, action: somebody((person) => person.ask({ _tag: "LeaveRoom", room: chance.pick(rooms) })) },
    { weight: 2, action: somebody((person) => person.ask({ _tag: "GetHistory", limit: chance.between(1, 20) })) },
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
    { weight: 5, action: world.kill },
    { weight: 2, action: world.stop }
  ]

  const choices = [...normal, ...trouble.filter(() => chance.is(0.6))]
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
