/**
 * Reads a page of the log: what Entries.ts makes of each, stored at once for the whole page, or for what stands before a welcome.
 *
 * A welcome is used where the log comes to its place, before what stands behind it is read: the group that it invites into takes the
 * place of any that is left from before.
 *
 * In a room a device that is in is given every place, until it is out. A place that is passed over is one that the server keeps back,
 * or one of the oldest that it has deleted (RETENTION): nothing behind it is read, unless it was asked for often enough (`mayMiss`).
 *
 * What has to be asked on the way may be refused, or not answered: what was read before that is stored all the same, and stays read.
 */
import { Clock, Effect, Result, Schema } from "effect"
import { groupIdOf } from "../../common/log/Sealing.ts"
import { UserName } from "../../common/name/UserName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { RequestError, SessionError } from "../core/ClientError.ts"
import { authenticatorOf } from "../crypto/Group.ts"
import { isSameIdentity } from "../crypto/Identity.ts"
import { join } from "../crypto/Join.ts"
import { isBehind, isPlaceOf } from "./Decision.ts"
import * as Entries from "./Entries.ts"
import type { Kept, KeptMore, OutboxRow, Pending, PlainRow } from "./Kept.ts"
import * as Repeated from "./Repeated.ts"
import type { StoreError } from "./SealedStore.ts"
import { membersIn } from "./Tender.ts"
import type { Workshop } from "./Workshop.ts"

interface Page {
  readonly kept: Kept
  readonly outbox: ReadonlyArray<OutboxRow>
  readonly pending: Pending | undefined
  readonly page: ReadonlyArray<Entries.SealedEntry>
  readonly other: UserName | undefined
  readonly isReturning: boolean
  /** Whether places may be missing: they stay out, or some of the page are of a kind that this version does not know. */
  readonly mayMiss: "no" | "told" | "unknown"
}

export interface PageRead {
  readonly kept: Kept
  readonly echoes: ReadonlySet<string>
  readonly dropsPending: boolean
  /** Why no more of the page was read: something could not be asked. */
  readonly failed: Trouble | undefined
  /** Why no more of it was read: a place before it is missing. */
  readonly isMissing: boolean
}

/** What may be over when it is asked again. */
type Trouble = Exclude<RequestError, SessionError>

/** What of a page is not stored yet. */
interface Unstored {
  rows: Array<PlainRow>
  erased: Array<PlainRow>
  echoes: Array<readonly [MessageKey, Pick<Entries.SealedEntry, "seq" | "at">]>
  dropsPending: boolean
}
const nothing = (): Unstored => ({ rows: [], erased: [], echoes: [], dropsPending: false })

