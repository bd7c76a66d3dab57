/**
 * One log on the disk: its entries as they were made, as they are read now, and all the ways its messages have ever stood.
 *
 * A moment is how many entries the disk had stored in all; what a message was at some moment can be asked later, for who
 * asked then may be answered with it now. Grows with the run.
 */
import { isDeepStrictEqual } from "node:util"
import type { Conversation } from "../../src/common/log/Conversation.ts"
import type { Seq } from "../../src/common/log/Cursor.ts"
import type { AuthorId, Body, Entry } from "../../src/common/log/Entry.ts"
import { isGoverning } from "../../src/common/log/Governing.ts"
import { placeOf, type Standing, step, type View, viewOf } from "../../src/common/log/Timeline.ts"
import { nameKey } from "../../src/common/name/Name.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import type { Facts, Question, Stored, TargetFacts } from "../../src/server/history/History.ts"
import { keyOf, reactorName } from "../../src/server/history/History.ts"
import type { Partner } from "../../src/server/history/Partner.ts"

/** How a message stood from some moment on. */
interface Version {
  readonly since: number
  readonly standing: Standing
}

export class Log {
  readonly conversation: Conversation
  readonly number: number
  /** As they were made, whatever was deleted since. */
  readonly made: Array<Entry> = []
  /** As they are read now: deleted messages, and edits of them, as tombstones. */
  readonly read: Array<Entry> = []
  readonly authors: Array<AuthorId | undefined> = []
  /** The how manieth of all that was ever stored each of them is. */
  readonly numbers: Array<number> = []
  /** In an inbox, with whom each was exchanged, and where it stands in their inbox. */
  readonly partners: Array<Partner | undefined> = []
  readonly twins: Array<Seq | undefined> = []
  /** Where messages stand, deleted ones as well. */
  readonly messages: Array<Seq> = []
  /** Where entries with a key stand, by sender and key. */
  readonly places = new Map<string, Stored>()
  readonly #versions = new Map<Seq, Array<Version>>()
  /** At which instant somebody was told first that a message is deleted. */
  readonly #deleted = new Map<Seq, number>()
  readonly #edits = new Map<Seq, Array<Seq>>()

  constructor(conversation: Conversation, number: number) {
    this.conversation = conversation
    this.number = number
  }

  get newest(): Seq {
    return this.made.length
  }

