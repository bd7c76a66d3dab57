/** What holds of every `Memberships`, whatever is done to it and to the log, in whatever order. */
import { assert, it } from "@effect/vitest"
import { Context, Effect } from "effect"
import type { Inbox, SharedConversation } from "../../../src/common/log/Conversation.ts"
import { AuthorId, type Body } from "../../../src/common/log/Entry.ts"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import { Memberships } from "../../../src/server/accounts/Memberships.ts"
import { History } from "../../../src/server/history/History.ts"
import { authorOfAccount } from "../../../src/server/session/AccountId.ts"
import { tries } from "../../support/generators.ts"
import { newAccount } from "./AccountsAsked.ts"
import { type Correspondent, members, NaiveMemberships, type Place, someSteps, type Step } from "./NaiveMemberships.ts"

/** All that a server keeps. */
export type Kept = Accounts | History | Memberships

export type Fresh<LayerError> = <A, E>(effect: Effect.Effect<A, E, Kept>) => Effect.Effect<A, E | LayerError>

const conversationOf = (place: Place): SharedConversation =>
  place === "the lobby" ? { _tag: "Lobby" } : { _tag: "Room", room: place }

const inboxOf = ({ account, user }: Correspondent): ReadonlyArray<Inbox> =>
  account === undefined ? [] : [{ _tag: "Inbox", user, account }]

const carryOut = Effect.fnUntraced(function* (services: Context.Context<Kept>, naive: NaiveMemberships, step: Step) {
  const memberships = Context.get(services, Memberships)
  const write = Effect.fnUntraced(function* (one: Extract<Step, { readonly by: unknown }>, body: Body) {
    naive.write(one.place, one.by, body)
    const conversation = conversationOf(one.place)
    yield* Context.get(services, History).append([{ conversation, ...one.by, body, at: 1, key: undefined }])
  })
  const exchange = (from: Correspondent, to: Correspondent, body: Body) => {
    const [conversation, twin] = [from, to].flatMap(inboxOf)
    const author = from.account === undefined ? AuthorId.make("abc.1") : authorOfAccount(from.account)
    const places = conversation === undefined ? undefined : { conversation, ...(twin !== undefined && { twin }) }
    if (places === undefined) return Effect.void
    return Context.get(services, History).append([
      { ...places, from: from.user, to: to.user, author, body, at: 1, key: undefined }
    ])
  }
  const whisper = (from: Correspondent, to: Correspondent, body: Body) => {
    if (from.user === to.user) return Effect.void
    naive.whisper(from, to)
    return exchange(from, to, body)
  }
  switch (step.do) {
    case "say":
      return yield* write(step, { _tag: "Said", content: step.content })
    case "edit":
      return yield* write(step, { _tag: "Edited", target: naive.target(step.place, step.back), content: step.content })
    case "delete":
      return yield* write(step, { _tag: "Deleted", target: naive.target(step.place, step.back) })
    case "mark": {
      const seq = Math.max(0, naive.newest(step.place) - step.back)
      const place = conversationOf(step.place)
      return assert.strictEqual(
        yield* memberships.mark(step.member.account, place, seq),
        naive.mark(step.member, step.place, seq)
      )
    }
    case "join":
      return assert.strictEqual(
        yield* memberships.join(step.member, step.room, naive.newest(step.room)),
        naive.join(step.member, step.room)
      )
    case "leave":
      naive.leave(step.member, step.room)
      return yield* memberships.leave(step.member.account, step.room)
    case "forget":
      naive.forget(step.room)
      return yield* memberships.forget(step.room)
    case "delete account":
      naive.delete(step.member)
      return yield* Context.get(services, Accounts).setState(step.member.account, "Deleted", undefined)
    case "whisper":
      return yield* whisper(step.from, step.to, { _tag: "Said", content: "psst" })
    case "unsay": {
      const said = naive.ownMessage(step.member, step.back)
      if (said === undefined) return
      naive.unsay(step.member, said.one)
      return yield* exchange(step.member, said.one.with, { _tag: "Deleted", target: said.seq })
    }
    case "mark with": {
      const seq = Math.max(0, naive.inbox(step.member).length - step.back)
      return assert.strictEqual(
        yield* memberships.mark(step.member.account, { _tag: "With", user: step.with.user }, seq),
        naive.markWith(step.member, step.with, seq)
      )
    }
    case "restart":
      return
  }
})

/** `restart` gives what there is after a stop and a start. */
export const agree = Effect.fnUntraced(function* <E, R>(
  steps: ReadonlyArray<Step>,
  begin: Context.Context<Kept>,
  restart: Effect.Effect<Context.Context<Kept>, E, R>
) {
  let services = begin
  const naive = new NaiveMemberships()
  for (const { user } of members) yield* Context.get(services, Accounts).create(newAccount(user))
  for (const step of steps) {
    if (step.do === "restart") services = yield* restart
    yield* carryOut(services, naive, step)
  }
  const memberships = Context.get(services, Memberships)
  for (const member of members) {
    assert.deepStrictEqual(yield* memberships.standing(member), naive.standing(member))
    const rooms = yield* memberships.rooms(member.account)
    assert.deepStrictEqual(rooms, naive.rooms(member))
    for (const room of rooms) assert.deepStrictEqual(yield* memberships.members(room), naive.members(room))
  }
})

export const membershipsProperties = <LayerError>(fresh: Fresh<LayerError>, runs: number): void => {
  it.effect.prop(
    "counts as anybody would who looks at each message, whatever is said, edited, deleted, marked, joined and left",
    [someSteps],
    ([steps]) =>
      Effect.flatMap(Effect.context<Kept>(), (services) => agree(steps, services, Effect.succeed(services))).pipe(
        fresh
      ),
    tries(runs, 40)
  )
}
