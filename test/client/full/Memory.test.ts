import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Option } from "effect"
import * as Memory from "../../../src/client/full/Memory.ts"
import { talkOf } from "../../../src/client/full/View.ts"
import { after, begin, connected, pressed, received, rowsIn, said } from "./Drawn.ts"

const start = after(begin(80, 24), connected)

layer(NodeServices.layer)("What a screen remembers", (it) => {
  it.effect("is the same after a restart, in a file of one's own", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const path = `${folder}/screens/ada.json`
      const { view } = pressed(start, "type:half", "alt+2", "type:for dev", "alt+m", "f2", "type:\n")
      const first = yield* Memory.fileAt(path)
      assert.isUndefined(yield* first.read)
      yield* first.keep(Memory.memoryOf(view, { "room ops": "not lost" }))
      assert.strictEqual((yield* files.stat(path)).mode & 0o777, 0o600)

      const second = yield* Memory.fileAt(path)
      const memory = yield* second.read
      assert.isDefined(memory)
      if (memory === undefined) return
      const again = Memory.recalled(start, memory)
      assert.deepStrictEqual(rowsIn(again), rowsIn({ ...view, notice: undefined }))
      assert.strictEqual(talkOf(pressed(again, "alt+1").view).draft, "half")
      assert.deepStrictEqual(Memory.waitingIn(again, memory.drafts), { "room ops": "not lost" })

      const joined = {
        _tag: "RoomJoined",
        room: "ops",
        epoch: "f",
        seq: 0,
        missed: 0,
        truncated: false,
        users: [],
        count: 0
      }
      const there = Memory.withDrafts(after(again, received(joined)), memory.drafts)
      assert.strictEqual(there.chat.talks.get("room ops")?.draft, "not lost")
    })
  )

  it("is no draft that was to replace a message: it would be sent as a new one", () => {
    const own = after(start, said(1, "ben", "first"))
    const { view } = pressed(own, "up", "type: and more", "alt+2", "type:for dev")
    assert.deepStrictEqual(Memory.memoryOf(view, {}).drafts, { "room dev": "for dev" })
  })

  it("never takes the place of what is typed already", () => {
    const typing = pressed(start, "type:typed at once").view
    const again = Memory.withDrafts(typing, { lobby: "from before", "room dev": "for dev" })
    assert.strictEqual(talkOf(again).draft, "typed at once")
    assert.strictEqual(talkOf(pressed(again, "alt+2").view).draft, "for dev")
  })

  it("is bounded, and what is typed in conversations that are there comes first", () => {
    const { view } = pressed(start, "type:half")
    const waiting = Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`room r${index}`, "x".repeat(9000)]))
    const memory = Memory.memoryOf(view, waiting)
    assert.strictEqual(memory.drafts["lobby"], "half")
    assert.isAbove(Object.keys(memory.drafts).length, 50)
    assert.isBelow(JSON.stringify(memory).length, 1_200_000)
    const small = Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`room r${index}`, "x"]))
    assert.strictEqual(Object.keys(Memory.memoryOf(view, small).drafts).length, 500)
  })

  it("is what was chosen otherwise than in the config file, which says the rest", () => {
    const configured = new Map([
      ["room dev", "none"],
      ["lobby", "all"]
    ] as const)
    const view = { ...start, configured, levels: configured }
    const { view: chosen } = pressed(view, "alt+2", "type::notify mentions", "enter", "alt+3", "alt+m")
    const memory = Memory.memoryOf(chosen, {})
    assert.deepStrictEqual(memory.notify, { "room dev": "mentions", "with ada": "none" })
    // Meanwhile the file says something else of the lobby, which nothing was chosen for.
    const later = new Map([["lobby", "none"]] as const)
    const again = Memory.recalled({ ...start, configured: later, levels: later }, memory)
    assert.deepStrictEqual(Object.fromEntries(again.levels), {
      lobby: "none",
      "room dev": "mentions",
      "with ada": "none"
    })
  })

  it.effect(
    "is sealed, what is said in it, where there are keys; and put back unread where there are none just now",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const path = `${yield* files.makeTempDirectoryScoped()}/ada.json`
        const { view } = pressed(start, "type:a secret draft")
        // Not a cipher: that words go through it, and that nothing else does, is what is looked at.
        const keys = {
          sealText: (text: string) => Effect.succeed(Buffer.from(text).toString("hex")),
          openText: (sealed: string) => Effect.succeed(Buffer.from(sealed, "hex").toString())
        }
        yield* (yield* Memory.fileAt(path, keys)).keep(Memory.memoryOf(view, { "room ops": "another secret" }))
        assert.notInclude(yield* files.readFileString(path), "secret")

        const without = yield* Memory.fileAt(path)
        const read = (yield* without.read) ?? assert.fail()
        assert.deepStrictEqual((yield* without.recall(read)).drafts, {})
        yield* without.keep({ ...read, drafts: { lobby: "typed meanwhile" } })

        const again = yield* Memory.fileAt(path, keys)
        const known = yield* again.recall((yield* again.read) ?? assert.fail())
        assert.deepStrictEqual(known.drafts, { lobby: "a secret draft", "room ops": "another secret" })
      })
  )

  it.effect("is never half written: who has the file open, has the one before as a whole", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const path = `${folder}/ada.json`
      const { keep } = yield* Memory.fileAt(path)
      const textWith = (draft: string) => Memory.memoryOf(pressed(start, `type:${draft}`).view, {})
      yield* keep(textWith("one"))
      const open = yield* files.open(path, { flag: "r" })
      yield* keep(textWith("two"))
      const before = new TextDecoder().decode(Option.getOrThrow(yield* open.readAlloc(65_536)))
      assert.include(before, '"lobby":"one"')
      assert.include(yield* files.readFileString(path), '"lobby":"two"')
      assert.deepStrictEqual(yield* files.readDirectory(folder), ["ada.json"])
    })
  )

  it.effect("is written beside its file by each client for itself, and into no file that a link leads to", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const path = `${folder}/ada.json`
      const other = `${folder}/other`
      // Another client is about to rename what it has written.
      yield* files.writeFileString(`${path}.new`, "half of ano")
      yield* files.writeFileString(other, "precious")
      yield* files.symlink(other, `${path}.${process.pid}`)
      yield* (yield* Memory.fileAt(path)).keep(Memory.memoryOf(start, {}))
      assert.strictEqual(yield* files.readFileString(`${path}.new`), "half of ano")
      assert.strictEqual(yield* files.readFileString(other), "precious")
      assert.isDefined(yield* (yield* Memory.fileAt(path)).read)
    })
  )

  it.effect("is nothing where the file is broken, or longer than any that was written", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      yield* files.writeFileString(`${folder}/ada.json`, '{"shown":')
      const read = Effect.flatMap(Memory.fileAt(`${folder}/ada.json`), (file) => file.read)
      assert.isUndefined(yield* read)
      const text = (units: number) => JSON.stringify(Memory.memoryOf(start, { "room ops": "x".repeat(units) }))
      yield* files.writeFileString(`${folder}/ada.json`, text(1000))
      assert.isDefined(yield* read)
      const padding = " ".repeat(6 * 1024 * 1024)
      yield* files.writeFileString(`${folder}/ada.json`, text(1000) + padding)
      assert.isUndefined(yield* read)
    })
  )
})
