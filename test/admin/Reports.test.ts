/** `pnpm admin reports`: on a database that nobody uses, and through the server that runs on it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as FileServer from "../durability/FileServer.ts"
import * as Talk from "../support/AccountTalk.ts"
import { connect } from "../support/RawClient.ts"
import { folder, run, runHere } from "./AdminProcess.ts"

/** Processes take real time. */
const realTime = layer(NodeServices.layer, { excludeTestServices: true })

/** Right-to-left override, a line separator, and lines that look like those of a report. */
const hostile = "a\u202eb\u2028c\n1  2026 ada: nothing\n\tend"

realTime("pnpm admin reports", (it) => {
  it.effect(
    "lists, marks and deletes what was reported, beside a server and without one, and prints nothing that a terminal obeys",
    () =>
      Effect.gen(function* () {
        const { path } = yield* folder
        const file = `${path}/chat.sqlite`
        const admin = (...args: ReadonlyArray<string>) => runHere(["reports", ...args], { DATABASE: file })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { port } = yield* FileServer.startHere(file)
            const door = { connect: (options?: object) => connect({ ...options, port }) }
            const ada = yield* Talk.register(door, "Ada")
            const ben = yield* Talk.register(door, "ben")
            yield* ben.client.ask({ _tag: "GlobalMessage", content: hostile })
            yield* ben.client.ask({ _tag: "PrivateMessage", to: "ada", content: "psst" })
            yield* ada.client.ask({ _tag: "Report", target: 1, reason: "a\u202e lie" })
            yield* ada.client.ask({ _tag: "Report", with: "ben", target: 1, reason: "spam" })
            yield* ada.client.ask({ _tag: "Block", user: "ben" })
            yield* ben.client.ask({ _tag: "PrivateMessage", to: "ada", content: "hello?" })
            yield* ben.client.ask({ _tag: "EditMessage", with: "ada", target: 1, content: "psst!" })

            const listed = yield* admin()
            assert.strictEqual(listed.exitCode, 0, listed.stderr)
            assert.deepStrictEqual(listed.stdout.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME").split("\n"), [
              "2  TIME  Ada (an account at 127.0.0.1): spam",
              "  ben (an account) said, as message 1 in private with ben, TIME:",
              "    | psst",
              "",
              "1  TIME  Ada (an account at 127.0.0.1): a\ufffd lie",
              "  ben (an account) said, as message 1 in the lobby, TIME:",
              "    | a\ufffdb\ufffdc",
              "    | 1  2026 ada: nothing",
              "    |  end",
              "",
              "2 reports in all.",
              ""
            ])
            assert.strictEqual((yield* admin("--handled", "1")).stderr, "Report 1 is marked as handled.\n")
            const json: ReadonlyArray<Readonly<Record<string, unknown>>> = JSON.parse((yield* admin("--json")).stdout)
            assert.deepInclude(json[1], {
              id: 1,
              by: { user: "Ada", account: true, network: "127.0.0.1" },
              reason: "a\u202e lie",
              handled: true,
              seq: 1
            })
            assert.deepInclude(json[1]?.["said"], { from: { user: "ben", account: true }, content: hostile })
            assert.deepInclude(json[0], { id: 2, with: "ben", handled: false })
            assert.deepInclude(yield* admin("--delete", "2"), {
              exitCode: 0,
              stdout: "",
              stderr: "Report 2 is deleted.\n"
            })
            assert.deepInclude(yield* admin("--delete", "2"), {
              exitCode: 1,
              stderr: 'There is no report 2. "pnpm admin reports" shows all.\n'
            })
          })
        )
        // Without a server, in a process of its own.
        const alone = yield* run(["reports", "--json"], { env: { DATABASE: file } })
        assert.strictEqual(alone.exitCode, 0, alone.stderr)
        assert.match(alone.stdout, /^\[\{"id":1,[^\p{C}\p{Zl}]*\}\]\n$/u)
        assert.strictEqual((yield* admin("--delete", "1")).stderr, "Report 1 is deleted.\n")
        assert.strictEqual((yield* admin("--json")).stdout, "[]\n")
        assert.deepInclude(yield* admin("--delete", "0"), { exitCode: 1, stdout: "" })
        // What is kept of who is blocked, and of reports, is sound.
        const verified = yield* runHere(["verify"], { DATABASE: file })
        assert.strictEqual(verified.exitCode, 0, verified.stdout)
      })
  )
})
