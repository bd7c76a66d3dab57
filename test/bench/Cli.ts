/**
 * `pnpm bench`: which modes, with what load, on which servers; a table on standard output, all figures as JSON.
 *
 * What is not said on the command line is the mode's own choice. Standard error tells how far it has got.
 */
import { Console, DateTime, Effect, FileSystem, Option, Path, Runtime, Schema } from "effect"
import { CliError, Command, Flag } from "effect/cli"
import * as Baseline from "./Baseline.ts"
import { attacks } from "./hostile/Attacks.ts"
import * as HostileMode from "./hostile/HostileMode.ts"
import { describeMachine, maxOpenFiles, pinGenerator } from "./Machine.ts"
import type { Load, Mode } from "./Mode.ts"
import { modes, type Step, stepsOf } from "./Plan.ts"
import * as Profile from "./Profile.ts"
import { jsonOf, machineText, tableOf } from "./Report.ts"
import { type ModeResult, runMode, type RunOptions } from "./Runner.ts"
import { isAvailable, storageDescription, type SubjectName, subjectNames } from "./Subject.ts"

/** Ends the program with a sentence for the person who started it. */
class CannotBench extends Schema.TaggedError<CannotBench>()("CannotBench", { message: Schema.String }) {
  override readonly [CliError.userMessage] = this.message
  override readonly [Runtime.errorExitCode] = 1
}

const positive = Schema.Int.check(Schema.isGreaterThan(0, { message: "must be a whole number above 0" }))

const count = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.withSchema(positive), Flag.optional)

const list = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withDefault(""),
    Flag.map((text) =>
      text
        .split(",")
        .map((word) => word.trim())
        .filter((word) => word !== "")
    )
  )

const isSet = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

const baselineFile = "test/bench/baseline.json"

const onlyNamed = [...modes.flatMap(({ isOnlyNamed, name }) => (isOnlyNamed === true ? [name] : [])), "hostile"].join(
  ", "
)

const leftOutOfQuick = modes.flatMap(({ name, quickMembers }) => (quickMembers.length === 0 ? [name] : [])).join(", ")

const flags = {
  mode: list("mode", `Only these, with commas between them; see above (all but ${onlyNamed})`),
  members: list("members", "How many connections; several with commas between them (10,100,500,1000)"),
  senders: count("senders", "How many of the members talk (the mode's choice)"),
  rate: count("rate", "Messages a second, of all senders together, where there is a pace (the mode's choice)"),
  seconds: count("seconds", "How long a pace is kept up; floods grow with it (3; --quick 1; store 10, soak 3600)"),
  bytes: count("bytes", "The length of a message's content (64)"),
  messages: count(
    "messages",
    "How many messages, where a number bounds it: floods, what history is filled with, and what is missed in sealed"
  ),
  server: list("server", `Only these of ${subjectNames.join(", ")} (all that are installed; --quick: parley,floor)`),
  attack: list("attack", "Of the hostile mode, only these attacks; see above (all)"),
  k: list("k", "How many hostile connections at once; several with commas between them (1,40)"),
  count: count("count", "The size of what an attack needs: rooms, texts, people, connections (the attack's choice)"),
  unpinned: isSet("unpinned", "Leave it to the system which cores the processes run on"),
  repeat: count("repeat", "How many times each is measured; the tables show medians (5; --quick 3)"),
  json: Flag.String("json").pipe(
    Flag.withDescription("Where to write all figures of all runs (a file in the system's temporary directory)"),
    Flag.optional
  ),
  quick: isSet("quick", `A small set, in less than two minutes; leaves out ${leftOutOfQuick}`),
  check: isSet("check", `Hold the ratios against ${baselineFile}; exit with 1 if one fell by more than a fifth, twice`),
  saveBaseline: isSet("save-baseline", `Write the ratios to ${baselineFile}, beside those of other loads`),
  profile: isSet("profile", "Profile parley's CPU time meanwhile, and print where it went; figures suffer a little"),
  entry: Flag.String("entry").pipe(
    Flag.withDescription("The script that starts parley, to measure another checkout's (src/bin/server.ts)"),
    Flag.optional
  )
}

