import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { complete, type KnownNames } from "../../../src/client/command/Completion.ts"

const known: KnownNames = {
  users: ["Ada", "alan", "bob", "élodie", "हिन्दी"],
  rooms: ["dart", "dev", "שָׁלוֹם"],
  membersOf: (room) => (room === "dev" ? ["alan"] : []),
  boundIn: (room) => (room === "dev" ? ["bad", "bill"] : [])
}

describe("the tab key", () => {
  it.each([
    [":lr", [":lr ", ":lrs ", ":lru "]],
    [":pm a", ["Ada ", "alan "]],
    [":pm ada a", []],
    [":rm d", ["dart ", "dev "]],
    [":rm dev d", []],
    [":lru DE", ["dev "]],
    [":search in:d", ["in:dart ", "in:dev "]],
    [":search tomatoes IN:DE", ["in:dev "]],
    [":search d", []],
    [":reply in:d", ["in:dart ", "in:dev "]],
    [":react #12 in:DE", ["in:dev "]],
    [":edit some in:d", []],
    [":un", [":unreact ", ":unban ", ":unmute ", ":unread ", ":unblock ", ":unregister "]],
    [":kick d", ["dart ", "dev "]],
    [":kick dev a", ["alan "]],
    [":kick dart a", ["Ada ", "alan "]],
    [":mute dev al", ["alan "]],
    [":unban dev b", ["bad ", "bill "]],
    [":unmute dart b", ["bob "]],
    [":invite dev a", ["Ada ", "alan "]],
    [":ban dev alan a", []],
    [":cr --", ["--private "]],
    [":cr --private d", ["dart ", "dev "]],
    [":cr --private dev --", []],
    [":audit d", ["dart ", "dev "]],
    [":help lr", ["lr ", "lrs ", "lru "]],
    [":nonsense a", []],
    ["I agree with b", ["bob "]],
    [":pm e\u0301", ["élodie "]],
    [":pm हि", ["हिन्दी "]],
    [":rm שָׁ", ["שָׁלוֹם "]],
    ["::a", []],
    ["", []]
  ])("offers after %j what can follow", (typed, offers) => {
    assert.deepStrictEqual<unknown>(complete(typed, known)[0], offers)
  })

  it.prop("offers only what begins with the word before the cursor", { typed: Schema.String }, ({ typed }) => {
    const [offers, word] = complete(typed, known)
    assert.isTrue(typed.endsWith(word))
    const begins = word.normalize("NFKC").toLowerCase()
    for (const offer of offers) assert.isTrue(offer.normalize("NFKC").toLowerCase().startsWith(begins))
  })
})
