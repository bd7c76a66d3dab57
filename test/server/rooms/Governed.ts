/** A governed room without its server: a log written down, how it is governed, and whoever acts there. */
import { AuthorId, type Intent } from "../../../src/common/log/Entry.ts"
import type { Governing, Role } from "../../../src/common/log/Governing.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Rejection } from "../../../src/common/wire/Rejection.ts"
import type { MessageKey } from "../../../src/common/wire/RequestId.ts"
import { type Governance, ungoverned } from "../../../src/server/governance/Governance.ts"
import type { Act } from "../../../src/server/rooms/Act.ts"
import { questionOf, remember, stateOf as messagesOf } from "../../../src/server/rooms/Decider.ts"
import {
  decideInRoom,
  evolveInRoom,
  type RoomCircumstances,
  type RoomDecision,
  type RoomState,
  stateOf
} from "../../../src/server/rooms/RoomDecider.ts"
import { AccountId, authorOfAccount } from "../../../src/server/session/AccountId.ts"
import { PlainLog } from "./PlainLog.ts"

export interface Somebody {
  readonly user: UserName
  readonly author: AuthorId
  readonly account?: AccountId
  readonly network?: string
  readonly isAdmin?: true
}

const account = (user: string, number: number): Somebody & { readonly account: AccountId } => ({
  user: UserName.make(user),
  account: AccountId.make(number),
  author: authorOfAccount(AccountId.make(number))
})
const guest = (user: string, connection: number, network: string): Somebody & { readonly network: string } => ({
  user: UserName.make(user),
  author: AuthorId.make(`start.${connection}`),
  network
})

/** Owns the room. */
export const ada = account("ada", 1)
/** Moderates. */
export const mod = account("mod", 2)
export const [ben, cyd] = [account("ben", 3), account("cyd", 4)]
export const root = { ...account("root", 5), isAdmin: true as const }
export const eve = guest("eve", 6, "192.0.2.1")
export const mal = guest("mal", 7, "192.0.2.1")
export const zoe = guest("zoe", 8, "2001:db8:0:1::/64")

const holder = ({ account: number, user }: Somebody & { readonly account: AccountId }) => ({ user, account: number })
export const founded: Governance = { ...ungoverned(1), owner: holder(ada), moderators: [holder(mod)] }

export const inDev = { _tag: "Room", room: RoomName.make("dev") } as const
export const now = 1000

export const act = (who: Somebody, body: Intent, key?: MessageKey): Act => ({
  from: who.user,
  author: who.author,
  body,
  key,
  ...(who.account !== undefined && { account: who.account }),
  ...(who.network !== undefined && { network: who.network }),
  ...(who.isAdmin && { isAdmin: true })
})

/** About somebody who is an account, or here as a guest. */
export const against = (
  who: Somebody,
  body: Intent,
  { isAdmin, ...subject }: Somebody,
  isMember = true,
  key?: MessageKey
): Act => {
  const { author, ...known } = subject
  return {
    ...act(who, body, key),
    about: { ...known, ...(known.account === undefined && { author }), isAdmin: isAdmin === true, isMember }
  }
}

export const say = (content = "said"): Intent => ({ _tag: "Said", content })
export const kick = (who: Somebody): Governing => ({ _tag: "Kicked", user: who.user })
export const ban = (who: Somebody, until?: number): Governing => ({
  _tag: "Banned",
  user: who.user,
  ...(until !== undefined && { until })
})
export const mute = (who: Somebody, until?: number): Extract<Governing, { readonly _tag: "Muted" }> => ({
  _tag: "Muted",
  user: who.user,
  ...(until !== undefined && { until })
})
export const role = (who: Somebody, to: Role): Governing => ({ _tag: "RoleSet", user: who.user, role: to })
export const topic = (text: string): Governing => ({ _tag: "TopicSet", topic: text })
export const refused = (reason: Rejection): RoomDecision => ({ _tag: "Refused", reason })
const verdict = (decision: RoomDecision | undefined) =>
  decision?._tag === "Refused" ? decision.reason._tag : decision?._tag

export class GovernedRoom {
  readonly log = new PlainLog()
  governance: Governance
  now = now

  constructor(governance: Governance = founded) {
    this.governance = governance
  }

  /** Decides on a run as the deciding half does: everything is looked up once, before. */
  run(run: ReadonlyArray<Act>, over: Partial<RoomCircumstances> = {}): ReadonlyArray<RoomDecision> {
    const circumstances: RoomCircumstances = {
      conversation: inDev,
      now: this.now,
      editWindow: 500,
      guestOwner: undefined,
      ...over
    }
    let state: RoomState = stateOf(messagesOf(this.log.facts(questionOf(run))), this.governance)
    const decisions = run.map((one) => {
      const decision = decideInRoom(state, one, circumstances, this.log.entries.length + 1)
      if (decision._tag === "Accepted") {
        const entry = this.log.add({ ...one, body: decision.body }, circumstances.now)
        state = evolveInRoom(state, entry, one, decision)
      }
      if (decision._tag === "Repeated" && decision.key !== undefined) {
        this.log.remember(one, decision.key, decision.seq)
        state = { ...state, messages: remember(state.messages, one.from, decision.key, decision) }
      }
      return decision
    })
    this.governance = state.governance
    return decisions
  }

  verdicts(run: ReadonlyArray<Act>, over: Partial<RoomCircumstances> = {}) {
    return this.run(run, over).map(verdict)
  }
}