export const read = Effect.fnUntraced(function* (
  workshop: Workshop,
  { isReturning, kept: start, mayMiss, other, outbox, page, pending }: Page
): Effect.fn.Return<PageRead, RequestError | StoreError> {
  const { lists, own, store, tell } = workshop
  const { room } = start
  let kept = start
  let unstored = nothing()
  const echoes = new Set<string>()
  let dropsPending = false
  /** Those to what stands in this page are all there by the time that it was given. */
  let welcomes: ReadonlyArray<Welcome> | undefined

  const flush = Effect.suspend(() => {
    const { dropsPending, erased, rows } = unstored
    const came = new Map(unstored.echoes)
    const storing = store.received({ kept, rows, erased, dropsPending, echoes: [...came.keys()] })
    unstored = nothing()
    const { cursor } = kept
    return Effect.tap(storing, () =>
      Effect.sync(() => {
        if (erased.length > 0) tell({ _tag: "Erased", room, seqs: erased.map(({ seq }) => seq) })
        tell({ _tag: "Rows", room, rows, cursor, echoes: came })
      })
    )
  })

  const isOwnReset = (entry: Entries.SealedEntry): boolean =>
    entry._tag === "KeysReset" &&
    !dropsPending &&
    pending?.change._tag === "Reset" &&
    pending.incarnation === entry.incarnation &&
    isSameIdentity({ user: entry.from, device: entry.device }, own.identity)

  const readEntry = Effect.fnUntraced(function* (
    entry: Entries.SealedEntry
  ): Effect.fn.Return<void, RequestError | StoreError> {
    if (entry._tag === "KeysCommitted") {
      yield* Effect.forEach(entry.adds, ({ user }) => lists.look(user), { discard: true })
    }
    const attempt = () =>
      Entries.read(kept, entry, {
        own,
        isTrusted: lists.isTrusted,
        outbox,
        pending: dropsPending ? undefined : pending,
        isReturning,
        comparesReading: other === undefined
      })
    const look = Effect.fnUntraced(function* () {
      const outcome = yield* attempt()
      if (outcome.isUnknown !== true || entry._tag !== "KeysCommitted") return outcome
      // Their list may have gone on since it was looked at.
      for (const { user } of entry.adds) lists.changed(user)
      yield* Effect.forEach(entry.adds, ({ user }) => lists.look(user), { discard: true })
      return yield* attempt()
    })
    let outcome = yield* look()
    // A welcome whose place was read past is lost: whoever has no keys looks for one before anything else, also what needs none.
    // But for this device's own reset: its group takes the place of whatever one it was let into, and to be let in drops what waits.
    if (!isOwnReset(entry) && (outcome.lacksKeys === true || kept.group === undefined)) {
      yield* flush
      welcomes ??= yield* welcomesTo(workshop, kept)
      const joined = yield* joinBefore(workshop, { kept, before: entry.seq, other, welcomes })
      if (joined !== undefined) {
        kept = joined
        dropsPending = true
        outcome = yield* look()
      }
    }
    kept = outcome.kept
    if (outcome.line !== undefined) unstored.rows.push({ seq: entry.seq, line: outcome.line })
    if (outcome.echo !== undefined) {
      echoes.add(outcome.echo)
      unstored.echoes.push([outcome.echo, entry])
    }
    if (outcome.dropsPending === true) dropsPending = unstored.dropsPending = true
    if (outcome.erases !== undefined) {
      const target = outcome.erases
      const before = unstored.rows.find(({ seq }) => seq === target) ?? (yield* store.plainAt(kept, target))
      erase(unstored, target, before, entry)
    }
    yield* notice(workshop, kept, entry, outcome)
  })
  /** Whether it is to be read now; in conversations of two, what a blocked one has said is left out. */
  let isMissing = false
  const isDue = ({ seq }: Entries.SealedEntry): boolean => {
    if (isMissing || seq <= kept.cursor || !isPlaceOf(kept.cursor, seq)) return false
    const count = seq - kept.cursor - 1
    if (count === 0 || kept.group === undefined || mayMiss === "unknown") return true
    isMissing = other === undefined && mayMiss === "no"
    if (isMissing) return false
    if (isReturning) kept = Entries.unsure(kept)
    if (other === undefined) tell({ _tag: "Withheld", room, what: "places", count })
    return true
  }
  const readAll = Effect.forEach(page, (entry) => (isDue(entry) ? readEntry(entry) : Effect.void), { discard: true })
  const failed = yield* readAll.pipe(
    Effect.as<Trouble | undefined>(undefined),
    Effect.catchTag(["RequestRejected", "ReplyLost", "UnexpectedReply"], (trouble) => Effect.succeed(trouble))
  )
  if (failed === undefined || kept !== start) yield* flush
  return { kept, echoes, dropsPending, failed, isMissing }
})

/** In what is stored already, and in what is about to be. */
const erase = (
  unstored: Unstored,
  seq: number,
  before: PlainRow | undefined,
  { at, from: by }: Entries.SealedEntry
) => {
  const line = before?.line
  // Of what was said, and never of who came and went: a server could hide whom it lets in.
  if (line?._tag !== "Opened" && line?._tag !== "Unreadable" && line?._tag !== "Erased") return
  const saidAt = line._tag === "Erased" ? line.saidAt : line.at
  unstored.erased.push({ seq, line: { _tag: "Erased", at, by, from: line.from, saidAt } })
}

/** Whose change of keys it was, if others are to leave them out; and how it goes on. */
const whatToDo = ({ leftOut = [], outOfStep = "" }: KeptMore, entry: Entries.SealedEntry) => {
  const by = leftOut.find((one) => "device" in entry && isSameIdentity(one, { user: entry.from, device: entry.device }))
  if (by === undefined) return { message: outOfStep }
  const blame =
    `By the server's word it came from ${by.user} (device ${by.device}), who is left out of fresh keys until you say ` +
    `:trust ${by.user}. A moderator can put them out of the room.`
  return { message: `${outOfStep} ${blame}`, by }
}

const notice = Effect.fnUntraced(function* (
  { copied, lists, tell }: Workshop,
  { more, room }: Kept,
  entry: Entries.SealedEntry,
  { notice: found, payload }: Entries.Outcome
) {
  const { from } = entry
  if (found === "Cloned") yield* copied(room)
  if (found === "Lacking") tell({ _tag: "OutOfStep", room, message: more.outOfStep ?? "" })
  if (found === "OutOfStep") tell({ _tag: "OutOfStep", room, ...whatToDo(more, entry) })
  if (found === "Differs") tell({ _tag: "Withheld", room, user: from, what: "messages" })
  if (payload === undefined || !("device" in entry)) return
  if (yield* lists.fallsShort({ user: from, device: entry.device }, payload.chain)) {
    tell({ _tag: "Withheld", room, user: from, what: "devices" })
  }
})

