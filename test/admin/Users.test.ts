/** `pnpm admin users` and `pnpm admin invite`: on a database that nobody uses, and through the server that runs on it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as FileServer from "../durability/FileServer.ts"
import { connect } from "../support/RawClient.ts"
import { folder, makeDatabase, run, runHere, runShell, sqlite } from "./AdminProcess.ts"

/** Processes take real time. */
const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const code = /^[0-9a-z]{4}(?:-[0-9a-z]{4}){4}\n$/

/** Commands on one database. */
const operator = (file: string, env: Readonly<Record<string, string>> = {}) => {
  const admin = (...args: ReadonlyArray<string>) => runHere(args, { DATABASE: file, ...env })
  return {
    admin,
    /** What it writes for scripts; it has to succeed. */
    written: (...args: ReadonlyArray<string>) =>
      Effect.map(admin(...args), ({ exitCode, stderr, stdout }) => {
        assert.strictEqual(exitCode, 0, stderr)
        return stdout
      }),
    /** What it says to a person, in one line. */
    said: (...args: ReadonlyArray<string>) =>
      Effect.map(admin(...args), ({ exitCode, stderr, stdout }) => {
        assert.strictEqual(stdout, "")
        assert.match(stderr, /^[^\n]+\n$/)
        return `${exitCode}: ${stderr.trimEnd()}`
      })
  }
}

const password = (text: string) => ({ _tag: "Password", password: text })

/** What a Handshake with these credentials is answered with, on a connection that stays. */
const login = Effect.fnUntraced(function* (port: number, user: string, credentials: object) {
  const client = yield* connect({ port })
  return { client, answer: yield* client.ask({ _tag: "Handshake", user, credentials }) }
})

