/**
 * What may be done with the messages of a conversation, decided where its order is made (invariant 9): pure. What else there is to
 * decide on where people govern is in `RoomDecider`.
 *
 * `decide` looks at one act and at the state that all earlier entries made; `evolve` is that state after one entry more. The
 * state is nothing but entries folded. Of messages only those are in it that a run of acts is about, looked up in the log
 * before (`questionOf`), for a log may hold millions.
 *
 * A key that was answered is answered again, whatever it is used for now. What people say without replying to anything
 * depends on nothing, and is decided without looking anything up: nearly every run is nothing else.
 */
import { HashMap, Option } from "effect"
import type { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { type AuthorId, type Body, type Entry, maxReactions, targetOf } from "../../common/log/Entry.ts"
import type { Intent } from "../../common/log/Entry.ts"
import { isGoverning } from "../../common/log/Governing.ts"
import { type Circumstances, may } from "../../common/log/Permission.ts"
import { actionOf } from "../../common/log/RoomPermission.ts"
import { isSealing, requestOf, type Sealing } from "../../common/log/Sealing.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import {
  type Facts,
  keyOf,
  type Question,
  type ReactorFacts,
  type Stored,
  type TargetFacts
} from "../history/History.ts"
import type { Act } from "./Act.ts"

/** Persistent, for it is made anew with every entry of a run, and a run has a thousand. */
export interface State {
  readonly answered: HashMap.HashMap<string, Pick<Stored, "at" | "seq">>
  readonly targets: HashMap.HashMap<Seq, TargetFacts>
}

/** The state that was looked up. */
export const stateOf = ({ answered, targets }: Facts): State => ({
  answered: HashMap.fromIterable(answered),
  targets: HashMap.fromIterable(targets)
})

export type Decision =
  | { readonly _tag: "Refused"; readonly reason: Rejection }
  /** It was done before: by the entry that stands there. `key`: the one to be remembered for it, as it was made by another. */
  | { readonly _tag: "Repeated"; readonly seq: Seq; readonly at: Timestamp; readonly key: MessageKey | undefined }
  | { readonly _tag: "Accepted" }

/** The place that an act is about, if it is about one. */
const placeOf = (body: Body): Seq | undefined => (body._tag === "Said" ? body.replyTo : targetOf(body))

/** Whether an act depends on nothing, in a conversation that is not encrypted. Its key is seen to when it is stored. */
export const isFree = ({ body }: Pick<Act, "body">): boolean => body._tag === "Said" && body.replyTo === undefined

/** What has to be looked up before these are decided on. */
export const questionOf = (acts: ReadonlyArray<Act>): Question => ({
  keys: acts.flatMap(({ from, key, with: partner }) =>
    key === undefined ? [] : [{ from, key, ...(partner !== undefined && { with: partner }) }]
  ),
  targets: [...new Set(acts.flatMap(({ body }) => placeOf(body) ?? []))],
  reactors: acts.flatMap(({ body, from }) =>
    body._tag === "Reacted" ? [{ target: body.target, user: from, reaction: body.reaction }] : []
  )
})

/** What its key was answered with, if it was. */
export const answeredBefore = (
  { answered }: State,
  { from, key, with: partner }: Act
): Extract<Decision, { readonly _tag: "Repeated" }> | undefined => {
  const first = key === undefined ? undefined : Option.getOrUndefined(HashMap.get(answered, keyOf(from, key, partner)))
  return first && { _tag: "Repeated", seq: first.seq, at: first.at, key: undefined }
}

/** `moderates`: whether it may delete what others wrote. Nothing that governs. */
export const decide = (state: State, act: Act, circumstances: Circumstances, moderates = false): Decision => {
  const { body, with: partner } = act
  const first = answeredBefore(state, act)
  if (first !== undefined) return first
  if (isGoverning(body)) return { _tag: "Refused", reason: { _tag: "NotAllowed", action: actionOf[body._tag] } }
  if (isSealing(body)) return { _tag: "Refused", reason: notEncrypted(body) }
  const place = placeOf(body)
  const known = place === undefined ? undefined : Option.getOrUndefined(HashMap.get(state.targets, place))
  // Who it was exchanged with has gone with it, or is the same.
  const target = known === undefined || known.is === "Gone" || known.with === partner ? known : undefined
  const refusal = may({ author: actorOn(act, target?.author), moderates }, body, target, circumstances)
  if (refusal !== undefined) return { _tag: "Refused", reason: refusal }
  return body._tag === "Reacted" && target !== undefined ? react(act, body, target) : { _tag: "Accepted" }
}

