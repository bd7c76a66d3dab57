/** Reports that live as long as the server does. */
import { Effect, Layer } from "effect"
import type { Report } from "../reports/Report.ts"
import { maxReports, Reports } from "../reports/Reports.ts"

export const layerWith = (max: number) =>
  Layer.sync(Reports, () => {
    /** The oldest first. */
    const all = new Map<number, Report>()
    let last = 0

    /** Those that were handled go first. */
    const makeRoom = () => {
      if (all.size < max) return
      const [oldest] = all.values()
      const first = all.values().find(({ isHandled }) => isHandled) ?? oldest
      if (first !== undefined) all.delete(first.id)
    }

    return Reports.of({
      add: (report) =>
        Effect.sync(() => {
          makeRoom()
          all.set(++last, { id: last, isHandled: false, ...report })
        }),
      list: (before = Infinity, limit) =>
        Effect.sync(() =>
          [...all.values()]
            .toReversed()
            .filter(({ id }) => id < before)
            .slice(0, limit)
        ),
      setHandled: (id) =>
        Effect.sync(() => {
          const report = all.get(id)
          if (report !== undefined) all.set(id, { ...report, isHandled: true })
          return report !== undefined
        }),
      remove: (id) => Effect.sync(() => all.delete(id))
    })
  })

export const layer = layerWith(maxReports)