realTime("pnpm admin users", (it) => {
  it.effect("looks after the accounts of a database, and writes for scripts what they read and nothing else", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* makeDatabase(file)
      const { admin, said, written } = operator(file)
      /** In a process of its own. */
      const adminAlone = (...args: ReadonlyArray<string>) => run(args, { env: { DATABASE: file } })
      assert.strictEqual(yield* written("users", "list"), "0 accounts in all.\n")
      const added = yield* adminAlone("users", "add", "Ada", "--admin")
      assert.match(added.stdout, code)
      assert.match(added.stderr, /^With this code Ada logs in and sets a password \(:passwd\), until \S+Z:\n$/)
      assert.match(yield* written("users", "add", "ben"), code)
      assert.include(yield* said("users", "add", "ADA"), "1: There is an account called Ada already.")
      assert.include(yield* said("users", "add", "аda"), "1: The name аda looks like Ada")
      assert.deepStrictEqual(yield* admin("users", "disable", "BEN", "--reason", "spam\u200b"), {
        stdout: "",
        stderr: "ben is disabled, and not connected any more.\n",
        exitCode: 0
      })
      assert.match(
        yield* written("users", "list"),
        /^Ada {2}\S+Z {2}admin\nben {2}\S+Z {2}disabled \(spam.*\)\n2 accounts in all\.\n$/
      )
      const listed: ReadonlyArray<Record<string, unknown>> = JSON.parse(yield* written("users", "list", "--json"))
      assert.deepStrictEqual(
        listed.map(({ lastSeen: _lastSeen, since: _since, ...rest }) => rest),
        [
          { user: "Ada", isAdmin: true, state: "Active" },
          { user: "ben", isAdmin: false, state: "Disabled", reason: "spam\u200b" }
        ]
      )
      assert.include(yield* written("users", "show", "ada"), "login      a code that waits to be used, 0 keys")
      assert.include(JSON.parse(yield* written("users", "show", "ada", "--json")), {
        user: "Ada",
        hasPassword: false,
        hasCode: true
      })
      assert.strictEqual(yield* said("users", "demote", "ada"), "0: Ada is no admin.")
      assert.strictEqual(yield* said("users", "enable", "ben"), "0: ben may log in.")
      assert.include(yield* said("users", "free", "ben"), "1: The account ben is not deleted.")
      assert.strictEqual(
        yield* said("users", "delete", "BEN"),
        "1: Cannot delete the account ben: nobody can be asked whether that is meant. Say so with --yes."
      )
      assert.include(yield* said("users", "delete", "ben", "--yes"), "0: ben is deleted.")
      assert.include(yield* said("users", "enable", "ben"), "1: The account ben was deleted.")
      assert.strictEqual(yield* said("users", "free", "ben"), "0: The name ben is free.")
      assert.include(yield* said("users", "promote", "ben"), "1: There is no account called ben.")
      const invited = yield* adminAlone("invite", "--uses", "3", "--expires", "7 days")
      assert.match(invited.stdout, code)
      assert.match(invited.stderr, /^3 people may register with this code, until \S+Z:\n$/)
      // Codes are nowhere.
      const bytes = yield* FileSystem.FileSystem.use((files) => files.readFileString(file, "latin1"))
      for (const { stdout } of [added, invited]) assert.notInclude(bytes, stdout.trim())
    })
  )

  it.effect("gives codes to a running server that stand in for a password until one is set", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFileInMemory
      const { port } = yield* FileServer.startHere(file, { REGISTRATION: "invite" })
      const { written } = operator(file)
      const first = (yield* written("users", "add", "ada", "--admin")).trim()
      const { answer, client } = yield* login(port, "ada", password(first.toUpperCase()))
      assert.include(answer, { _tag: "Welcome", account: true })
      const next = "correct horse battery"
      assert.strictEqual((yield* client.ask({ _tag: "ChangePassword", current: first, next }))._tag, "PasswordChanged")
      assert.nestedInclude((yield* login(port, "ada", password(first))).answer, { "reason._tag": "InvalidCredentials" })
      assert.strictEqual((yield* login(port, "ada", password(next))).answer._tag, "Welcome")

      // A reset ends what there was, here and now.
      const second = (yield* written("users", "reset", "ADA")).trim()
      assert.include(yield* client.find("Goodbye"), {
        reason: "The password of this account was reset. Log in again."
      })
      yield* client.closed
      assert.nestedInclude((yield* login(port, "ada", password(next))).answer, { "reason._tag": "InvalidCredentials" })
      assert.strictEqual((yield* login(port, "ada", password(second))).answer._tag, "Welcome")

      // So many people, and no more.
      const invite = (yield* written("invite", "--uses", "1")).trim()
      const register = Effect.fnUntraced(function* (user: string) {
        const newcomer = yield* connect({ port })
        return yield* newcomer.ask({ _tag: "Handshake", user, register: { password: next, invite } })
      })
      assert.strictEqual((yield* register("cleo"))._tag, "Welcome")
      assert.nestedInclude(yield* register("dora"), { "reason._tag": "InvalidInvite" })
    })
  )

  it.effect("ends the connections of who is disabled or deleted, who is then in no room", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFileInMemory
      const { port } = yield* FileServer.startHere(file)
      const { said, written } = operator(file)
      const secret = (yield* written("users", "add", "Mallory")).trim()
      const guest = yield* FileServer.join(port, "guest")
      yield* guest.ask({ _tag: "CreateRoom", room: "garden" })
      yield* guest.ask({ _tag: "JoinRoom", room: "garden" })
      const { client } = yield* login(port, "mallory", password(secret))
      const { client: other } = yield* login(port, "mallory", password(secret))
      yield* client.ask({ _tag: "JoinRoom", room: "garden" })

      yield* said("users", "disable", "mallory", "--reason", "spam")
      for (const ended of [client, other]) {
        assert.deepNestedInclude(yield* ended.find("Rejected"), { reason: { _tag: "Banned", reason: "spam" } })
        yield* ended.closed
      }
      assert.nestedInclude((yield* login(port, "mallory", password("anything else"))).answer, {
        "reason._tag": "InvalidCredentials"
      })
      assert.deepNestedInclude((yield* login(port, "mallory", password(secret))).answer, {
        reason: { _tag: "Banned", reason: "spam" }
      })
      assert.deepInclude(yield* guest.ask({ _tag: "ListRoomUsers", room: "garden" }), { away: ["Mallory"] })

      yield* said("users", "enable", "mallory")
      const { answer, client: again } = yield* login(port, "mallory", password(secret))
      assert.strictEqual(answer._tag, "Welcome")
      yield* said("users", "delete", "mallory", "--yes")
      assert.include(yield* again.find("Goodbye"), { reason: "This account was deleted." })
      yield* again.closed
      const left = yield* guest.ask({ _tag: "ListRoomUsers", room: "garden" })
      assert.deepStrictEqual([left["users"], left["away"] ?? []], [["guest"], []])
      assert.lengthOf(yield* sqlite(file, "SELECT * FROM memberships"), 0)
      assert.nestedInclude((yield* login(port, "mallory", password(secret))).answer, {
        "reason._tag": "InvalidCredentials"
      })
      // Nobody's, until it is freed.
      const stranger = yield* connect({ port })
      assert.nestedInclude(yield* stranger.ask({ _tag: "Handshake", user: "mallory" }), {
        "reason._tag": "UserNameTaken"
      })
      assert.include(
        yield* said("users", "add", "mallory"),
        `1: The account Mallory was deleted. "pnpm admin users free" makes`
      )
      yield* said("users", "free", "mallory")
      yield* FileServer.join(port, "mallory")
    })
  )

  it.effect("works on the database where a server was killed, and waits for none that is busy elsewhere", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const file = yield* FileServer.newFileInMemory
      const killed = yield* FileServer.start(file)
      yield* killed.kill("SIGKILL")
      const { said, written } = operator(file)
      assert.isTrue(yield* files.exists(`${file}-admin`))
      assert.match(yield* written("users", "add", "ada"), code)
      // The next one takes the place of what was left.
      const server = yield* FileServer.start(file)
      const listed = yield* run(["users", "list"], { env: { DATABASE: file } })
      assert.include(listed.stdout, "1 account in all.")
      yield* server.kill("SIGTERM")
      assert.strictEqual((yield* server.exited).exitCode, 0)
      assert.isFalse(yield* files.exists(`${file}-admin`))

      const socket = `${file}-elsewhere`
      yield* FileServer.startHere(file, { ADMIN_SOCKET: socket })
      const told = yield* said("users", "list")
      assert.include(told, `1: A server or another command is using ${file}, but no server listens for pnpm admin at`)
      assert.include(told, "ADMIN_SOCKET")
      assert.include(yield* written("users", "list", "--admin-socket", socket), "1 account in all.")
    })
  )

  it.effect("makes the first admin before the first start, on a server that lets in nobody else", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/data/chat.sqlite`
      const { admin, said, written } = operator(file)
      assert.include(yield* said("users", "list"), '"pnpm admin users add"')
      assert.isFalse(yield* FileSystem.FileSystem.use((files) => files.exists(`${path}/data`)))
      const added = yield* admin("users", "add", "ada", "--admin")
      assert.match(added.stdout, code)
      assert.strictEqual(added.exitCode, 0, added.stderr)
      assert.match(added.stderr, /^There was no database \S+ yet: it was made\.\nWith this code ada logs in [^\n]+:\n$/)
      assert.include(yield* written("users", "list"), "1 account in all.")
      // What nobody has written to yet is as good as none.
      const empty = `${path}/empty.sqlite`
      yield* FileSystem.FileSystem.use((files) => files.writeFileString(empty, ""))
      assert.match(yield* written("invite", "--database", empty), code)

      const { port } = yield* FileServer.startHere(file, { REGISTRATION: "off", GUESTS: "off" })
      assert.nestedInclude((yield* login(port, "ada", password("no such code"))).answer, {
        "reason._tag": "InvalidCredentials"
      })
      const { answer } = yield* login(port, "ada", password(added.stdout.trim()))
      assert.include(answer, { _tag: "Welcome", account: true, admin: true })
    })
  )

  it.effect("brings no database up to date, and reads none of a later version", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* makeDatabase(file)
      const { said } = operator(file)
      const [{ id } = { id: 0 }] = yield* sqlite(file, "SELECT MAX(migration_id) AS id FROM effect_sql_migrations")
      yield* sqlite(file, `DELETE FROM effect_sql_migrations WHERE migration_id = ${String(id)}`)
      assert.include(yield* said("users", "add", "ada"), "Start a server on it once")
      yield* sqlite(file, "INSERT INTO effect_sql_migrations (migration_id, name) VALUES (9999, 'later')")
      assert.include(yield* said("users", "add", "ada"), "Use that version.")
      yield* FileSystem.FileSystem.use((files) => files.writeFileString(file, "no database, but a file all the same"))
      assert.include(yield* said("users", "list"), `1: Cannot read ${file}:`)
    })
  )

  it.effect("lists any number of accounts, for as long as somebody reads", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFileInMemory
      yield* makeDatabase(file)
      yield* sqlite(
        file,
        `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5001)
         INSERT INTO accounts (name_key, name, since, last_seen) SELECT 'user' || n, 'User' || n, 1, 1 FROM numbers`
      )
      yield* FileServer.startHere(file)
      const { written } = operator(file)
      const all: ReadonlyArray<{ readonly user: string }> = JSON.parse(yield* written("users", "list", "--json"))
      assert.strictEqual(new Set(all.map(({ user }) => user)).size, 5001)
      const piped = yield* runShell(`DATABASE=${file} $ADMIN users list | head -n 1`, "/")
      assert.deepStrictEqual(
        [piped.stdout, piped.stderr, piped.exitCode],
        ["User1     1970-01-01T00:00:00.001Z\n", "", 0]
      )
    })
  )

  it.effect("says in one line what is wrong with what was typed", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      const refused = Effect.fnUntraced(function* (complaint: string, ...args: ReadonlyArray<string>) {
        const { exitCode, stderr, stdout } = yield* runHere(args, { DATABASE: file })
        assert.deepStrictEqual([stdout, exitCode], ["", 1], stderr)
        assert.match(stderr, /^[^\n]+\n$/)
        assert.include(stderr, complaint)
      })
      for (const command of ["list", "show ada", "disable ada", "reset ada", "delete ada", "promote ada"]) {
        yield* refused(`There is no database ${file} yet`, "users", ...command.split(" "))
      }
      yield* refused("that server keeps nothing", "users", "add", "ada", "--database", ":memory:")
      yield* refused("Cannot read /dev/null/chat.sqlite:", "users", "add", "ada", "--database", "/dev/null/chat.sqlite")
      yield* refused("that server keeps nothing", "users", "list", "--database", ":memory:")
      yield* refused('"a b" is no name of a user.', "users", "add", "a b")
      yield* refused('"" is no name of a user.', "users", "show", "")
      yield* refused("Missing required argument: name.", "users", "add")
      yield* refused("A reason is one line", "users", "disable", "ada", "--reason", "one\ntwo")
      yield* refused("Unknown subcommand", "users", "frobnicate")
      yield* refused("--uses is 0", "invite", "--uses", "0")
      yield* refused("--uses is 1001", "invite", "--uses", "1001")
      yield* refused("Expected an integer", "invite", "--uses", "1.5")
      yield* refused("--expires must be a duration", "invite", "--expires", "never")
      assert.isFalse(yield* FileSystem.FileSystem.use((files) => files.exists(file)))
    })
  )
})
