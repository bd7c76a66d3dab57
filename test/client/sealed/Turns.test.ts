/** Whose turn it is to change keys: those alone are waited for who can. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { identityKey } from "../../../src/client/crypto/Identity.ts"
import type { Pin } from "../../../src/client/sealed/Pin.ts"
import { turnOf, whoAct } from "../../../src/client/sealed/Tending.ts"
import { nameKey } from "../../../src/common/name/Name.ts"
import { identity } from "../crypto/Crowd.ts"
import { enter, isIn, makeVault, until, vault } from "./Devices.ts"
import { world } from "./Lies.ts"

const pause = 400
const devices = ["ada", "ben", "cyd", "dee", "eve"].map((user) =>
  Object.assign(identity(user), { publicKey: new Uint8Array(32) })
)
const nobody = { pins: new Map<string, Pin>(), toGo: new Set<string>(), gone: new Set<string>() }

describe("The order of those who change keys", () => {
  it("leaves out who is to go, or is not here: of all others the first waits for nobody", () => {
    for (let keyEpoch = 0; keyEpoch < 50; keyEpoch++) {
      const [first, ...rest] = devices.toSorted(
        (one, other) => turnOf(one, devices, keyEpoch, pause) - turnOf(other, devices, keyEpoch, pause)
      )
      assert(first !== undefined)
      const shortest = (known: Partial<typeof nobody>) =>
        Math.min(
          ...rest.map((own) => turnOf(own, whoAct({ own, inGroup: devices, ...nobody, ...known }), keyEpoch, pause))
        )
      assert.isAbove(shortest({}), 0)
      assert.strictEqual(shortest({ toGo: new Set([identityKey(first)]) }), 0)
      assert.strictEqual(shortest({ gone: new Set([nameKey(first.user)]) }), 0)
      const chain = { root: "", n: 2, hash: "", devices: {}, ever: {} }
      assert.strictEqual(
        shortest({ pins: new Map([[nameKey(first.user), { user: first.user, chain, former: [] }]]) }),
        0
      )
    }
  })

  it("has oneself in it, whoever says that one is gone", () => {
    const [own] = devices
    assert(own !== undefined)
    const left = whoAct({ own, inGroup: devices, ...nobody, gone: new Set(devices.map(({ user }) => nameKey(user))) })
    assert.deepStrictEqual(left, [own])
  })
})

layer(NodeServices.layer, { excludeTestServices: true })("Where the first in that order leaves", (it) => {
  it.effect("the next one removes them at once", () =>
    Effect.gen(function* () {
      const { lying, on } = yield* world
      const looks = new Map<string, number>()
      lying.asked((line, { user }) => {
        if (line._tag === "ListRoomUsers") looks.set(user, (looks.get(user) ?? 0) + 1)
        return undefined
      })
      const options = { patience: 1500 }
      const ada = yield* on("ada", "desk", options)
      yield* makeVault(ada)
      const all = [ada]
      for (const user of ["ben", "cyd", "dee"]) {
        const one = yield* on(user, "desk", options)
        yield* enter(one)
        all.push(one)
        yield* until(
          "all are in",
          Effect.map(
            Effect.forEach(all, (each) => isIn(each, vault, all.length)),
            (each) => each.every((isOne) => isOne)
          )
        )
      }
      const view = yield* ada.rooms.view(vault)
      const members = view?.members ?? []
      const [first] = members.toSorted(
        (one, other) =>
          turnOf(one, members, view?.keyEpoch ?? 0, pause) - turnOf(other, members, view?.keyEpoch ?? 0, pause)
      )
      const leaver = all.find(({ home }) => home.user === first?.user)
      const rest = all.filter((one) => one !== leaver)
      assert(leaver !== undefined)
      const before = new Map(looks)
      yield* until(
        "all turns of this key epoch are over",
        Effect.sync(() => rest.every(({ home: { user } }) => (looks.get(user) ?? 0) > (before.get(user) ?? 0)))
      )
      yield* leaver.client.request({ _tag: "LeaveRoom", room: vault })
      // Less than one turn.
      yield* until(
        "they are out",
        Effect.map(
          Effect.forEach(rest, (one) => isIn(one, vault, 3)),
          (each) => each.every((isOne) => isOne)
        ),
        1200
      )
    }).pipe(Effect.scoped)
  )
})
