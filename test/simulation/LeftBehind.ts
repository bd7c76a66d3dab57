/**
 * What is left when everybody has gone, however they went (invariant 11): nothing.
 *
 * Rooms that were written to stay, without fibers. So a server that has had visitors is compared with one that was started
 * a moment ago on the same disk and has had none: it must hold as many sessions, bytes, fibers and timers. One that has
 * stopped holds nothing at all (see `World`), and neither does a client that has left.
 */
import { Effect } from "effect"
import type { Chance } from "./Chance.ts"
import type { Holdings } from "./Life.ts"
import type { World } from "./World.ts"

/** A client gives up on a farewell after 2 s, a server after 5; presence is told 5 s later at the latest. */
const partingMillis = 15_000
const stoppingMillis = 6000

export const judgeWhatIsLeft = Effect.fnUntraced(function* (chance: Chance, world: World) {
  const { journal, network, people, strangers } = world
  journal.note("everybody leaves")
  // Some are still on their way in.
  for (let late = 0; late < 3; late++) yield* strangers.come(false)
  for (const person of people) yield* person.leave()
  yield* network.pass(chance.between(0, 3))
  yield* strangers.allGo
  yield* network.pass(partingMillis)
  for (const { isPresent, label, remains } of people) {
    if (isPresent || remains.fibers + remains.timers > 0) {
      journal.accuse(`${label} has left, and its client holds ${JSON.stringify(remains)}`)
    }
  }
  const left = world.holdings()
  yield* world.stop
  yield* network.pass(stoppingMillis)
  if (world.isRunning()) return journal.accuse("the server does not stop")
  yield* world.start
  yield* network.pass(0)
  const fresh = world.holdings()
  if (!isSame(left, fresh)) {
    journal.accuse(`${JSON.stringify(left)} is left behind, where a new server has ${JSON.stringify(fresh)}`)
  }
})

const isSame = (left: Holdings | undefined, fresh: Holdings | undefined): boolean =>
  JSON.stringify(left) === JSON.stringify(fresh)
