/** `pnpm admin reports`: what users reported of others, for whoever looks after the server to read, and to delete. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { UserManagement } from "../accounts/UserManagement.ts"
import type { Person, Report } from "../reports/Report.ts"
import { AdminError } from "./AdminError.ts"
import { databaseFlag, jsonFlag } from "./Flags.ts"
import * as ManagementHere from "./ManagementHere.ts"
import { Output } from "./Output.ts"
import { plural, printable, timeOf } from "./Report.ts"
import { adminSocketFlag } from "./Users.ts"

const idFlag = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.optional)

/** No number of ours. */
const factsOf = ({ account, network, user }: Person) => ({ user, account: account !== undefined, network })

const jsonOf = ({ at, by, id, isHandled, reason, said, seq, where }: Report): string =>
  JSON.stringify({
    id,
    at,
    by: factsOf(by),
    reason,
    handled: isHandled,
    ...where,
    seq,
    said: { at: said.at, from: factsOf(said.from), content: said.content }
  }).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped)

/** The same to a program, and nothing to a terminal. */
const escaped = (character: string): string =>
  character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("")

const called = ({ account, network, user }: Person): string => {
  const from = network === undefined ? "" : ` at ${printable(network)}`
  return `${printable(user)} (${account === undefined ? "a guest" : "an account"}${from})`
}

/** Each line of it stands behind a mark, so that none can be taken for one of ours. */
const quoted = (content: string): ReadonlyArray<string> =>
  content.split("\n").map((line) => `    | ${printable(line.replaceAll("\t", " "))}`)

const linesOf = ({ at, by, id, isHandled, reason, said, seq, where: { room, with: other } }: Report) => [
  `${id}  ${timeOf(at)}  ${called(by)}: ${printable(reason)}${isHandled ? "  [handled]" : ""}`,
  `  ${called(said.from)} said, as message ${seq} ${
    room === undefined
      ? other === undefined
        ? "in the lobby"
        : `in private with ${printable(other)}`
      : `in the room ${printable(room)}`
  }, ${timeOf(said.at)}:`,
  ...quoted(said.content)
]

/** A page at a time is written: all together may be 100 MB. */
const write = Effect.fnUntraced(function* (isJson: boolean) {
  const users = yield* UserManagement
  const output = yield* Output
  let before: number | undefined
  let count = 0
  if (isJson) yield* output.write("[")
  for (;;) {
    const page = yield* users.reports(before)
    const text = isJson
      ? `${count > 0 && page.length > 0 ? "," : ""}${page.map(jsonOf).join(",")}`
      : page.flatMap((report) => [...linesOf(report), "", ""].join("\n")).join("")
    yield* output.write(text)
    count += page.length
    const last = page.at(-1)?.id
    // What is damaged is not in a page.
    if (page.length === 0 || last === undefined) break
    before = last
  }
  yield* output.write(isJson ? "]\n" : `${plural(count, "report")} in all.\n`)
})

export const reportsCommand = Command.make(
  "reports",
  {
    database: databaseFlag,
    adminSocket: adminSocketFlag,
    handled: idFlag("handled", "Mark the report of this number as seen to: of too many, such go first"),
    delete: idFlag("delete", "Delete the report of this number, and erase what it says"),
    json: jsonFlag
  },
  Effect.fnUntraced(function* ({ delete: deleted, handled, json, ...where }) {
    const ids = [...Option.toArray(deleted), ...Option.toArray(handled)]
    if (ids.some((id) => id < 1) || ids.length > 1) {
      return yield* new AdminError({ message: "Name one report by its number, as pnpm admin reports shows it." })
    }
    const [id] = ids
    const act = Effect.gen(function* () {
      if (id === undefined) return yield* write(json)
      const users = yield* UserManagement
      if (Option.isSome(deleted)) {
        yield* users.deleteReport(id)
        return yield* Console.error(`Report ${id} is deleted.`)
      }
      yield* users.handleReport(id)
      return yield* Console.error(`Report ${id} is marked as handled.`)
    })
    return yield* Effect.provide(act, ManagementHere.layer(where))
  })
).pipe(
  Command.withDescription(
    [
      "List what users reported of others, the newest first: who reports whom and why, and what was said, as it stood then.",
      "They are kept whatever becomes of the messages, until they are deleted here, 10,000 at most.",
      "",
      "With --json: an array of { id, at, by, reason, handled, room? or with?, seq, said: { at, from, content } }, by and from being",
      "{ user, account, network? }, times in milliseconds since 1970."
    ].join("\n")
  ),
  Command.withShortDescription("List what users reported of others"),
  Command.withExamples([
    { command: "pnpm admin reports", description: "List them" },
    { command: "pnpm admin reports --handled 12", description: "Mark one as seen to" },
    { command: "pnpm admin reports --delete 12", description: "Delete one" }
  ])
)
