/** A terminal that keeps what is drawn. As a real one it is drawn some turns of the event loop later. */
import { Deferred, Effect, Queue } from "effect"
import type { Frame } from "../../../src/client/full/Frame.ts"
import { textOf } from "../../../src/client/full/Row.ts"
import type { Input, Stage } from "../../../src/client/full/Stage.ts"

export const fakeStage = Effect.fnUntraced(function* () {
  const inputs = yield* Queue.unbounded<Input>()
  const opened = yield* Deferred.make<() => Frame>()
  let frame: (() => Frame) | undefined
  const drawAfter = (turns: number): void => {
    if (turns === 0) frame?.()
    else setImmediate(() => drawAfter(turns - 1))
  }
  const stage: Stage = {
    inputs,
    size: () => ({ columns: 80, rows: 24 }),
    draw: () => drawAfter(20),
    copy: () => true,
    ring: () => {},
    notify: () => {},
    title: () => {},
    mouse: () => {},
    redraw: () => {},
    suspend: Effect.void
  }
  const open = (drawn: () => Frame) =>
    Effect.sync(() => {
      frame = drawn
      Deferred.doneUnsafe(opened, Effect.succeed(drawn))
      return stage
    })
  const press = (...names: ReadonlyArray<string>) =>
    Queue.offerAll(
      inputs,
      names.map((name) => ({ _tag: "Key" as const, key: name.length === 1 ? { name, text: name } : { name } }))
    )
  const rows = Effect.map(Deferred.await(opened), (drawn) => drawn().rows.map(textOf))
  const shows = (text: string) =>
    rows.pipe(
      Effect.filterOrFail((all) => all.some((row) => row.includes(text))),
      Effect.eventually
    )
  return { open, press, rows, shows }
})
