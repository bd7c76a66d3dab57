/** What can happen to a registry, as data, for the tests of what is built on it. */
import { Arbitrary, Option, Result } from "effect"
import type { UserName } from "../../../src/common/name/UserName.ts"
import * as Registry from "../../../src/server/routing/Registry.ts"
import type { SessionId } from "../../../src/server/session/Asker.ts"
import { oneOf, someSession, someUser } from "../../support/generators.ts"

export interface RegistryCommand {
  readonly what: "claim" | "arrive" | "depart"
  readonly session: SessionId
  readonly user: UserName
}

export const someRegistryCommand: Arbitrary.Arbitrary<RegistryCommand> = Arbitrary.all({
  what: oneOf<RegistryCommand["what"]>("claim", "claim", "arrive", "arrive", "depart"),
  session: someSession,
  user: someUser
})

export const apply = (registry: Registry.Registry, { session, user, what }: RegistryCommand): Registry.Registry => {
  if (what === "claim") return Result.getOrElse(Registry.claim(registry, session, user), () => registry)
  return what === "arrive"
    ? Option.getOrElse(Registry.arrive(registry, session), () => [registry] as const)[0]
    : Option.getOrElse(Registry.depart(registry, session), () => [registry] as const)[0]
}

export const applyAll = (commands: ReadonlyArray<RegistryCommand>): Registry.Registry =>
  commands.reduce(apply, Registry.empty)
