/** What entries make of a room: held against reading its log anew for each question, and its bounds. */
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Schema } from "effect"
import type { Governing } from "../../../src/common/log/Governing.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import {
  boundBy,
  forgetAccount,
  govern,
  Governance,
  isFull,
  isInvited,
  isPlain,
  joined,
  maxBans,
  maxInvited,
  maxModerators,
  maxMutes,
  owned,
  type Person,
  roleOf,
  standing,
  type Subject,
  ungoverned
} from "../../../src/server/governance/Governance.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { tries } from "../../support/generators.ts"
import * as Naive from "./NaiveGovernance.ts"
import { ada, ben, cyd, everybody, guests, lateEve, someSteps, type Step } from "./NaiveGovernance.ts"

const [eve, eveFar, mal, zoe, zoeGone] = guests
const by = UserName.make("ada")
const founded: Governance = { ...ungoverned(7), owner: ada }

const after = (before: Governance, step: Step): Governance => {
  if (step.do === "join") return joined(before, step.who)
  if (step.do === "delete account") return forgetAccount(before, step.who)
  return govern(before, step.act, by, step.subject, step.now)
}

const done = (before: Governance, act: Governing, subject?: Subject, now = 0) => govern(before, act, by, subject, now)
const about = ({ user }: Subject) => ({ user })
const ban = (subject: Subject, until?: number) =>
  done(founded, { _tag: "Banned", ...about(subject), ...(until !== undefined && { until }) }, subject)

const account = (number: number) => ({ user: UserName.make(`a${number}`), account: AccountId.make(1000 + number) })
const bound = (number: number, until?: number) => ({ ...account(number), by, ...(until !== undefined && { until }) })

describe("How a room is governed", () => {
  it.prop(
    "is after any entries what reading all of them would tell, of each person at any time from then on",
    [someSteps],
    ([steps]) => {
      let governance = founded
      let now = 0
      for (const [index, step] of steps.entries()) {
        governance = after(governance, step)
        if (step.do === "act") now = step.now
        const known = steps.slice(0, index + 1)
        assert.strictEqual(governance.topic ?? "", Naive.topicOf(known))
        assert.strictEqual(governance.isPrivate, Naive.isPrivate(known))
        for (const who of everybody) {
          assert.strictEqual(roleOf(governance, who), Naive.roleOf(known, who, ada))
          assert.strictEqual(isInvited(governance, who), Naive.isInvited(known, who))
          for (const at of [now, now + 1, 19, 20, 49, 50, 1000].filter((time) => time >= now)) {
            const bans = boundBy(governance.bans, who, at)
            const mutes = boundBy(governance.mutes, who, at)
            assert.strictEqual(bans && (bans.until ?? Infinity), Naive.bindings(known, "Banned", who, at)[0])
            assert.strictEqual(mutes && (mutes.until ?? Infinity), Naive.bindings(known, "Muted", who, at)[0])
          }
        }
      }
    },
    tries(300, 30)
  )

  it.prop(
    "names nobody twice, and no owner among the moderators, and is read back as it was written",
    [someSteps],
    ([steps]) => {
      const governance = steps.reduce(after, founded)
      const once = (all: ReadonlyArray<Subject>) => {
        const names = all.map(({ account: number, user }) => number ?? user.toLowerCase())
        assert.strictEqual(new Set(names).size, names.length)
      }
      once([...governance.moderators, ...(governance.owner === undefined ? [] : [governance.owner])])
      for (const all of [governance.bans, governance.mutes, governance.invited]) once(all)
      const json = Schema.fromJsonString(Governance)
      assert.deepStrictEqual(Schema.decodeSync(json)(Schema.encodeSync(json)(governance)), governance)
    },
    tries(200, 40)
  )

  it("was made when it was made, whatever is done to it", () => {
    const acts: ReadonlyArray<Governing> = [
      { _tag: "TopicSet", topic: "tea" },
      { _tag: "AccessSet", private: true },
      { _tag: "Banned", user: ada.user }
    ]
    assert.strictEqual(acts.reduce((before, act) => done(before, act, ada), founded).createdAt, 7)
  })

  it("is plain only as long as it says nothing of anybody", () => {
    assert.isTrue(isPlain(ungoverned(7)))
    assert.isFalse(isPlain(founded))
    const acts: ReadonlyArray<Governing> = [
      { _tag: "TopicSet", topic: "tea" },
      { _tag: "AccessSet", private: true },
      { _tag: "RoleSet", ...about(ben), role: "moderator" },
      { _tag: "Invited", ...about(ben) },
      { _tag: "Banned", ...about(ben) },
      { _tag: "Muted", ...about(ben) }
    ]
    for (const act of acts) assert.isFalse(isPlain(done(ungoverned(7), act, ben)), act._tag)
    assert.isTrue(
      isPlain(done(done(ungoverned(7), { _tag: "TopicSet", topic: "tea" }), { _tag: "TopicSet", topic: "" }))
    )
  })

  it("stays the same thing where nothing changes, so that nothing is stored", () => {
    assert.strictEqual(joined(founded, ben), founded)
    assert.strictEqual(joined(founded, eve), founded)
    assert.strictEqual(forgetAccount(ban(ben), cyd).bans.length, 1)
    assert.strictEqual(forgetAccount(founded, ben), founded)
    assert.strictEqual(owned(founded, ben), founded)
    assert.deepStrictEqual(owned(ungoverned(7), ben), { ...ungoverned(7), owner: ben })
  })

  it("forgets an account's roles and invitations with it, and keeps whom that account bound", () => {
    const governed = done(
      done(
        done(founded, { _tag: "RoleSet", ...about(ben), role: "moderator" }, ben),
        { _tag: "Invited", ...about(cyd) },
        cyd
      ),
      { _tag: "Banned", ...about(eve) },
      eve
    )
    assert.deepStrictEqual(forgetAccount(governed, ada).moderators, [ben])
    assert.isUndefined(forgetAccount(governed, ada).owner)
    assert.strictEqual(forgetAccount(governed, ada).bans.length, 1)
    assert.deepStrictEqual(forgetAccount(governed, ben), { ...governed, moderators: [] })
    assert.deepStrictEqual(forgetAccount(governed, cyd), { ...governed, invited: [] })
  })

  it("keeps the owner where it is kicked, and not where it is banned; lifting the ban gives nothing back", () => {
    assert.strictEqual(roleOf(done(founded, { _tag: "Kicked", ...about(ada) }, ada), ada), "owner")
    const banned = ban(ada)
    assert.strictEqual(roleOf(banned, ada), "member")
    const lifted = done(banned, { _tag: "Unbanned", ...about(ada) }, ada)
    assert.strictEqual(roleOf(lifted, ada), "member")
    assert.isTrue(isPlain(lifted))
  })
})

