/**
 * What of a screen is the same after a restart: the conversation that was shown, where one had gone back, what was typed and not sent,
 * in which order conversations stand and which were closed, a guest's rooms, what is muted and who is ignored, how the bars stand. One file for each user of each server, which its owner alone can read.
 *
 * The file is never half written: the next one takes its name. What cannot be read, or is none, is as if there were none; what cannot
 * be written is not told of, since nothing is lost by it but that.
 *
 * Bounds: `maxBytes`, to which `maxKept` of each kind, `maxDraftUnits` of drafts, those of conversations that are there before the
 * others, and the newest `maxUnsentUnits` of what was not sent come at most.
 */
import { dirname } from "node:path"
import * as process from "node:process"
import { Effect, FileSystem, Option, Schema } from "effect"
import { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import * as Intention from "../core/chat/Intention.ts"
import { Unsent, unsentIn, withUnsent } from "../core/chat/Unsent.ts"
import * as Window from "../core/chat/Window.ts"
import { type Encryption, noKeys } from "../core/Encryption.ts"
import * as Level from "./Level.ts"
import * as View from "./View.ts"

const Memory = Schema.Struct({
  shown: Schema.String,
  /** By the keys of their conversations; also of those one is not in just now. */
  drafts: Schema.Record(Schema.String, Schema.String),
  /** What was chosen here, of what to be called; `muted` is how it was written before there was more to choose. */
  notify: Schema.optionalKey(Schema.Record(Schema.String, Level.Level)),
  muted: Schema.optionalKey(Schema.Array(Schema.String)),
  ignored: Schema.Array(UserName),
  isUrgentFirst: Schema.Boolean,
  hasLeftBar: Schema.Boolean,
  hasRightBar: Schema.optionalKey(Schema.Boolean),
  /** Where somebody has gone back in a conversation: on which message the view stays there. */
  places: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Struct({ seq: Seq, at: Timestamp, skip: Schema.Natural }))
  ),
  /** What was said, and was refused or under way still. */
  unsent: Schema.optionalKey(Schema.Array(Unsent)),
  /** Drafts and unsent, where there are keys to seal them with: some of it is of encrypted conversations. */
  words: Schema.optionalKey(Schema.String),
  order: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Private conversations that were closed, and up to which place. */
  closed: Schema.optionalKey(Schema.Record(Schema.String, Seq)),
  /** Of a guest, whom the server forgets: the rooms one was in that are open to all. */
  rooms: Schema.optionalKey(Schema.Array(RoomName))
})
export type Memory = typeof Memory.Type

const Text = Schema.fromJsonString(Memory)
const decode = Schema.decodeUnknownOption(Text)
const encode = Schema.encodeSync(Text)

const Words = Schema.fromJsonString(Schema.Struct({ drafts: Memory.fields.drafts, unsent: Memory.fields.unsent }))
const decodeWords = Schema.decodeUnknownOption(Words)
const encodeWords = Schema.encodeSync(Words)

const maxBytes = 6 * 1024 * 1024
/** So much is written at most, of each kind: with names of 64 characters, three bytes for each unit, and a third more where it is sealed, that is less than `maxBytes`. */
const maxKept = 500
const maxDraftUnits = 800_000
const maxUnsentUnits = 200_000

/** Of the drafts those that come first, as many as there is room for. */
const bounded = (drafts: Iterable<readonly [string, string]>): Memory["drafts"] => {
  const kept: Array<readonly [string, string]> = []
  let units = 0
  for (const one of drafts) {
    units += one[1].length
    if (kept.length === maxKept || units > maxDraftUnits) break
    kept.push(one)
  }
  return Object.fromEntries(kept)
}

/** Where the view stays; what is not known yet is kept as it was. */
const placesIn = ({ chat, recalled, skip }: View.View): NonNullable<Memory["places"]> =>
  Object.fromEntries(
    [...chat.talks]
      .flatMap(([key, { anchor, window }]) => {
        const known = recalled.get(key)
        if (anchor === undefined) return []
        if (known?.seq === anchor) return [[key, known] as const]
        const message = Window.find(window, anchor)
        if (message === undefined) return []
        return [[key, { seq: anchor, at: message.at, skip: key === chat.shown ? skip : 0 }] as const]
      })
      .slice(-maxKept)
  )

/** The newest, as many as there is room for. */
const unsentOf = ({ chat }: View.View): ReadonlyArray<Unsent> => {
  const kept: Array<Unsent> = []
  let units = 0
  for (const one of unsentIn(chat).toReversed()) {
    units += one.content.length
    if (kept.length === maxKept || units > maxUnsentUnits) break
    kept.unshift(one)
  }
  return kept
}

/** `rejoining`: those a guest is not in yet again. */
const roomsOf = ({ isAccount, talks }: View.View["chat"], rejoining: ReadonlyArray<RoomName>) => {
  if (isAccount) return []
  const all = [...talks.values()].flatMap(({ isIn, isPrivate, where: { room } }) =>
    room !== undefined && isIn && !isPrivate ? [room] : []
  )
  const known = new Set(all.map(nameKey))
  return [...all, ...rejoining.filter((room) => !known.has(nameKey(room)))].slice(0, maxKept)
}

