/** A log as one would write it down, and what has to be known of it to decide: looked up anew each time, in all of it. */
import { AuthorId, type Entry } from "../../../src/common/log/Entry.ts"
import { isGoverning } from "../../../src/common/log/Governing.ts"
import * as Timeline from "../../../src/common/log/Timeline.ts"
import { nameKey } from "../../../src/common/name/Name.ts"
import type { MessageKey } from "../../../src/common/wire/RequestId.ts"
import {
  type Facts,
  keyOf,
  type Question,
  type ReactorFacts,
  type TargetFacts
} from "../../../src/server/history/History.ts"
import type { Act } from "../../../src/server/rooms/Act.ts"

export interface PlainEntry {
  readonly entry: Entry
  readonly act: Act
}

export class PlainLog {
  readonly entries: Array<PlainEntry> = []
  /** Keys that were answered with entries that were not made under them. */
  readonly #answered = new Map<string, number>()

  remember({ from }: Act, key: MessageKey, seq: number): void {
    this.#answered.set(keyOf(from, key), seq)
  }

  add(act: Act, at: number): Entry {
    const entry: Entry = { seq: this.entries.length + 1, at, from: act.from, body: act.body }
    this.entries.push({ entry, act })
    return entry
  }

  timeline(): Timeline.Timeline {
    return Timeline.of(this.entries.map(({ entry }) => entry))
  }

  facts({ keys, targets }: Question): Facts {
    const answered = new Map<string, { readonly seq: number; readonly at: number }>()
    for (const { from, key } of keys) {
      const known = this.#answered.get(keyOf(from, key))
      const first = this.entries.find(
        ({ act, entry }) => entry.seq === known || (act.key === key && nameKey(act.from) === nameKey(from))
      )
      if (first !== undefined) answered.set(keyOf(from, key), { seq: first.entry.seq, at: first.entry.at })
    }
    return {
      answered,
      targets: new Map(targets.flatMap((seq) => this.#target(seq).map((target) => [seq, target] as const)))
    }
  }

  #target(seq: number): ReadonlyArray<TargetFacts> {
    const found = this.entries[seq - 1]
    if (found === undefined) return []
    const standing = this.timeline().get(seq)
    const is =
      standing === undefined || isGoverning(standing) ? "Other" : standing._tag === "Sealed" ? "Message" : standing._tag
    const reactions = standing?._tag === "Message" ? standing.reactions : []
    return [
      {
        seq,
        at: found.entry.at,
        is,
        author: is === "Tombstone" ? undefined : found.act.author,
        reactions: reactions.map(({ by, reaction }) => ({ reaction, count: by.length })),
        reactors: reactions.flatMap(({ by, reaction }) =>
          by.map((reactor): ReactorFacts => {
            const made = this.entries[reactor.seq - 1]
            return {
              reaction,
              user: nameKey(reactor.user),
              author: made?.act.author ?? AuthorId.make("nobody"),
              seq: reactor.seq,
              at: made?.entry.at ?? 0
            }
          })
        )
      }
    ]
  }
}