describe("A ban or a mute", () => {
  it("binds until its end, and not from then on", () => {
    const { bans } = ban(ben, 50)
    assert.isDefined(boundBy(bans, ben, 0))
    assert.isDefined(boundBy(bans, ben, 49))
    assert.isUndefined(boundBy(bans, ben, 50))
    assert.isUndefined(boundBy(bans, ben, 51))
    assert.isDefined(boundBy(ban(ben).bans, ben, Number.MAX_SAFE_INTEGER))
  })

  it("that has run out goes with the next of its kind, and with a lift", () => {
    const governance = ban(ben, 50)
    const next = done(governance, { _tag: "Banned", ...about(cyd) }, cyd, 50)
    assert.deepStrictEqual(
      next.bans.map(({ user }) => user),
      [cyd.user]
    )
    assert.deepStrictEqual(done(governance, { _tag: "Banned", ...about(cyd) }, cyd, 49).bans.length, 2)
    assert.deepStrictEqual(done(governance, { _tag: "Unbanned", ...about(cyd) }, cyd, 50).bans, [])
  })

  it("of an account binds that account, under whatever name, and nobody who has its name later", () => {
    const { bans } = ban(ben)
    assert.isDefined(boundBy(bans, { ...ben, user: UserName.make("benjamin") }, 0))
    assert.isUndefined(boundBy(bans, { user: ben.user }, 0))
    assert.isUndefined(boundBy(bans, { ...ben, account: AccountId.make(99) }, 0))
  })

  it("of a guest binds its name, every guest from its network, and the account that is registered under it", () => {
    const { bans } = ban(eve)
    const isBound = (person: Person) => boundBy(bans, person, 0) !== undefined
    assert.deepStrictEqual([eve, eveFar, mal, lateEve].map(isBound), [true, true, true, true])
    assert.deepStrictEqual([zoe, ada, { ...ada, network: "192.0.2.1" }].map(isBound), [false, false, false])
    // Of whom it is not known where it comes from may be the one who is meant.
    assert.isTrue(isBound(zoeGone))
    assert.isFalse(boundBy(ban({ user: eve.user }).bans, zoeGone, 0) !== undefined)
  })

  it("says until when, by whom and why, and takes the place of the one before", () => {
    const first = done(founded, { _tag: "Muted", ...about(ben), until: 50, reason: "noise" }, ben)
    assert.deepStrictEqual(first.mutes, [{ ...ben, by, until: 50, reason: "noise" }])
    const second = govern(first, { _tag: "Muted", ...about(ben) }, cyd.user, ben, 10)
    assert.deepStrictEqual(second.mutes, [{ ...ben, by: cyd.user }])
    assert.deepStrictEqual(second.bans, [])
  })

  it("is shown as long as it binds", () => {
    const bounds = [bound(1, 50), bound(2), bound(3, 60)]
    assert.strictEqual(standing(bounds, 49), bounds)
    assert.deepStrictEqual(standing(bounds, 50), bounds.slice(1))
    assert.deepStrictEqual(standing(bounds, 60), [bound(2)])
  })
})

