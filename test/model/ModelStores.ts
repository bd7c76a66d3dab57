/**
 * What the server of a simulation keeps: all in memory, with the accounts there are. In every other program it takes its time, as
 * a disk does, so that more happens meanwhile.
 */
import { Context, Effect, Layer, Result } from "effect"
import { Accounts } from "../../src/server/accounts/Accounts.ts"
import { Memberships } from "../../src/server/accounts/Memberships.ts"
import { History } from "../../src/server/history/History.ts"
import * as MemoryAccounts from "../../src/server/store/MemoryAccounts.ts"
import * as MemoryHistory from "../../src/server/store/MemoryHistory.ts"
import { stores as inMemory, storesOver } from "../support/Stores.ts"
import { accounts, newDevice } from "./People.ts"
import type { Program } from "./Program.ts"
import { randomFrom } from "./RandomFrom.ts"

export const storesFor = (program: Program): typeof inMemory =>
  slowly(program, storesOver(historyFor(program), Layer.fresh(withAccounts)))

/** With all accounts and their devices, and nobody's password: a hash takes longer than a program. */
const withAccounts = Layer.effect(
  Accounts,
  Effect.tap(
    Accounts,
    Effect.fnUntraced(function* (kept) {
      for (const { devices, user } of accounts) {
        const none = { password: undefined, reset: undefined, isAdmin: false, at: 0, invite: undefined }
        const created = yield* kept.create({ user, ...none, device: newDevice(user, 0) })
        if (Result.isFailure(created)) continue
        for (let number = 1; number <= devices; number++) {
          yield* kept.addDevice(created.success.account.id, newDevice(user, number), 0)
        }
      }
    })
  )
).pipe(Layer.provideMerge(MemoryAccounts.layer), Layer.orDie)

/** Every other program has a store that takes its time, as one on a disk does, so that more happens meanwhile. */
const historyFor = ({ network }: Program): Layer.Layer<History> => {
  if (network % 2 === 0) return MemoryHistory.layer
  const slowly = slowed(network)
  return Layer.effect(
    History,
    Effect.map(History, (history) =>
      History.of({
        append: (entries, answered) => slowly(history.append(entries, answered)),
        read: (conversation, range, maxBytes) => slowly(history.read(conversation, range, maxBytes)),
        standing: (conversation, range, maxBytes) => slowly(history.standing(conversation, range, maxBytes)),
        facts: (conversation, question) => slowly(history.facts(conversation, question)),
        newest: (conversation) => slowly(history.newest(conversation)),
        search: (conversations, search, maxBytes) => slowly(history.search(conversations, search, maxBytes)),
        forgetUnsafe: history.forgetUnsafe,
        erase: (conversation) => slowly(history.erase(conversation)),
        rooms: history.rooms,
        emptied: history.emptied
      })
    )
  ).pipe(Layer.provide(MemoryHistory.layer))
}

/** The same of what is kept of accounts. */
const slowly = ({ network }: Program, stores: typeof inMemory): typeof inMemory => {
  if (network % 2 === 0) return stores
  const slowly = slowed(network + 1)
  const slow = Effect.gen(function* () {
    const accounts = yield* Accounts
    const memberships = yield* Memberships
    return Context.make(
      Accounts,
      Accounts.of({ ...accounts, useToken: (...given) => slowly(accounts.useToken(...given)) })
    ).pipe(
      Context.add(
        Memberships,
        Memberships.of({
          rooms: (account) => slowly(memberships.rooms(account)),
          inhabited: memberships.inhabited,
          members: (room) => slowly(memberships.members(room)),
          join: (member, room, newest) => slowly(memberships.join(member, room, newest)),
          leave: (account, room) => slowly(memberships.leave(account, room)),
          forget: (room) => slowly(memberships.forget(room)),
          mark: (account, place, seq) => slowly(memberships.mark(account, place, seq)),
          standing: (member) => slowly(memberships.standing(member))
        })
      )
    )
  })
  return Layer.provideMerge(Layer.effectContext(slow), stores)
}

/** Each act takes up to eight turns before it, and after it. */
const slowed = (seed: number) => {
  const random = randomFrom(seed)
  const pause = Effect.suspend(() => Effect.repeat(Effect.yieldNow, { times: Math.floor(random() * 8) }))
  return <A, E>(effect: Effect.Effect<A, E>) => pause.pipe(Effect.andThen(effect), Effect.tap(pause))
}