interface Joining {
  readonly kept: Kept
  /** Only welcomes to a place before this one. */
  readonly before: number
  readonly other: UserName | undefined
  /** If they were looked for already. */
  readonly welcomes?: ReadonlyArray<Welcome>
}

interface Welcome {
  readonly seq: number
  readonly data: string
}

/** Uses the first welcome that is due; gives the conversation as it is then, or undefined if there is none. */
export const joinBefore = Effect.fnUntraced(function* (
  workshop: Workshop,
  { before, kept, other, welcomes }: Joining
): Effect.fn.Return<Kept | undefined, RequestError | StoreError> {
  const { ask, store, tell } = workshop
  const { room } = kept
  // One that the server does not take now is acknowledged when it is met again: there the place is behind the cursor.
  const acknowledge = (seq: number) => Effect.ignore(ask({ _tag: "AckWelcome", room, seq }))
  for (const { data, seq } of welcomes ?? (yield* welcomesTo(workshop, kept))) {
    if (seq <= kept.cursor) {
      // It was used already, or the place is behind what was read.
      yield* acknowledge(seq)
    } else if (seq < before && isPlaceOf(kept.cursor, seq)) {
      const entered = yield* enter(workshop, kept, other, new Uint8Array(Buffer.from(data, "base64")))
      if (entered === undefined) continue
      const { group, incarnation, spent } = entered
      const more = spent === undefined ? Repeated.withJoined(kept.more, authenticatorOf(group)) : kept.more
      const joined = Entries.letIn({ ...kept, more }, group, seq, incarnation, other === undefined)
      const row: PlainRow = { seq, line: { _tag: "LetIn", at: yield* Clock.currentTimeMillis, how: "letIn" } }
      yield* store.joined(joined, [row], spent)
      tell({ _tag: "Rows", room, rows: [row], cursor: seq, echoes: new Map() })
      if (spent !== undefined) workshop.packageUsed()
      yield* acknowledge(seq)
      return joined
    }
  }
  return undefined
})

/** Of 64 KiB each; a server that never comes to an end lies. */
const maxWelcomePages = 100

/** Oldest first. */
const welcomesTo = Effect.fnUntraced(function* ({ ask }: Workshop, { room }: Kept) {
  const found: Array<Welcome> = []
  let after: number | undefined
  for (let pages = 0; pages < maxWelcomePages; pages++) {
    const page = yield* ask({ _tag: "GetWelcomes", ...(after !== undefined && { after }) })
    found.push(...page.welcomes.filter((welcome) => welcome.room === room))
    after = page.next
    if (after === undefined) break
  }
  return found.toSorted((one, other) => one.seq - other.seq)
})

const isUserName = Schema.is(UserName)

/** Tries each of the private halves that there are, and asks for the lists of whoever is in the group and not known, each once. */
const enter = Effect.fnUntraced(function* (
  workshop: Workshop,
  kept: Kept,
  other: UserName | undefined,
  welcome: Uint8Array
) {
  const { lists, own, store, tell } = workshop
  const { room } = kept
  const members = yield* membersIn(workshop, room, other)
  yield* Effect.forEach(members, (user) => lists.look(user), { discard: true })
  let incarnation = Math.max(1, kept.incarnation)
  const asked = new Set<string>()
  for (const { privateBytes, ref } of yield* store.packages) {
    for (;;) {
      const invitation = { groupId: groupIdOf(room, incarnation), welcome, privateBytes }
      const tried = yield* Effect.result(join(own, invitation, lists.isTrusted))
      if (Result.isSuccess(tried)) {
        const { group, isSpent } = tried.success
        const left = Entries.placeLeft(kept)
        const isOld = left !== undefined && !isBehind(left, { incarnation, keyEpoch: group.keyEpoch })
        if (isOld || Repeated.wasJoined(kept.more, authenticatorOf(group))) {
          tell({
            _tag: "OutOfStep",
            room,
            message: "The server has repeated a welcome to keys that this device had before."
          })
          return undefined
        }
        return { group, incarnation, spent: isSpent ? ref : undefined }
      }
      const error = tried.failure
      if (error._tag === "NotInvited") break
      const named = error._tag === "NotForThisGroup" ? Entries.incarnationIn(room, error.groupId) : undefined
      if (named !== undefined && named > incarnation) {
        incarnation = named
        continue
      }
      // Who was in then may have left since, so that the server does not name them any more.
      if (error._tag === "Untrusted" && isUserName(error.user) && !asked.has(error.user)) {
        asked.add(error.user)
        lists.changed(error.user)
        yield* lists.look(error.user)
        continue
      }
      tell({ _tag: "OutOfStep", room, message: error.message })
      return undefined
    }
  }
  return undefined
})
