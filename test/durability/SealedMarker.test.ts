/**
 * What was said in an encrypted room and in an encrypted conversation is nowhere with the server: not in its files, not in what it
 * logs, not in the memory of its process; and nowhere in the clear in what clients keep. What was said in the open is found by the same search.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs"
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Random } from "effect"
import { conversationRoom, RoomName } from "../../src/common/name/RoomName.ts"
import { enter, homeOf, isIn, makeVault, say, switchOn, texts, until, vault } from "../client/sealed/Devices.ts"
import { folder } from "../client/sealed/Folder.ts"
import * as ServerProcess from "../support/ServerProcess.ts"

/** As a server could hold it: as bytes of UTF-8, as a string of two bytes for each letter, or as base64. */
const spellings = (text: string): ReadonlyArray<Buffer> => {
  const utf8 = Buffer.from(text)
  // The letters of base64 that do not depend on what stands around.
  const inBase64 = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), utf8])
      .toString("base64")
      .slice(4, -4)
  )
  return [utf8, Buffer.from(text, "utf16le"), ...inBase64.map((one) => Buffer.from(one))]
}

const holds = (bytes: Buffer, text: string): boolean => spellings(text).some((spelling) => bytes.includes(spelling))

/** The files in a folder and those below that have it, by name. */
const filesWith = (path: string, text: string): ReadonlyArray<string> =>
  readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && holds(readFileSync(`${entry.parentPath}/${entry.name}`), text))
    .map(({ name }) => name)

const mostAtOnce = 64 * 1024 * 1024

/** Which of these, which begin alike, a process has in the memory that it can write to. */
const inMemory = (pid: number, beginning: string, wanted: ReadonlyArray<string>): ReadonlySet<string> => {
  const found = new Set<string>()
  const memory = openSync(`/proc/${pid}/mem`, "r")
  try {
    for (const [, from = "", to = ""] of readFileSync(`/proc/${pid}/maps`, "utf8").matchAll(/^(\w+)-(\w+) rw/gm)) {
      const end = BigInt(`0x${to}`)
      for (let at = BigInt(`0x${from}`); at < end; at += BigInt(mostAtOnce)) {
        const bytes = Buffer.alloc(Math.min(mostAtOnce, Number(end - at)))
        try {
          readSync(memory, bytes, 0, bytes.length, at)
        } catch {
          // Given back meanwhile, or not there at all.
          continue
        }
        if (!holds(bytes, beginning)) continue
        for (const text of wanted) if (holds(bytes, text)) found.add(text)
      }
    }
  } finally {
    closeSync(memory)
  }
  return found
}

describe.skipIf(process.platform !== "linux")("What was sealed", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("is nowhere with the server: in no file, in no line of its log and not in its memory", () =>
      Effect.gen(function* () {
        const path = yield* folder
        const env = { HOST: "127.0.0.1", PORT: "0", DATABASE: `${path}/server/chat.sqlite`, LOG_LEVEL: "debug" }
        const server = yield* ServerProcess.start({ env })
        const ada = yield* switchOn(server.port, homeOf(`${path}/clients`, "ada", "desk"))
        const ben = yield* switchOn(server.port, homeOf(`${path}/clients`, "ben", "desk"))
        const marker = yield* Effect.map(Random.nextIntBetween(0, 2 ** 32), (number) =>
          number.toString(36).padStart(8, "q")
        )
        const beginning = `marker-${marker}-`
        const inRoom = `${beginning}in-a-room`
        const edited = `${beginning}edited`
        const inPrivate = `${beginning}in-private`
        const inTheOpen = `${beginning}in-the-open`

        yield* makeVault(ada)
        yield* enter(ben)
        yield* until("ben is let in", isIn(ben, vault, 2))
        const between = conversationRoom(ada.home.user, ben.home.user)
        yield* ada.client.request({ _tag: "OpenConversation", with: ben.home.user })
        yield* until("both are in", isIn(ben, between, 2))
        const hasRead = (text: string, room: RoomName) =>
          until(
            "it is read",
            Effect.map(texts(ben, room), (all) => all.includes(text))
          )
        yield* say(ada, inRoom)
        yield* hasRead(inRoom, vault)
        const target = (yield* ben.rooms.rows(vault)).at(-1)?.seq ?? 0
        yield* ada.rooms.say(vault, { _tag: "Edited", target, content: edited })
        yield* hasRead(edited, vault)
        yield* say(ada, inPrivate, between)
        yield* hasRead(inPrivate, between)
        const open = RoomName.make("open")
        yield* ada.client.request({ _tag: "CreateRoom", room: open })
        yield* ada.client.request({ _tag: "JoinRoom", room: open })
        yield* ada.client.send({ _tag: "RoomMessage", room: open, content: inTheOpen })

        // What is found of what was said in the open is what the search is worth.
        assert.isNotEmpty(filesWith(`${path}/server`, inTheOpen))
        const remembered = inMemory(server.pid, beginning, [inTheOpen, inRoom, edited, inPrivate])
        assert.deepStrictEqual([...remembered], [inTheOpen])
        for (const text of [inRoom, edited, inPrivate]) assert.deepStrictEqual(filesWith(`${path}/server`, text), [])
        yield* server.kill("SIGTERM")
        const { stderr, stdout } = yield* server.exited
        const log = [...stdout, stderr].join("\n")
        assert.include(log, "ada")
        assert.notInclude(log, marker)

        // Of what clients keep, names of rooms are in the clear, and nothing that was said.
        assert.include(filesWith(`${path}/clients`, "vault").join(" "), ".sqlite")
        for (const text of [inRoom, edited, inPrivate]) assert.deepStrictEqual(filesWith(`${path}/clients`, text), [])
      }).pipe(Effect.scoped)
    )
  })
})
