/** What can happen to a registry, as data, for the tests of what is built on it. */
import { Arbitrary, Option, Result } from "effect"
import type { UserName } from "../../../src/common/name/UserName.ts"
import * as Registry from "../../../src/server/routing/Registry.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import type { SessionId } from "../../../src/server/session/Asker.ts"
import { oneOf, someSession, someUser } from "../../support/generators.ts"

export interface RegistryCommand {
  readonly what: "claim" | "arrive" | "own" | "depart"
  readonly session: SessionId
  readonly user: UserName
  /** Who claims or owns; guests have none, and own nothing. */
  readonly account: AccountId | undefined
}

export const someRegistryCommand: Arbitrary.Arbitrary<RegistryCommand> = Arbitrary.all({
  what: oneOf<RegistryCommand["what"]>("claim", "claim", "claim", "arrive", "arrive", "own", "depart"),
  session: someSession,
  user: someUser,
  account: oneOf(undefined, AccountId.make(1), AccountId.make(1), AccountId.make(2))
})

export const apply = (
  registry: Registry.Registry,
  { account, session, user, what }: RegistryCommand
): Registry.Registry => {
  switch (what) {
    case "claim":
      return Result.getOrElse(Registry.claim(registry, session, user, account), () => registry)
    case "arrive":
      return Option.getOrElse(Registry.arrive(registry, session), () => [registry] as const)[0]
    case "own":
      return account === undefined
        ? registry
        : Option.getOrElse(Registry.own(registry, session, account), () => registry)
    case "depart":
      return Option.getOrElse(Registry.depart(registry, session), () => [registry] as const)[0]
  }
}

export const applyAll = (commands: ReadonlyArray<RegistryCommand>): Registry.Registry =>
  commands.reduce(apply, Registry.empty)
