/**
 * Why the library is patched: without each part of the patch, the tests that hold with it fail. A process for each, for a process
 * loads one copy of the library.
 */
import { execFile, execFileSync } from "node:child_process"
import { cpSync, mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as process from "node:process"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"

const root = resolve(import.meta.dirname, "../../..")
const installed = realpathSync(join(root, "node_modules/ts-mls"))
const patch = join(root, ".patches/ts-mls@1.6.4.patch")
const folder = mkdtempSync(join(tmpdir(), "parley-unpatched-"))
const original = join(folder, "original")

const run = promisify(execFile)

/** What comes out with a copy of the library, in which these files are as they were published. */
const outcomeWithout = (name: string, files: ReadonlyArray<string>, what: string, seed: number): Promise<unknown> => {
  const copy = join(folder, name)
  cpSync(installed, copy, { recursive: true })
  for (const file of files) cpSync(join(original, "dist/src", file), join(copy, "dist/src", file))
  const program = join(import.meta.dirname, "LibraryProcess.ts")
  return run(process.execPath, [program, copy, what, `${seed}`]).then(({ stdout }): unknown => JSON.parse(stdout))
}

const issueIn = (outcome: unknown): string => JSON.stringify(outcome)

describe("Without the patch of the library", () => {
  beforeAll(() => {
    cpSync(installed, original, { recursive: true })
    execFileSync("git", ["apply", "-R", patch], { cwd: original })
  })
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  it("a group breaks when its members come and go", () =>
    outcomeWithout("members", ["clientState.js"], "churn", 1).then((outcome) => {
      assert.include(issueIn(outcome), "ChurnFailed")
    }))

  it("a tree is accepted in which a node's unmerged leaves do not account for what is below it", () =>
    outcomeWithout("hashes", ["parentHash.js"], "tampered", 2).then((outcome) => {
      assert.include(issueIn(outcome), '"a leaf more among the unmerged":{"Damaged":12,"joined":2}')
    }))

  it("who was removed by the only other one derives the keys of the next epoch", () =>
    outcomeWithout("secrets", ["createCommit.js", "updatePath.js"], "forgotten", 1).then((outcome) => {
      assert.isTrue(outcome)
    }))

  it("a commit that adds several devices whom nobody trusts ends the process of whoever reads it", () =>
    outcomeWithout("strangers", ["clientState.js"], "strangers", 1).then(
      (outcome) => {
        assert.notInclude(issueIn(outcome), '"unhandled":0')
      },
      // Sometimes it comes when nobody counts any more, and ends the process indeed.
      (error: unknown) => {
        assert.include(String(error), "Could not verify leaf node signature")
      }
    ))

  it("and with it, in such a copy, none of this is so", () =>
    outcomeWithout("nothing", [], "forgotten", 1).then((outcome) => {
      assert.isFalse(outcome)
    }))
})