const description = [
  "How fast is it? Starts servers, talks to them from this process, and prints what came of it.",
  "",
  "Every server is measured beside the floor, in turn and in the same minute: a loop on node:net that parses each line",
  "and hands it to the room's sockets. Figures in brackets are multiples of the floor's; for times, less is better.",
  "",
  "Modes:",
  ...[...modes, HostileMode.hostileMode].map(({ name, summary }) => `  ${name.padEnd(9)} ${summary}`),
  "",
  "Attacks, of the hostile mode; each with the server's default settings, on a database on the disk:",
  ...attacks.map(
    ({ count, name, summary }) => `  ${name.padEnd(20)} ${summary}${count === undefined ? "" : ` (${count.usual})`}`
  ),
  "",
  "Servers: parley; floor; and, if they are installed (Debian has both), the IRC servers ngircd and inspircd, with their",
  "limits off. A sender on IRC does not hear its own message, so that a message has one receiver less there.",
  "",
  "Times are taken on one clock, at the write and at the receipt, in this process. It keeps to core 0, the servers to the",
  "others (Linux). A pace is kept by an absolute schedule: what this process sends late counts as late. `lost` is what",
  "was due and had not come when nothing had come for 3 s. `late p99` is how late this process was itself.",
  "",
  "Each connection takes an open file on either side, and the members of all servers are connected at once: for 10,000",
  "members on two servers, `ulimit -n` must be above 20,100."
].join("\n")

type Given = Command.Command.Config.Infer<typeof flags>

const choose = Effect.fnUntraced(function* <Name extends string>(
  what: string,
  words: ReadonlyArray<string>,
  names: ReadonlyArray<Name>
) {
  const chosen = names.filter((name) => words.includes(name))
  const unknown = words.find((word) => !names.some((name) => name === word))
  return unknown === undefined
    ? chosen
    : yield* new CannotBench({ message: `There is no ${what} "${unknown}". There are ${names.join(", ")}.` })
})

const decodeCounts = (flag: string, words: ReadonlyArray<string>) =>
  Effect.forEach(words, (word) =>
    Effect.mapError(
      Schema.decodeEffect(Schema.FiniteFromString.pipe(Schema.decodeTo(positive)))(word),
      () => new CannotBench({ message: `--${flag} ${word}: must be a whole number above 0.` })
    )
  )

const stepsFor = Effect.fnUntraced(function* (given: Given) {
  const names = [...modes, HostileMode.hostileMode].map(({ name }) => name)
  const { bytes, messages, rate, seconds, senders } = given
  return stepsOf({
    modes: yield* choose("mode", given.mode, names),
    members: yield* decodeCounts("members", given.members),
    quick: given.quick,
    load: {
      ...(Option.isSome(bytes) && { bytes: bytes.value }),
      ...(Option.isSome(messages) && { messages: messages.value }),
      ...(Option.isSome(rate) && { rate: rate.value }),
      ...(Option.isSome(seconds) && { seconds: seconds.value }),
      ...(Option.isSome(senders) && { senders: senders.value })
    }
  })
})

const assaultsFor = Effect.fnUntraced(function* ({ attack, k, mode }: Given) {
  const names = yield* choose(
    "attack",
    attack,
    attacks.map(({ name }) => name)
  )
  const ks = yield* decodeCounts("k", k)
  return mode.includes(HostileMode.hostileMode.name)
    ? HostileMode.assaultsOf(names, ks.length === 0 ? HostileMode.usualKs : ks)
    : []
})

const subjectsFor = Effect.fnUntraced(function* ({ profile, quick, server }: Given) {
  if (server.length > 0) {
    const chosen = yield* choose("server", server, subjectNames)
    const missing = chosen.find((name) => !isAvailable(name))
    return missing === undefined ? chosen : yield* new CannotBench({ message: `${missing} is not installed.` })
  }
  const own: ReadonlyArray<SubjectName> = profile ? ["parley"] : ["parley", "floor"]
  return quick || profile ? own : subjectNames.filter(isAvailable)
})

/** Files that are open beside the connections. */
const otherFiles = 100

/** The crowds of all servers are there at the same time, unless each measurement has a server of its own. */
const tooFewFiles = (mode: Mode, { members }: Load, { subjects }: RunOptions): string | undefined => {
  const crowds = mode.isFresh === true ? 1 : subjects.filter((name) => mode.subjects.includes(name)).length
  const needed = members * crowds + otherFiles
  return needed > maxOpenFiles()
    ? `${crowds} times ${members} connections need ${needed} open files: raise ulimit -n, or name fewer with --server`
    : undefined
}

const runSteps = Effect.fnUntraced(function* (steps: ReadonlyArray<Step>, options: RunOptions) {
  const results: Array<ModeResult> = []
  for (const [index, { load, mode }] of steps.entries()) {
    const obstacle = mode.obstacle?.() ?? tooFewFiles(mode, load, options)
    if (obstacle !== undefined) {
      yield* Console.log(`\n${mode.name}: left out, since ${obstacle}.`)
      continue
    }
    yield* Console.error(`[${index + 1}/${steps.length}] ${mode.name}, ${load.members} members …`)
    const result = yield* runMode(mode, load, options)
    yield* Console.log(`\n${tableOf(result)}`)
    results.push(result)
  }
  return results
})

