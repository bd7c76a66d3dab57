import { assert, describe, it } from "@effect/vitest"
import { UserName } from "../../../src/common/name/UserName.ts"
import { makeGuestInboxes } from "../../../src/server/inbox/GuestInboxes.ts"
import { SessionId } from "../../../src/server/session/Asker.ts"

const [one, other] = [SessionId.make(1), SessionId.make(2)]

describe("The inbox of a guest", () => {
  it("counts from 1 for each connection, and its time never goes back", () => {
    const guests = makeGuestInboxes()
    assert.deepStrictEqual(guests.next(one, 50), { seq: 1, at: 50 })
    assert.deepStrictEqual(guests.next(one, 40), { seq: 2, at: 50 })
    assert.deepStrictEqual(guests.next(other, 40), { seq: 1, at: 40 })
    assert.deepStrictEqual(guests.next(one, 60), { seq: 3, at: 60 })
  })

  it("is forgotten with its connection, and leaves nothing", () => {
    const guests = makeGuestInboxes()
    guests.next(one, 1)
    guests.next(other, 1)
    const [ada, ben] = [UserName.make("ada"), UserName.make("ben")]
    guests.remember({ holder: one, seq: 1, user: ada }, { holder: other, seq: 1, user: ben })
    guests.forget(one)
    assert.strictEqual(guests.count(), 1)
    assert.isUndefined(guests.find(one, 1, ben))
    assert.deepStrictEqual(guests.next(one, 9), { seq: 1, at: 9 })
  })

  it("has no place for what is replied to in an inbox that is gone", () => {
    const guests = makeGuestInboxes()
    const [ada, ben] = [UserName.make("ada"), UserName.make("ben")]
    guests.remember({ holder: one, seq: 4, user: ada }, { holder: other, seq: 9, user: ben })
    assert.strictEqual(guests.repliedTo(one, 4, other, ben), 9)
    assert.isUndefined(guests.repliedTo(one, 4, SessionId.make(3), ben))
    assert.isUndefined(guests.repliedTo(one, undefined, other, ben))
  })
})
