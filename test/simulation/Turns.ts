/**
 * Decides whose turn it is: a scheduler for all fibers of one run, without the event loop and so without real time.
 *
 * Tasks run one after the other until none is left; then, and only then, whoever waits for rest goes on. So "nothing
 * more happens until time passes" is a fact and not a guess. A fair run takes tasks in their order; an unfair one takes
 * any of those that wait, as a machine with many cores might.
 */
import { Effect, type Scheduler } from "effect"
import type { Chance } from "./Chance.ts"

/** So many tasks without a rest, and something goes in circles. */
const maxTasks = 1_000_000

export interface Turns extends Scheduler.Scheduler {
  /** How many tasks there were since the last rest but one: asked at a rest, those that led to it. */
  readonly taken: () => number
  /** Waits until no fiber has anything to do. For one fiber: the one that drives the simulation. */
  readonly rest: Effect.Effect<void>
}

/** `unfairness` is how often a task is taken out of its order, from 0 to 1. */
export const makeTurns = (chance: Chance, unfairness: number): Turns => {
  let tasks: Array<() => void> = []
  /** Where the tasks begin that are still to be done; those before it are done. */
  let first = 0
  let resting: ((outcome: Effect.Effect<void>) => void) | undefined
  let isRunning = false
  let done = 0
  let taken = 0

  const take = (): (() => void) | undefined => {
    if (first === tasks.length) {
      tasks = []
      first = 0
      return undefined
    }
    const chosen = unfairness > 0 && chance.is(unfairness) ? chance.between(first, tasks.length - 1) : first
    const task = tasks[chosen]
    const next = tasks[first]
    if (next !== undefined) tasks[chosen] = next
    first++
    return task
  }

  const endRest = (outcome: Effect.Effect<void>) => {
    const resume = resting
    resting = undefined
    taken = done
    done = 0
    resume?.(outcome)
    return resume !== undefined
  }

  const runAll = () => {
    for (;;) {
      const task = take()
      if (task !== undefined && done++ < maxTasks) task()
      else if (task !== undefined) endRest(Effect.die(new Error("It goes in circles: it never comes to rest.")))
      else if (!endRest(Effect.void)) break
    }
    isRunning = false
  }

  const wake = () => {
    if (isRunning) return
    isRunning = true
    queueMicrotask(runAll)
  }

  return {
    taken: () => taken,
    executionMode: "async",
    shouldYield: (fiber) => fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield,
    makeDispatcher: () => ({
      scheduleTask: (task) => {
        tasks.push(task)
        wake()
      },
      flush: () => {}
    }),
    rest: Effect.callback((resume) => {
      resting = resume
      wake()
    })
  }
}
