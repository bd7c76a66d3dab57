import { assert, describe, it } from "@effect/vitest"
import { UserName } from "../../../src/common/name/UserName.ts"
import { type InboxPlace, makePrivatePlaces } from "../../../src/server/inbox/PrivatePlaces.ts"
import { SessionId } from "../../../src/server/session/Asker.ts"

const place = (session: number, seq: number, user: string): InboxPlace => ({
  holder: SessionId.make(session),
  seq,
  user: UserName.make(user)
})

describe("The places of private messages", () => {
  it("lead each end to the other's place, between these two names alone", () => {
    const places = makePrivatePlaces()
    places.remember(place(1, 5, "ada"), place(2, 9, "Ben"))
    assert.deepStrictEqual(places.find(SessionId.make(1), 5, UserName.make("ben")), place(2, 9, "Ben"))
    assert.deepStrictEqual(places.find(SessionId.make(2), 9, UserName.make("ADA")), place(1, 5, "ada"))
    assert.isUndefined(places.find(SessionId.make(1), 5, UserName.make("cyd")))
    assert.isUndefined(places.find(SessionId.make(1), 9, UserName.make("ben")))
    assert.isUndefined(places.find(SessionId.make(3), 5, UserName.make("ben")))
  })

  it("are the last thousand of each connection, and go with it", () => {
    const places = makePrivatePlaces()
    for (let seq = 1; seq <= 1001; seq++) places.remember(place(1, seq, "ada"), place(2, seq, "ben"))
    assert.isUndefined(places.find(SessionId.make(1), 1, UserName.make("ben")))
    assert.isDefined(places.find(SessionId.make(1), 2, UserName.make("ben")))
    assert.strictEqual(places.count(), 2000)
    places.forget(SessionId.make(1))
    assert.strictEqual(places.count(), 1000)
    assert.isUndefined(places.find(SessionId.make(1), 2, UserName.make("ben")))
  })

  it("are bounded in all: the connection that has been quiet longest is forgotten", () => {
    const places = makePrivatePlaces()
    for (let pair = 0; pair < 201; pair++) {
      for (let seq = 1; seq <= 500; seq++) places.remember(place(2 * pair, seq, "ada"), place(2 * pair + 1, seq, "ben"))
    }
    assert.isAtMost(places.count(), 200_000)
    assert.isUndefined(places.find(SessionId.make(0), 500, UserName.make("ben")))
    assert.isDefined(places.find(SessionId.make(400), 500, UserName.make("ben")))
  })
})
