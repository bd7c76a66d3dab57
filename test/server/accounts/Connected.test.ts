/** What a connection that is logging in hears of the read marks that others move meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { makeConnected } from "../../../src/server/accounts/Connected.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { SessionId } from "../../../src/server/session/Asker.ts"

const ada = AccountId.make(1)
const [here, coming] = [SessionId.make(1), SessionId.make(2)]
const dev = RoomName.make("dev")
const read = (seq: number, where: { room?: RoomName; with?: UserName } = {}) =>
  ({ _tag: "ReadMarked", seq, ...where }) as const

/** Ada on one connection, and about to be on another. */
const arriving = () => {
  const connected = makeConnected()
  connected.add(ada, { session: here, device: DeviceId.make("1") })
  connected.welcomed(here, [])
  connected.add(ada, { session: coming, device: DeviceId.make("2") })
  return connected
}

describe("A connection that is not welcomed yet", () => {
  it("hears of no mark before, and then of the newest of each place that its Welcome did not tell of", () => {
    const connected = arriving()
    for (const mark of [read(3), read(4), read(7, { room: dev }), read(9, { with: UserName.make("bob") })]) {
      assert.deepStrictEqual(connected.hearing(ada, mark), [here])
    }
    assert.deepStrictEqual(connected.welcomed(coming, [{ seq: 2 }, { room: RoomName.make("DEV"), seq: 8 }]), [
      read(4),
      read(9, { with: UserName.make("bob") })
    ])
    assert.deepStrictEqual(connected.hearing(ada, read(5)), [here, coming])
    assert.deepStrictEqual(connected.welcomed(coming, []), [])
  })

  it("is kept a thousand marks, the newest, and none once it is gone", () => {
    const connected = arriving()
    for (let number = 1; number <= 1005; number++) {
      connected.hearing(ada, read(number, { room: RoomName.make(`room${number}`) }))
    }
    const missed = connected.welcomed(coming, [])
    assert.lengthOf(missed, 1000)
    const places = missed.map((news) => (news._tag === "ReadMarked" ? news.seq : news.room))
    assert.deepStrictEqual([places[0], places.at(-1)], [6, 1005])
    const again = arriving()
    again.hearing(ada, read(3))
    again.remove(coming)
    assert.deepStrictEqual(again.welcomed(coming, []), [])
  })
})
