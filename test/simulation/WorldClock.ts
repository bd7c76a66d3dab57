/**
 * The time of one run, in whole milliseconds: one that only passes, and what the clocks on the wall show, which somebody
 * may set.
 *
 * Owns everybody who sleeps, so that it can be said who has a timer. Nobody wakes by himself: `moveTo` says what time it is,
 * and `wake` calls those whose time has come. A pause of the machine is a move over the heads of those who sleep: they all
 * wake late, at once, in their order, and every clock has gone on.
 */
import { type Clock, Duration, Effect } from "effect"

/** When a run begins, by the wall: late enough to be set back, and short enough to be read. */
const startOfWall = 1_000_000_000

const nanosPerMilli = 1_000_000n

/** Counts what somebody has under way. */
export interface Tally {
  count: number
}

interface Sleeper {
  readonly at: number
  /** Of whose timers it is. */
  readonly timers: Tally
  readonly resume: () => void
}

export class WorldClock {
  #now = 0
  #wallAhead = startOfWall
  /** The earliest last; of those with the same time, who came first stands last. */
  readonly #sleepers: Array<Sleeper> = []

  /** Milliseconds since the run began. Never goes back. */
  readonly now = (): number => this.#now
  readonly wall = (): number => this.#now + this.#wallAhead

  /** How often the clocks on the wall were set. */
  steps = 0

  /** Somebody sets the clocks on the wall. They never show a time before 1970. */
  stepWall(millis: number): void {
    this.steps++
    this.#wallAhead = Math.max(-this.#now, this.#wallAhead + millis)
  }

  /** When the next one wakes, if anybody sleeps. */
  next(): number | undefined {
    return this.#sleepers.at(-1)?.at
  }

  moveTo(time: number): void {
    this.#now = Math.max(this.#now, time)
  }

  /** Wakes all whose time has come, and gives how many. */
  wake(): number {
    const place = this.#sleepers.findIndex(({ at }) => at <= this.#now)
    const woken = place < 0 ? [] : this.#sleepers.splice(place)
    // The first may look at once how many are left.
    for (const { timers } of woken) timers.count--
    for (const { resume } of woken.toReversed()) resume()
    return woken.length
  }

  /** A clock for somebody, whose timers are counted. */
  clockFor(timers: Tally): Clock.Clock {
    const millis = Effect.sync(this.wall)
    const wallNanos = () => BigInt(this.wall()) * nanosPerMilli
    const nanos = () => BigInt(this.#now) * nanosPerMilli
    return {
      currentTimeMillisUnsafe: this.wall,
      currentTimeMillis: millis,
      currentTimeNanosUnsafe: wallNanos,
      currentTimeNanos: Effect.sync(wallNanos),
      monotonicTimeNanosUnsafe: nanos,
      monotonicTimeNanos: Effect.sync(nanos),
      sleep: (duration) => this.#sleep(Duration.toMillis(duration), timers)
    }
  }

  #sleep(millis: number, timers: Tally): Effect.Effect<void> {
    if (millis <= 0) return Effect.void
    return Effect.callback((resume) => {
      timers.count++
      // Jittered pauses end between two milliseconds, which no real clock shows.
      const sleeper: Sleeper = {
        at: Math.ceil(this.#now + millis),
        timers,
        resume: () => resume(Effect.void)
      }
      this.#sleepers.splice(this.#placeFor(sleeper.at), 0, sleeper)
      return Effect.sync(() => {
        const place = this.#sleepers.indexOf(sleeper)
        if (place < 0) return
        this.#sleepers.splice(place, 1)
        timers.count--
      })
    })
  }

  /** Before all that wake at the same time or earlier. */
  #placeFor(at: number): number {
    let low = 0
    let high = this.#sleepers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sleepers[middle]?.at ?? 0) > at) low = middle + 1
      else high = middle
    }
    return low
  }
}
