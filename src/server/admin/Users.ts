/**
 * `pnpm admin users …`: who has an account, and what becomes of it.
 *
 * What a program reads stands alone on standard output: a code, a list, JSON. What was done is told on standard error.
 */
import { Console, Effect, Option, Redacted, Schema, Stdio } from "effect"
import { Argument, Command, Flag, Prompt } from "effect/cli"
import { Reason } from "../../common/log/Governing.ts"
import { UserName } from "../../common/name/UserName.ts"
import type { Account } from "../accounts/Account.ts"
import { type Code, UserManagement, usersOfPage } from "../accounts/UserManagement.ts"
import { settings } from "../config/ServerConfig.ts"
import { flagOf } from "../config/SettingFlags.ts"
import { AdminError } from "./AdminError.ts"
import { databaseFlag, jsonFlag } from "./Flags.ts"
import * as ManagementHere from "./ManagementHere.ts"
import { Output } from "./Output.ts"
import { plural, printable, timeOf } from "./Report.ts"

export const adminSocketFlag = flagOf(settings.adminSocket)
const common = { database: databaseFlag, adminSocket: adminSocketFlag }
const nameArgument = Argument.String("name").pipe(Argument.withDescription("The account's name, in any case"))

const nameOf = (typed: string) =>
  Effect.mapError(
    Schema.decodeEffect(UserName)(typed),
    () => new AdminError({ message: `${JSON.stringify(printable(typed))} is no name of a user.` })
  )

/** What works on accounts, wherever they are. */
const onAccounts = <A, E, R>(where: ManagementHere.Where, effect: Effect.Effect<A, E, R>) =>
  Effect.provide(effect, ManagementHere.layer(where))

const told = (text: string) => Console.error(text)

const words = ({ isAdmin, reason, state }: Account): string => {
  const why = reason === undefined ? "" : ` (${printable(reason)})`
  return [state === "Active" ? "" : `${state.toLowerCase()}${why}`, isAdmin ? "admin" : ""]
    .filter((word) => word !== "")
    .join(", ")
}

/** What scripts are given: no number of ours. */
const factsOf = ({ isAdmin, lastSeen, reason, since, state, user }: Account) => ({
  user,
  since,
  lastSeen,
  isAdmin,
  state,
  reason
})

const giveCode = Effect.fnUntraced(function* ({ code, expires, user }: Code) {
  const output = yield* Output
  yield* told(`With this code ${user} logs in and sets a password (:passwd), until ${timeOf(expires)}:`)
  yield* output.write(`${Redacted.value(code)}\n`)
})

const addCommand = Command.make(
  "add",
  {
    ...common,
    name: nameArgument,
    admin: Flag.Boolean("admin").pipe(Flag.withDescription("Make it an admin"), Flag.withDefault(false))
  },
  Effect.fnUntraced(function* ({ admin, name, ...where }) {
    const user = yield* nameOf(name)
    yield* Effect.provide(
      Effect.flatMap(UserManagement, (users) => Effect.flatMap(users.add(user, admin), giveCode)),
      ManagementHere.layerMaking(where)
    )
  })
).pipe(
  Command.withDescription(
    [
      "Make an account. Its owner gets the code that is written to standard output, which stands in for a password until one",
      "is set. If the server was never started, its database is made."
    ].join("\n")
  ),
  Command.withShortDescription("Make an account"),
  Command.withExamples([{ command: "pnpm -s admin users add ada --admin", description: "Make one that is an admin" }])
)

const all = Effect.gen(function* () {
  const users = yield* UserManagement
  const found: Array<Account> = []
  let after: UserName | undefined
  for (;;) {
    const page = yield* users.list(after)
    found.push(...page)
    if (page.length < usersOfPage) return found
    after = page.at(-1)?.user
  }
})

const listCommand = Command.make(
  "list",
  { ...common, json: jsonFlag },
  Effect.fnUntraced(function* ({ json, ...where }) {
    const output = yield* Output
    const found = yield* onAccounts(where, all)
    if (json) {
      return yield* output.write(`${JSON.stringify(found.map(factsOf))}\n`)
    }
    const width = Math.max(0, ...found.map(({ user }) => user.length))
    const lines = found.map((account) =>
      `${printable(account.user).padEnd(width)}  ${timeOf(account.lastSeen)}  ${words(account)}`.trimEnd()
    )
    yield* output.write(`${[...lines, `${plural(found.length, "account")} in all.`].join("\n")}\n`)
  })
).pipe(
  Command.withDescription(
    [
      "List the accounts: their names, when each was last here, and what there is to know of it.",
      "",
      "With --json: an array of { user, since, lastSeen, isAdmin, state, reason? }, times in milliseconds since 1970."
    ].join("\n")
  ),
  Command.withShortDescription("List the accounts")
)

const showCommand = Command.make(
  "show",
  { ...common, name: nameArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ json, name, ...where }) {
    const output = yield* Output
    const user = yield* nameOf(name)
    const { account, devices, hasCode, hasPassword, keys } = yield* onAccounts(
      where,
      Effect.flatMap(UserManagement, (users) => users.show(user))
    )
    if (json) {
      return yield* output.write(`${JSON.stringify({ ...factsOf(account), hasPassword, hasCode, devices, keys })}\n`)
    }
    const secret = hasPassword ? "a password" : hasCode ? "a code that waits to be used" : "no password"
    const lines = [
      `${printable(account.user)}${words(account) === "" ? "" : ` (${words(account)})`}`,
      `  since      ${timeOf(account.since)}`,
      `  last seen  ${timeOf(account.lastSeen)}`,
      `  login      ${secret}, ${plural(keys.length, "key")}`,
      ...devices.map(({ lastSeen, name }) => `  device     ${printable(name)}, last seen ${timeOf(lastSeen)}`),
      ...keys.map(({ fingerprint, name }) => `  key        ${fingerprint} ${printable(name ?? "")}`.trimEnd())
    ]
    yield* output.write(`${lines.join("\n")}\n`)
  })
).pipe(Command.withDescription("Show all there is to know of an account"))