/** What is sealed belongs into an encrypted room. */
export const notEncrypted = ({ _tag }: Sealing): Rejection => ({
  _tag: "NotAllowed",
  action: requestOf[_tag],
  why: "This room is not encrypted. Say it in the open, or in an encrypted room."
})

/** Whether what it is done to is its own. */
export const isOwn = ({ targets }: State, act: Act): boolean => {
  const author = Option.getOrUndefined(HashMap.get(targets, targetOf(act.body) ?? 0))?.author
  return author === actorOn(act, author)
}

/** As whom it acts on what this author made: also as the guest that it was. */
const actorOn = ({ author, guest }: Act, made: AuthorId | undefined): AuthorId =>
  guest !== undefined && guest === made ? guest : author

const react = (
  act: Act,
  { reaction, removed }: Extract<Intent, { readonly _tag: "Reacted" }>,
  { reactions, reactors, seq }: TargetFacts
): Decision => {
  const { from, key } = act
  const mine = reactors.find((one) => isOf(one, from, reaction))
  if (removed === true) {
    return mine !== undefined && mine.author === actorOn(act, mine.author)
      ? { _tag: "Accepted" }
      : { _tag: "Refused", reason: { _tag: "MessageNotFound", seq } }
  }
  if (mine !== undefined) return { _tag: "Repeated", seq: mine.seq, at: mine.at, key }
  return reactions.length < maxReactions || reactions.some((one) => one.reaction === reaction)
    ? { _tag: "Accepted" }
    : { _tag: "Refused", reason: { _tag: "TooManyReactions", limit: maxReactions } }
}

const isOf = (reactor: ReactorFacts, user: UserName, reaction: string): boolean =>
  reactor.reaction === reaction && reactor.user === nameKey(user)

/** The state in which a key of this sender is answered with the entry that stands there. */
export const remember = (
  { answered, targets }: State,
  from: UserName,
  key: MessageKey,
  { at, seq }: Pick<Stored, "at" | "seq">
): State => ({ answered: HashMap.set(answered, keyOf(from, key), { seq, at }), targets })

/** Who made an entry, and by which key. */
export interface Origin {
  readonly author: AuthorId | undefined
  readonly key: MessageKey | undefined
}

/** The state after one entry more, which is the newest. */
export const evolve = (state: State, entry: Entry, { author, key }: Origin): State => {
  const { at, body, from, seq } = entry
  const answered = key === undefined ? state.answered : HashMap.set(state.answered, keyOf(from, key), { seq, at })
  const own: TargetFacts = {
    seq,
    at,
    author,
    is: body._tag === "Said" || body._tag === "Sealed" ? "Message" : "Other",
    ...untouched
  }
  const targets = HashMap.set(state.targets, seq, own)
  const target = Option.getOrUndefined(HashMap.get(state.targets, targetOf(body) ?? 0))
  if (target?.is !== "Message") return { answered, targets }
  return { answered, targets: HashMap.set(targets, target.seq, after(target, entry, author)) }
}

const untouched = { reactions: [], reactors: [] }

const after = (target: TargetFacts, { at, body, from, seq }: Entry, author: AuthorId | undefined): TargetFacts => {
  if (body._tag === "Deleted") return { ...target, is: "Tombstone", author: undefined, ...untouched }
  if (body._tag !== "Reacted") return target
  const { reaction, removed } = body
  const change = removed === true ? -1 : 1
  const known = target.reactions.find((one) => one.reaction === reaction)
  const others = target.reactions.filter((one) => one !== known)
  const count = (known?.count ?? 0) + change
  const reactors = target.reactors.filter((one) => !isOf(one, from, reaction))
  return {
    ...target,
    reactions: count > 0 ? [...others, { reaction, count }] : others,
    reactors: removed === true ? reactors : [...reactors, { reaction, user: nameKey(from), author, seq, at }]
  }
}