/** `waiting`: drafts of conversations that are not there. Drafts that replace a message are of that message alone. */
export const memoryOf = (
  view: View.View,
  waiting: Memory["drafts"],
  rejoining: ReadonlyArray<RoomName> = []
): Memory => {
  const { chat } = view
  const drafts = new Map<string, string>()
  for (const [key, { draft, editing }] of chat.talks) {
    if (draft !== "" && editing === undefined) drafts.set(key, draft)
  }
  for (const [key, draft] of Object.entries(waiting)) if (!drafts.has(key)) drafts.set(key, draft)
  const ignored = [...chat.ignored].flatMap((key) => Option.toArray(decodeName(key)))
  return {
    shown: chat.shown,
    drafts: bounded(drafts),
    places: placesIn(view),
    notify: Object.fromEntries(Object.entries(Level.chosenIn(view.levels, view.configured)).slice(-maxKept)),
    ignored: ignored.slice(-maxKept),
    unsent: unsentOf(view),
    order: [...chat.talks.keys()].slice(0, maxKept),
    closed: Object.fromEntries([...chat.closed].filter(([key]) => !chat.talks.has(key)).slice(-maxKept)),
    rooms: roomsOf(chat, rejoining),
    isUrgentFirst: view.isUrgentFirst,
    hasLeftBar: view.hasLeftBar,
    ...(view.hasRightBar !== undefined && { hasRightBar: view.hasRightBar })
  }
}

const decodeName = Schema.decodeUnknownOption(UserName)

/** What is to be known before it is known which conversations there are. */
export const prepared = (before: View.View, { closed = {} }: Memory): View.View => ({
  ...before,
  chat: { ...before.chat, closed: new Map(Object.entries(closed)) }
})

/** As it was: at the beginning, when it is known which conversations there are. */
export const recalled = (
  before: View.View,
  { drafts, hasLeftBar, hasRightBar, ignored, isUrgentFirst, muted = [], notify = {}, places = {}, ...memory }: Memory
): View.View => {
  const known = ignored.reduce(
    (chat, user) => (chat.ignored.has(nameKey(user)) ? chat : Intention.ignore(chat, user, true)),
    before.chat
  )
  const there = Object.entries(places).filter(([key]) => known.talks.has(key))
  const staying = there.reduce((chat, [key, { seq }]) => Intention.stayIn(chat, key, seq), known)
  const chat = Intention.ordered(withUnsent(staying, memory.unsent ?? []), memory.order ?? [])
  const view = View.withChat(before, Intention.show(chat, memory.shown))
  const chosen = [...muted.map((key) => [key, "none"] as const), ...Object.entries(notify)]
  const levels = new Map([...before.configured, ...chosen])
  const bars = { hasLeftBar, hasRightBar, isUrgentFirst, levels }
  return withDrafts({ ...view, ...bars, recalled: new Map(there) }, drafts)
}

/** The drafts of conversations that are there, each where nothing is typed. */
export const withDrafts = (view: View.View, drafts: Memory["drafts"]): View.View => ({
  ...view,
  chat: Object.entries(drafts).reduce((chat, [key, draft]) => {
    const talk = chat.talks.get(key)
    return talk === undefined || talk.draft !== "" ? chat : Intention.type(chat, key, draft)
  }, view.chat)
})

/** Those that have no conversation to stand in. */
export const waitingIn = ({ chat }: View.View, drafts: Memory["drafts"]): Memory["drafts"] =>
  Object.fromEntries(Object.entries(drafts).filter(([key]) => !chat.talks.has(key)))

/** The file at this place. What is said and typed in it is sealed, if it can be. */
export const fileAt = Effect.fnUntraced(function* (
  path: string,
  { openText, sealText }: Pick<Encryption, "openText" | "sealText"> = noKeys
) {
  const files = yield* FileSystem.FileSystem
  // Each client of the account its own: none takes the name with what another one has half written.
  const next = `${path}.${process.pid}`
  let saved = ""
  /** What could not be opened, since another program has the keys, is put back. */
  let unopened: string | undefined
  const read = Effect.gen(function* () {
    const { size } = yield* files.stat(path)
    if (size > maxBytes) return undefined
    saved = yield* files.readFileString(path)
    return Option.getOrUndefined(decode(saved))
  }).pipe(Effect.orElseSucceed(() => undefined))
  const recall = Effect.fnUntraced(function* ({ words, ...before }: Memory) {
    if (words === undefined) return before
    const known = Option.getOrUndefined(decodeWords(yield* openText(words)))
    if (known === undefined) unopened = words
    const { drafts = {}, unsent = [] } = known ?? {}
    return { ...before, drafts: { ...before.drafts, ...drafts }, unsent: [...(before.unsent ?? []), ...unsent] }
  })
  const sealedOf = Effect.fnUntraced(function* (memory: Memory) {
    const { drafts, unsent, ...rest } = memory
    if (unopened !== undefined) return { ...memory, words: unopened }
    const words = yield* sealText(encodeWords({ drafts, ...(unsent && { unsent }) }))
    return words === undefined ? memory : { ...rest, drafts: {}, words }
  })
  const keep = (memory: Memory) =>
    Effect.gen(function* () {
      const plain = encode(memory)
      if (plain === saved) return
      const text = encode(yield* sealedOf(memory))
      yield* files.makeDirectory(dirname(path), { recursive: true, mode: 0o700 })
      yield* Effect.ignore(files.remove(next))
      const file = yield* files.open(next, { flag: "wx", mode: 0o600 })
      yield* file.writeAll(new TextEncoder().encode(text))
      yield* file.sync
      yield* files.rename(next, path)
      saved = plain
    }).pipe(Effect.scoped, Effect.ignore)
  return { read, recall, keep }
})