describe("A room has no room", () => {
  const one = account(0)
  const full = (governance: Governance, act: Governing, subject: Subject = one, now = 10) =>
    isFull(governance, act, subject, now)

  it("for more moderators than it may have, the owner who becomes one included", () => {
    const moderators = Arr.makeBy(maxModerators, (index) => account(index + 1))
    const all: Governance = { ...founded, moderators }
    const fewer: Governance = { ...founded, moderators: moderators.slice(1) }
    const [first = one] = moderators
    for (const role of ["moderator", "owner"] as const) {
      assert.isTrue(full(all, { _tag: "RoleSet", user: one.user, role }))
      assert.isFalse(full(fewer, { _tag: "RoleSet", user: one.user, role }))
      assert.isFalse(full(all, { _tag: "RoleSet", user: first.user, role }, first))
      const next = done(fewer, { _tag: "RoleSet", user: one.user, role }, one)
      assert.strictEqual(next.moderators.length, maxModerators)
      assert.strictEqual(done(all, { _tag: "RoleSet", user: first.user, role }, first).moderators.length, maxModerators)
    }
    assert.isFalse(full(all, { _tag: "RoleSet", user: one.user, role: "member" }))
  })

  it.each([
    ["bans", "Banned", maxBans],
    ["mutes", "Muted", maxMutes]
  ] as const)(
    "for more %s than it may have; what has run out does not count, nor whom it is about",
    (field, _tag, most) => {
      const governance = (until?: number): Governance => ({
        ...founded,
        [field]: Arr.makeBy(most, (index) => bound(index + 1, until))
      })
      const act: Governing = { _tag, user: one.user }
      assert.isTrue(full(governance(), act))
      assert.isTrue(full(governance(11), act))
      assert.isFalse(full(governance(10), act))
      assert.isFalse(full(governance(), act, account(1)))
      assert.isFalse(full({ ...founded, [field]: Arr.makeBy(most - 1, (index) => bound(index + 1)) }, act))
      // The others have room.
      assert.isFalse(full(governance(), { _tag: _tag === "Banned" ? "Muted" : "Banned", user: one.user }))
    }
  )

  it("for more invitations than it may have, and none for acts that add nothing", () => {
    const invited = Arr.makeBy(maxInvited, (index) => ({ ...account(index + 1), by }))
    const all: Governance = { ...founded, invited, bans: Arr.makeBy(maxBans, (index) => bound(index + 1)) }
    assert.isTrue(full(all, { _tag: "Invited", user: one.user }))
    assert.isFalse(full({ ...all, invited: invited.slice(1) }, { _tag: "Invited", user: one.user }))
    const others: ReadonlyArray<Governing> = [
      { _tag: "TopicSet", topic: "tea" },
      { _tag: "AccessSet", private: true },
      { _tag: "Kicked", user: one.user },
      { _tag: "Unbanned", user: one.user },
      { _tag: "Unmuted", user: one.user }
    ]
    for (const act of others) assert.isFalse(full(all, act), act._tag)
  })
})