  append(entry: Entry, author: AuthorId | undefined, moment: number, partner?: Partner, twin?: Seq): void {
    const { body, seq } = entry
    this.partners.push(partner)
    this.twins.push(twin)
    this.made.push(entry)
    this.authors.push(author)
    this.numbers.push(moment)
    this.read.push(entry)
    if (body._tag === "Said") this.messages.push(seq)
    if (body._tag === "Edited") this.#edit(entry, body.target)
    const place = placeOf(entry)
    const before = this.standing(place)
    const after = step(before, entry)
    if (place === undefined || after === undefined || after === before) return
    this.#versionsOf(place).push({ since: moment, standing: after })
    if (body._tag === "Deleted") for (const gone of [place, ...(this.#edits.get(place) ?? [])]) this.#bury(gone, place)
  }

  /** What stands there now. */
  standing(seq: Seq | undefined): Standing | undefined {
    return this.#versions.get(seq ?? 0)?.at(-1)?.standing
  }

  /** All that stood there from some moment on. */
  since(seq: Seq, moment: number): ReadonlyArray<Standing> {
    const versions = this.#versions.get(seq) ?? []
    const first = versions.findLastIndex(({ since }) => since <= moment)
    return versions.slice(Math.max(first, 0)).map(({ standing }) => standing)
  }

  /** Whether an entry may be told so: as it was made, or as it is read now. */
  isTold(entry: Entry): boolean {
    const index = entry.seq - 1
    const [made, read] = [this.made[index], this.read[index]].map(untold)
    return isDeepStrictEqual(entry, made) || isDeepStrictEqual(entry, read)
  }

  /** Whether somebody reacted so by the entry at `seq`, and that stood at some time since that moment. */
  hasReaction(body: Body, user: UserName, seq: Seq, moment: number): boolean {
    if (body._tag !== "Reacted" || body.removed === true) return false
    return this.since(body.target, moment).some((standing) => {
      const reactions = standing._tag === "Message" ? standing.reactions : []
      const by = reactions.find(({ reaction }) => reaction === body.reaction)?.by ?? []
      return by.some((reactor) => reactor.seq === seq && nameKey(reactor.user) === nameKey(user))
    })
  }

  isMessage(seq: Seq): boolean {
    return this.made[seq - 1]?.body._tag === "Said"
  }

  /** Whether it had been stored at that moment. */
  wasThere(seq: Seq, moment: number): boolean {
    return (this.numbers[seq - 1] ?? Infinity) <= moment
  }

  /** Somebody was told at that instant that a message is deleted: from then on nobody may be given it. */
  deletionTold(message: Seq, instant: number): void {
    if (!this.#deleted.has(message)) this.#deleted.set(message, instant)
  }

  /** Whether somebody had been told by that instant that what stands there is deleted, or what it was an edit of. */
  wasDeleted(seq: Seq, instant: number): boolean {
    const body = this.made[seq - 1]?.body
    return (this.#deleted.get(body?._tag === "Edited" ? body.target : seq) ?? Infinity) < instant
  }

  /** The messages as they stand, each with its place among all that was ever stored; in an inbox, those with one partner. */
  views(partner?: Partner): ReadonlyArray<{ readonly seq: Seq; readonly number: number; readonly view: View }> {
    return this.messages.flatMap((seq) => {
      if (partner !== undefined && this.partners[seq - 1] !== partner) return []
      const standing = this.standing(seq)
      return standing === undefined ? [] : [{ seq, number: this.numbers[seq - 1] ?? 0, view: viewOf(standing) }]
    })
  }

  facts({ keys, reactors, targets }: Question): Facts {
    const answered = new Map<string, Stored>()
    for (const { from, key, with: partner } of keys) {
      const name = keyOf(from, key, partner)
      const first = this.places.get(name)
      if (first !== undefined) answered.set(name, first)
    }
    const asked = new Set(reactors.map(({ reaction, target, user }) => reactorName(target, user, reaction)))
    return {
      answered,
      targets: new Map(
        targets.flatMap((seq) => {
          const entry = this.made[seq - 1]
          return entry === undefined ? [] : [[seq, this.#factsOf(entry, asked)] as const]
        })
      )
    }
  }

  #factsOf({ at, body, seq }: Entry, asked: ReadonlySet<string>): TargetFacts {
    const standing = body._tag === "Said" ? this.standing(seq) : undefined
    const reactions = standing?._tag === "Message" ? standing.reactions : []
    const author = standing?._tag === "Message" ? this.authors[seq - 1] : undefined
    const partner = this.partners[seq - 1]
    return {
      seq,
      at,
      author,
      ...(partner !== undefined && { with: partner }),
      is:
        standing === undefined || isGoverning(standing)
          ? "Other"
          : standing._tag === "Sealed"
            ? "Message"
            : standing._tag,
      reactions: reactions.map(({ by, reaction }) => ({ reaction, count: by.length })),
      reactors: reactions.flatMap(({ by, reaction }) =>
        by.flatMap(({ seq: place, user }) =>
          asked.has(reactorName(seq, user, reaction))
            ? [{ reaction, user: nameKey(user), author: this.authors[place - 1], seq: place, at: this.atOf(place) }]
            : []
        )
      )
    }
  }

  atOf(seq: Seq): number {
    return this.made[seq - 1]?.at ?? 0
  }

  #edit({ seq }: Entry, target: Seq): void {
    const edits = this.#edits.get(target) ?? []
    this.#edits.set(target, edits)
    edits.push(seq)
    if (this.standing(target)?._tag === "Tombstone") this.#bury(seq, target)
  }

  /** From now on it is read as the tombstone of what was deleted. */
  #bury(seq: Seq, message: Seq): void {
    const entry = this.read[seq - 1]
    const standing = this.standing(message)
    if (entry === undefined || standing?._tag !== "Tombstone") return
    const body: Body = { _tag: "Tombstone", deletedBy: standing.deletedBy, deletedAt: standing.deletedAt }
    this.read[seq - 1] = { ...entry, body }
  }

  #versionsOf(seq: Seq): Array<Version> {
    const known = this.#versions.get(seq) ?? []
    this.#versions.set(seq, known)
    return known
  }
}

/** An entry without whom it is for: what is told says so in other words. */
export const untold = (entry: Entry | undefined): Entry | undefined => {
  if (entry?.to === undefined) return entry
  const { to: _, ...rest } = entry
  return rest
}