const disableCommand = Command.make(
  "disable",
  {
    ...common,
    name: nameArgument,
    reason: Flag.String("reason").pipe(Flag.withDescription("Why, for its owner to read"), Flag.optional)
  },
  Effect.fnUntraced(function* ({ name, reason, ...where }) {
    const user = yield* nameOf(name)
    const why = yield* Effect.mapError(
      Schema.decodeEffect(Schema.UndefinedOr(Reason))(Option.getOrUndefined(reason)),
      () => new AdminError({ message: "A reason is one line of 1 to 300 characters." })
    )
    const { user: spelled } = yield* onAccounts(
      where,
      Effect.flatMap(UserManagement, (users) => users.disable(user, why))
    )
    yield* told(`${spelled} is disabled, and not connected any more.`)
  })
).pipe(
  Command.withDescription("Let nobody in as this account, until it is enabled. Its connections end, and hear why."),
  Command.withShortDescription("Let nobody in as this account"),
  Command.withExamples([
    { command: 'pnpm admin users disable mallory --reason "spam"', description: "Disable one, and say why" }
  ])
)

const resetCommand = Command.make(
  "reset",
  { ...common, name: nameArgument },
  Effect.fnUntraced(function* ({ name, ...where }) {
    const user = yield* nameOf(name)
    yield* onAccounts(
      where,
      Effect.flatMap(UserManagement, (users) => Effect.flatMap(users.reset(user), giveCode))
    )
  })
).pipe(
  Command.withDescription(
    "End an account's password, devices and keys, and give a code that stands in for a password until one is set."
  ),
  Command.withShortDescription("Give a new code to whoever forgot a password")
)

/** Asks, if there is such an account, and somebody to be asked. */
const confirm = Effect.fnUntraced(function* (where: ManagementHere.Where, user: UserName) {
  const stdio = yield* Stdio.Stdio
  const { account } = yield* onAccounts(
    where,
    Effect.flatMap(UserManagement, (users) => users.show(user))
  )
  const called = printable(account.user)
  if (!((yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal))) {
    const message = `Cannot delete the account ${called}: nobody can be asked whether that is meant. Say so with --yes.`
    return yield* new AdminError({ message })
  }
  const message = `Delete the account ${called} for good?`
  const isMeant = yield* Effect.catchTag(
    Prompt.run(Prompt.Confirm({ message, initial: false })),
    "QuitError",
    () => Effect.interrupt
  )
  if (!isMeant) return yield* new AdminError({ message: `The account ${called} stays.` })
})

const deleteCommand = Command.make(
  "delete",
  {
    ...common,
    name: nameArgument,
    yes: Flag.Boolean("yes").pipe(Flag.withDescription("Do not ask"), Flag.withDefault(false))
  },
  Effect.fnUntraced(function* ({ name, yes, ...where }) {
    const user = yield* nameOf(name)
    if (!yes) yield* confirm(where, user)
    const { user: spelled } = yield* onAccounts(
      where,
      Effect.flatMap(UserManagement, (users) => users.delete(user))
    )
    yield* told(`${spelled} is deleted. "pnpm admin users free ${spelled}" makes the name anybody's.`)
  })
).pipe(
  Command.withDescription(
    "Delete an account for good. What it wrote stays; its name is nobody's until it is freed (pnpm admin users free)."
  ),
  Command.withShortDescription("Delete an account for good")
)

/** Those that only take a name, and say what was done. */
const simple = (
  name: "enable" | "free" | "promote" | "demote",
  description: string,
  act: (users: UserManagement["Service"], user: UserName) => ReturnType<UserManagement["Service"]["enable"]>,
  done: (user: string) => string
) =>
  Command.make(
    name,
    { ...common, name: nameArgument },
    Effect.fnUntraced(function* ({ name, ...where }) {
      const user = yield* nameOf(name)
      const account = yield* onAccounts(
        where,
        Effect.flatMap(UserManagement, (users) => act(users, user))
      )
      yield* told(done(account.user))
    })
  ).pipe(Command.withDescription(description))

export const usersCommand = Command.make("users").pipe(
  Command.withDescription(
    [
      "Look after the accounts of a server: through its socket (ADMIN_SOCKET, beside the database unless set) while it runs,",
      "and otherwise on its database."
    ].join("\n")
  ),
  Command.withShortDescription("Look after accounts"),
  Command.withSubcommands([
    addCommand,
    listCommand,
    showCommand,
    disableCommand,
    simple(
      "enable",
      "Let a disabled account in again",
      (users, user) => users.enable(user),
      (user) => `${user} may log in.`
    ),
    resetCommand,
    deleteCommand,
    simple(
      "free",
      "Make the name of a deleted account anybody's",
      (users, user) => users.free(user),
      (user) => `The name ${user} is free.`
    ),
    simple(
      "promote",
      "Make an account an admin",
      (users, user) => users.setAdmin(user, true),
      (user) => `${user} is an admin.`
    ),
    simple(
      "demote",
      "Make an admin an account like others",
      (users, user) => users.setAdmin(user, false),
      (user) => `${user} is no admin.`
    )
  ])
)
