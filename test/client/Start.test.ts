/** Where a start goes, and as whom: flags, the environment, and the profiles of the config file. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as ClientHere from "./ClientHere.ts"

const config = {
  servers: {
    home: { host: "home.invalid", port: 1111, user: "ada" },
    work: { host: "work.invalid", tls: true, user: "lovelace" }
  },
  default: "home"
}

layer(NodeServices.layer, { excludeTestServices: true })("The client", (it) => {
  const withConfig = (content: string) =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      yield* files.makeDirectory(`${folder}/parley`)
      yield* files.writeFileString(`${folder}/parley/config.json`, content)
      return (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
        ClientHere.run(args, { env: { XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, ...env } })
    })
  /** What it says of where it could not go. */
  const going = Effect.map(
    withConfig(JSON.stringify(config)),
    (run) =>
      (...given: Parameters<typeof run>) =>
        Effect.map(run(...given), ({ stderr }) => /Cannot chat as (\S+ on \S+)\. /.exec(stderr)?.[1] ?? stderr)
  )

  it.effect("goes to the default server, to one that is named, or to where the flags or the environment say", () =>
    Effect.gen(function* () {
      const to = yield* going
      assert.strictEqual(yield* to([]), "ada on home.invalid:1111")
      assert.strictEqual(yield* to(["@work"]), "lovelace on work.invalid:8080")
      assert.strictEqual(yield* to(["--server", "work", "--port", "2"]), "lovelace on work.invalid:2")
      assert.strictEqual(yield* to(["users", "--server", "work"]), "lovelace on work.invalid:8080")
      // A flag, the environment, the profile.
      assert.strictEqual(yield* to(["--user", "bob"], { USER_NAME: "eve" }), "bob on home.invalid:1111")
      assert.strictEqual(yield* to([], { USER_NAME: "eve" }), "eve on home.invalid:1111")
      // What is named is a flag.
      assert.strictEqual(
        yield* to(["@work"], { USER_NAME: "eve", CHAT_HOST: "x.invalid" }),
        "lovelace on work.invalid:8080"
      )
      // Nothing of the default one is used on another server.
      assert.strictEqual(yield* to(["--user", "bob"], { CHAT_HOST: "x.invalid" }), "bob on x.invalid:8080")
      assert.match(yield* to(["--host", "x.invalid"]), /No name was given/)
    })
  )

  it.effect("tells which servers there are, and that several need a full screen", () =>
    Effect.gen(function* () {
      const to = yield* going
      assert.match(yield* to(["@wrok"]), /There is no server "wrok" in .* Write work; there are: home, work\./)
      assert.match(yield* to(["work"]), /"work" is no command\. .*@work/)
      assert.match(yield* to(["sned"]), /Did you mean send\?/)
      assert.match(yield* to(["@home", "@work"]), /Several servers at once need the full screen/)
      assert.match(yield* to(["@home", "@work", "--user", "x"]), /--user is for one server, and 2 are named/)
      assert.match(yield* to([], { CHAT_PORT: "70000" }), /CHAT_PORT must be a port, from 1 to 65535/)
    })
  )

  it.effect("starts nothing with a config file that is wrong, and says where", () =>
    Effect.gen(function* () {
      const run = yield* withConfig('{\n  "theme": "drak"\n}')
      for (const args of [
        ["--user", "x"],
        ["users", "--user", "x"]
      ]) {
        const { exitCode, stderr, stdout } = yield* run(args)
        assert.strictEqual(exitCode, 2)
        assert.strictEqual(stdout, "")
        assert.match(stderr, /parley\/config\.json:2:3: theme must be one of "dark"/)
      }
      const { exitCode, stderr } = yield* run(["--config", "/nowhere/config.json", "--user", "x"])
      assert.strictEqual(exitCode, 2)
      assert.match(stderr, /"\/nowhere\/config\.json" is not there/)
    })
  )
})
