/** Whom an account does not want to hear: what it asks about that. Of one account one thing after the other (see AccountProcessor). */
import { Effect, Result } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { maxBlocked } from "../../common/wire/AccountMessage.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import { rejected } from "../session/Rejected.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { Blockable, Blocked } from "./Account.ts"
import type { AccountNames } from "./AccountNames.ts"
import type { Accounts } from "./Accounts.ts"
import { type Blocks, partnerIs } from "./Blocks.ts"

interface Services {
  readonly accounts: Accounts["Service"]
  readonly blocks: Blocks["Service"]
  readonly names: AccountNames["Service"]
  /** The connections of an account that hear of what its others do. */
  readonly present: (account: AccountId) => ReadonlyArray<SessionId>
  readonly sessions: Sessions["Service"]
}

interface Owner extends Asker {
  readonly account: AccountId
}

type Answering = Effect.Effect<ServerMessage, StorageUnavailable>

export const makeBlocking = ({ accounts, blocks, names, present, sessions }: Services) => {
  const answerOf = (account: AccountId): ServerMessageOf<"Blocked"> => ({
    _tag: "Blocked",
    users: namesOf(blocks.of(account))
  })

  const changed = ({ account, session }: Owner, blocked: ReadonlyArray<Blocked>) => {
    blocks.set(account, blocked)
    const message = answerOf(account)
    const others = present(account).filter((other) => other !== session)
    if (others.length > 0) sessions.deliver([{ _tag: "Tell", to: others, messages: [message] }])
    return message
  }

  /** Who is meant by a name: an account, or else a guest who is here. */
  const meant = (user: UserName, isHere: boolean): Blockable | undefined => {
    const named = names.find(user)
    if (named === undefined) return isHere ? { user } : undefined
    return named.state === "Deleted" ? undefined : { user: named.user, account: named.id }
  }

  return {
    block: (from: Owner, user: UserName, isHere: boolean): Answering =>
      Effect.gen(function* () {
        const { account } = from
        if (nameKey(user) === nameKey(from.user)) return rejected(notOneself)
        const who = meant(user, isHere)
        if (who === undefined) return rejected({ _tag: "UserNotFound", user })
        if (blocks.has(account, who)) return answerOf(account)
        const blocked = { partner: partnerIs(who), user: who.user }
        const added = yield* accounts.block(account, blocked)
        return Result.isFailure(added) ? rejected(tooMany) : changed(from, [...blocks.of(account), blocked])
      }),

    /** Whoever was called so then: an account that has gone, too, and a guest. */
    unblock: (from: Owner, user: UserName): Answering =>
      Effect.gen(function* () {
        const all = blocks.of(from.account)
        const key = nameKey(user)
        const ended = all.filter((one) => nameKey(one.user) === key)
        if (ended.length === 0) return answerOf(from.account)
        yield* accounts.unblock(
          from.account,
          ended.map(({ partner }) => partner)
        )
        return changed(
          from,
          all.filter((one) => !ended.includes(one))
        )
      }),

    list: ({ account }: Owner): Answering => Effect.sync(() => answerOf(account))
  }
}

/** Each once, in their order. */
const namesOf = (blocked: ReadonlyArray<Blocked>): ReadonlyArray<UserName> => {
  const byKey = new Map<NameKey, UserName>(blocked.map(({ user }) => [nameKey(user), user]))
  return [...byKey].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, user]) => user)
}

const notOneself: Rejection = { _tag: "NotAllowed", action: "Block", why: "You cannot block yourself." }
const tooMany: Rejection = {
  _tag: "NotAllowed",
  action: "Block",
  why: `An account may block ${maxBlocked} users at most. Unblock one first.`
}
