/** Deciding in a room that people govern: what one act changes for those behind it in the same run, and whose messages they are. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import type { Intent } from "../../../src/common/log/Entry.ts"
import type { Governing, Role } from "../../../src/common/log/Governing.ts"
import type { Sealing } from "../../../src/common/log/Sealing.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { MessageKey } from "../../../src/common/wire/RequestId.ts"
import { ungoverned } from "../../../src/server/governance/Governance.ts"
import type { Act } from "../../../src/server/rooms/Act.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"
import {
  act,
  ada,
  against,
  ban,
  ben,
  cyd,
  eve,
  GovernedRoom,
  inDev,
  kick,
  mod,
  mute,
  now,
  refused,
  role,
  root,
  say,
  topic,
  type Somebody
} from "./Governed.ts"

const key = "a key ..........."
const notInRoom = refused({ _tag: "NotInRoom", room: inDev.room })

describe("A key in a governed room", () => {
  it("is answered first, whoever was muted, put out or lost its role since", () => {
    const room = new GovernedRoom()
    room.run([
      act(ben, say(), key),
      act(mod, topic("tea"), key),
      against(mod, mute(cyd), cyd, true, "another key .....")
    ])
    const repeated = (seq: number) => ({ _tag: "Repeated" as const, seq, at: now, key: undefined })
    assert.deepStrictEqual(
      room.run([against(ada, mute(ben), ben), act(ben, say(), key), act(ben, say("new"))]).slice(1),
      [repeated(1), refused({ _tag: "Muted", room: inDev.room })]
    )
    assert.deepStrictEqual(
      room.run([against(ada, kick(ben), ben), act(ben, say(), key), act(ben, say("new"))]).slice(1),
      [repeated(1), notInRoom]
    )
    assert.deepStrictEqual(
      room.run([against(ada, role(mod, "member"), mod), act(mod, topic("milk"), key), act(mod, topic("milk"))])[1],
      repeated(2)
    )
    assert.strictEqual(room.governance.topic, "tea")
    // Also one that governs, asked again when what it did is done.
    assert.deepStrictEqual(room.run([against(mod, mute(cyd), cyd, true, "another key .....")]), [repeated(3)])
  })

  it("that comes twice in one run is one entry", () => {
    const room = new GovernedRoom()
    const asked = against(mod, kick(ben), ben, true, key)
    assert.deepStrictEqual(room.verdicts([asked, asked]), ["Accepted", "Repeated"])
    assert.lengthOf(room.log.entries, 1)
  })
})

describe("Who was put out by this run", () => {
  it.each(["Kicked", "Banned"] as const)(
    "says and does nothing in it any more, however its name is spelled: %s",
    (_tag) => {
      const room = new GovernedRoom()
      const again = { ...ben, user: UserName.make("BEN") }
      const run = [
        act(ben, say()),
        against(mod, { _tag, user: ben.user }, ben),
        act(ben, say()),
        act(again, say()),
        act(cyd, say())
      ]
      assert.deepStrictEqual(room.verdicts(run), ["Accepted", "Accepted", "NotInRoom", "NotInRoom", "Accepted"])
      assert.deepStrictEqual(
        room.log.entries.map(({ entry }) => entry.body._tag),
        ["Said", _tag, "Said"]
      )
    }
  )

  it("does not govern in it either: a moderator who is kicked kicks nobody", () => {
    const room = new GovernedRoom()
    assert.deepStrictEqual(
      room.verdicts([against(ada, kick(mod), mod), against(mod, kick(ben), ben), act(mod, topic("mine"))]),
      ["Accepted", "NotInRoom", "NotInRoom"]
    )
  })

  it("is no member any more, if it is an account: that is stored with the entry", () => {
    const dismissed = (who: Somebody, body: Governing) => {
      const [decision] = new GovernedRoom().run([against(mod, body, who)])
      return decision?._tag === "Accepted" && decision.dismissed
    }
    assert.strictEqual(dismissed(ben, kick(ben)), ben.account)
    assert.strictEqual(dismissed(ben, ban(ben)), ben.account)
    assert.strictEqual(dismissed(ben, mute(ben)), undefined)
    assert.strictEqual(dismissed(eve, kick(eve)), undefined)
  })
})

describe("A run in a governed room", () => {
  const people = [ada, mod, ben, root, eve] as const
  type Kind = Exclude<Intent["_tag"], "Banned" | "Kicked" | Sealing["_tag"]>
  const someAct: Arbitrary.Arbitrary<Act> = Arbitrary.all({
    who: oneOf<Somebody>(...people),
    whom: oneOf<Somebody>(...people),
    tag: oneOf<Kind>(
      "Said",
      "Edited",
      "Deleted",
      "Reacted",
      "TopicSet",
      "AccessSet",
      "RoleSet",
      "RoleSet",
      "Invited",
      "Muted",
      "Muted",
      "Unmuted",
      "Unbanned"
    ),
    to: oneOf<Role>("owner", "moderator", "member"),
    target: wholeNumber(1, 6),
    until: oneOf<number | undefined>(undefined, now - 1, now + 1),
    isMember: oneOf(true, false),
    key: oneOf<MessageKey | undefined>(undefined, undefined, "first key ......", "second key .....")
  }).pipe(
    Arbitrary.map(({ isMember, key: asked, tag, target, to, until, who, whom }): Act => {
      const { user } = whom
      const bodies = {
        Said: say(),
        Edited: { _tag: "Edited", target, content: "edited" },
        Deleted: { _tag: "Deleted", target },
        Reacted: { _tag: "Reacted", target, reaction: "👍" },
        TopicSet: topic("tea"),
        AccessSet: { _tag: "AccessSet", private: isMember },
        RoleSet: role(whom, to),
        Invited: { _tag: "Invited", user },
        Muted: mute(whom, until),
        Unmuted: { _tag: "Unmuted", user },
        Unbanned: { _tag: "Unbanned", user }
      } satisfies Record<Kind, Intent>
      return against(who, bodies[tag], whom, isMember, asked)
    })
  )
  const someRuns = Arbitrary.array(Arbitrary.array(someAct, { maxLength: 8 }), { maxLength: 6 })

  it.prop(
    "comes to the same as each of its acts alone, in their order, where nobody is put out",
    [someRuns],
    ([runs]) => {
      const together = new GovernedRoom()
      const apart = new GovernedRoom()
      for (const run of runs) {
        assert.deepStrictEqual(
          together.run(run),
          run.flatMap((one) => apart.run([one]))
        )
        assert.deepStrictEqual(together.log.entries, apart.log.entries)
        assert.deepStrictEqual(together.governance, apart.governance)
      }
    },
    tries(300, 30)
  )

  it.prop(
    "changes how the room is governed by entries alone",
    [someRuns],
    ([runs]) => {
      const room = new GovernedRoom()
      for (const one of runs.flat()) {
        const before = room.governance
        const [decision] = room.run([one])
        if (decision?._tag !== "Accepted") assert.strictEqual(room.governance, before)
      }
    },
    tries(200, 30)
  )

  it("knows of each act what those before it made: who handed the room over does not give roles any more", () => {
    const room = new GovernedRoom()
    const run = [
      against(ada, role(ben, "owner"), ben),
      against(ada, role(cyd, "moderator"), cyd),
      against(ben, role(cyd, "moderator"), cyd),
      against(cyd, mute(eve), eve),
      act(eve, say()),
      against(cyd, { _tag: "Unmuted", user: eve.user }, eve),
      act(eve, say())
    ]
    assert.deepStrictEqual(room.verdicts(run), [
      "Accepted",
      "NotAllowed",
      "Accepted",
      "Accepted",
      "Muted",
      "Accepted",
      "Accepted"
    ])
    assert.deepStrictEqual(
      room.governance.moderators.map(({ user }) => user),
      [mod.user, ada.user, cyd.user]
    )
  })
})

describe("A message", () => {
  const deletedBy = (who: Somebody, over = {}) => {
    const { owner, ...ownerless } = new GovernedRoom().governance
    const room = new GovernedRoom("guestOwner" in over ? ownerless : { ...ownerless, ...(owner && { owner }) })
    room.run([act(ben, say())])
    const [decision] = room.run([act(who, { _tag: "Deleted", target: 1, reason: "noise" })], over)
    return decision
  }

  it("is deleted by its author as ever, and by who moderates so that it can be seen", () => {
    const own = { _tag: "Deleted", target: 1, reason: "noise" }
    assert.deepStrictEqual<unknown>(deletedBy(ben), { _tag: "Accepted", body: own })
    for (const who of [ada, mod, root]) {
      assert.deepStrictEqual<unknown>(deletedBy(who), { _tag: "Accepted", body: { ...own, moderated: true } })
    }
    const guestOwner = { guestOwner: eve.author }
    assert.deepStrictEqual<unknown>(deletedBy(eve, guestOwner), { _tag: "Accepted", body: { ...own, moderated: true } })
  })

  it("is not deleted by others, nor in the lobby by who is no admin", () => {
    const notAllowed = refused({ _tag: "NotAllowed", action: "DeleteMessage" })
    for (const who of [cyd, eve]) assert.deepStrictEqual(deletedBy(who), notAllowed)
    const room = new GovernedRoom(ungoverned(0))
    const lobby = { conversation: { _tag: "Lobby" } } as const
    room.run([act(ben, say())], lobby)
    const [others, admins] = room.run(
      [ada, root].map((who) => act(who, { _tag: "Deleted", target: 1 })),
      lobby
    )
    assert.deepStrictEqual(others, notAllowed)
    assert.deepStrictEqual<unknown>(admins, { _tag: "Accepted", body: { _tag: "Deleted", target: 1, moderated: true } })
  })

  it("is its author's also on the connection on which a guest became an account", () => {
    const room = new GovernedRoom()
    room.run([act(eve, say())])
    const later = {
      ...act({ ...eve, account: AccountId.make(9) }, { _tag: "Deleted", target: 1 }),
      author: cyd.author,
      guest: eve.author
    }
    assert.deepStrictEqual<unknown>(room.run([later]), [{ _tag: "Accepted", body: { _tag: "Deleted", target: 1 } }])
  })

  it("is edited by nobody but its author, whoever governs", () => {
    const room = new GovernedRoom()
    room.run([act(ben, say())])
    const edits = [ada, mod, root].map((who) => act(who, { _tag: "Edited", target: 1, content: "not mine" }))
    assert.deepStrictEqual(room.verdicts(edits), ["NotAllowed", "NotAllowed", "NotAllowed"])
  })
})