export const cli = Command.make(
  "bench",
  flags,
  Effect.fnUntraced(
    function* (given) {
      const files = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const steps = yield* stepsFor(given)
      const assaults = yield* assaultsFor(given)
      const subjects = yield* subjectsFor(given)
      const machine = describeMachine()
      const cores = given.unpinned ? undefined : pinGenerator()
      const head = {
        machine,
        storage: storageDescription(),
        isPinned: cores !== undefined,
        startedAt: DateTime.formatIso(yield* DateTime.now)
      }
      yield* Console.log(machineText(machine, head.storage, head.isPinned))

      const profiles = given.profile ? yield* files.makeTempDirectory({ prefix: "parley-profile-" }) : undefined
      const options: RunOptions = {
        subjects,
        repeat: Option.getOrElse(given.repeat, () => (given.quick ? 3 : 5)),
        cores,
        entry: Option.match(given.entry, { onNone: () => undefined, onSome: (entry) => path.resolve(entry) }),
        nodeFlags: profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`]
      }
      const results = yield* runSteps(steps, options)
      const hostile = yield* HostileMode.runAll(assaults, {
        cores,
        entry: options.entry,
        isQuick: given.quick,
        count: Option.getOrUndefined(given.count),
        seconds: Option.getOrElse(given.seconds, () =>
          given.quick ? HostileMode.quickSeconds : HostileMode.usualSeconds
        )
      })
      if (profiles !== undefined) yield* Console.log(`\n${yield* Profile.describe(profiles)}`)

      const json = Option.getOrElse(given.json, () => "")
      const file =
        json === "" ? path.join(yield* files.makeTempDirectory({ prefix: "parley-bench-" }), "bench.json") : json
      yield* files.writeFileString(file, jsonOf(head, results, HostileMode.figuresOf(hostile)))
      yield* Console.error(`\nAll figures: ${file}`)

      const baseline = path.resolve(import.meta.dirname, "baseline.json")
      if (given.check) yield* check(baseline, results, options)
      if (given.saveBaseline) {
        const saved = yield* Baseline.save(baseline, results, `${machine.cpu}, ${machine.cores} cores`, head.startedAt)
        yield* Console.log(`\n${saved} ratios written to ${baselineFile}.`)
      }
    },
    Effect.catchTag("BenchError", ({ message }) => Effect.fail(new CannotBench({ message })))
  )
).pipe(
  Command.withDescription(description),
  Command.withExamples([
    { command: "pnpm bench --quick", description: "A first look" },
    { command: "pnpm bench --mode flood --members 500", description: "One mode, one size, all servers" },
    { command: "pnpm bench --mode paced --members 100 --rate 1000 --seconds 10", description: "A pace of one's own" },
    {
      command: "pnpm bench --mode history --messages 100000",
      description: "Old messages and the search, a quick look"
    },
    {
      command: "pnpm bench --mode hostile --attack history,keys --k 1",
      description: "What one attacker does to others"
    },
    { command: "pnpm bench --mode sealed --quick", description: "What encryption costs, a quick look" },
    { command: "pnpm bench --quick --check", description: "Has something become slower?" },
    { command: "pnpm bench --profile --mode flood --members 500", description: "Where the time goes" }
  ])
)

const check = Effect.fnUntraced(function* (file: string, results: ReadonlyArray<ModeResult>, options: RunOptions) {
  const baseline = yield* Baseline.read(file)
  if (Option.isNone(baseline)) {
    return yield* new CannotBench({ message: `There is no ${baselineFile} yet; --save-baseline writes it.` })
  }
  const compareAll = (some: ReadonlyArray<ModeResult>) => Baseline.compare(baseline.value, some)
  const first = compareAll(results)
  if (first.length === 0) {
    return yield* new CannotBench({ message: "The baseline knows none of these loads; run what it was saved with." })
  }
  const suspects = results.filter((result) => compareAll([result]).some(({ hasFallen }) => hasFallen))
  if (suspects.length > 0) yield* Console.error("\nSlower than before; once more, since it may have been bad luck:")
  const fallen = Baseline.fallenTwice(first, compareAll(yield* runSteps(suspects, options)))
  if (fallen.length > 0) {
    const message = ["Slower than before, twice:", ...fallen.map(({ text }) => text)].join("\n  ")
    return yield* new CannotBench({ message })
  }
  yield* Console.log(
    `\nNone of ${first.length} ratios fell by more than a fifth${suspects.length > 0 ? " twice" : ""}.`
  )
})
