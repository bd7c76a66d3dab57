/** Deciding in a room that people govern: who is bound, invited and let in, and who may lift that. */
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Option } from "effect"
import type { Governing } from "../../../src/common/log/Governing.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import {
  type Governance,
  maxBans,
  maxInvited,
  type Person,
  ungoverned
} from "../../../src/server/governance/Governance.ts"
import type { Act } from "../../../src/server/rooms/Act.ts"
import { isMuted, mutedIn, whyNotEnter } from "../../../src/server/rooms/RoomDecider.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import {
  act,
  ada,
  against,
  ban,
  ben,
  cyd,
  eve,
  founded,
  GovernedRoom,
  inDev,
  kick,
  mal,
  mod,
  mute,
  now,
  refused,
  role,
  root,
  say,
  topic,
  zoe,
  type Somebody
} from "./Governed.ts"

describe("Who is muted", () => {
  const muted = (who: Somebody, until?: number) => {
    const room = new GovernedRoom()
    room.run([act(ben, say()), act(eve, say()), against(mod, mute(who, until), who)])
    return room
  }

  it("may delete what it wrote, and not write, edit or react", () => {
    assert.deepStrictEqual(
      muted(ben).verdicts([
        act(ben, say()),
        act(ben, { _tag: "Said", content: "re", replyTo: 2 }),
        act(ben, { _tag: "Edited", target: 1, content: "x" }),
        act(ben, { _tag: "Reacted", target: 2, reaction: "👍" }),
        act(ben, { _tag: "Deleted", target: 1 })
      ]),
      ["Muted", "Muted", "Muted", "Muted", "Accepted"]
    )
  })

  it("is an account under any name, and nobody else of the name it had", () => {
    const room = muted(ben)
    assert.deepStrictEqual(
      room.verdicts([
        act({ ...ben, user: UserName.make("benny") }, say()),
        act({ ...zoe, user: ben.user }, say()),
        act(cyd, say())
      ]),
      ["Muted", "Accepted", "Accepted"]
    )
  })

  it("is, if it was a guest, its name, also as an account, and all guests of its network, but no account from there", () => {
    const room = muted(eve)
    const later = { ...cyd, user: UserName.make("EVE") }
    assert.deepStrictEqual(
      room.verdicts([
        act(eve, say()),
        act({ ...zoe, user: eve.user }, say()),
        act(mal, say()),
        act(later, say()),
        act(zoe, say()),
        act({ ...cyd, network: "192.0.2.1" }, say())
      ]),
      ["Muted", "Muted", "Muted", "Muted", "Accepted", "Accepted"]
    )
  })

  it("is told until when and why; from then on it is not muted, without an entry", () => {
    const room = new GovernedRoom()
    room.run([against(mod, { ...mute(ben, 2000), reason: "noise" }, ben)])
    assert.deepStrictEqual(room.run([act(ben, say())]), [
      refused({ _tag: "Muted", room: inDev.room, until: 2000, reason: "noise" })
    ])
    room.now = 1999
    assert.deepStrictEqual(room.verdicts([act(ben, say())]), ["Muted"])
    assert.isTrue(isMuted(room.governance, act(ben, say()), 1999))
    room.now = 2000
    assert.deepStrictEqual(room.verdicts([act(ben, say())]), ["Accepted"])
    assert.isFalse(isMuted(room.governance, act(ben, say()), 2000))
    assert.lengthOf(room.log.entries, 2)
  })

  it("is in the lobby told of no room; only admins mute there", () => {
    const lobby = { conversation: { _tag: "Lobby" } } as const
    const room = new GovernedRoom(ungoverned(0))
    assert.deepStrictEqual(room.verdicts([against(ada, mute(ben), ben), against(root, mute(ben), ben)], lobby), [
      "NotAllowed",
      "Accepted"
    ])
    assert.deepStrictEqual(room.run([act(ben, say())], lobby), [refused({ _tag: "Muted" })])
    assert.deepStrictEqual(mutedIn({ _tag: "Lobby" }, {}), { _tag: "Muted" })
  })

  it("governs on, as far as its role goes", () => {
    const room = new GovernedRoom()
    room.run([against(ada, mute(mod), mod)])
    assert.deepStrictEqual(room.verdicts([act(mod, say()), act(mod, topic("tea")), against(mod, kick(ben), ben)]), [
      "Muted",
      "Accepted",
      "Accepted"
    ])
  })
})

describe("An invitation", () => {
  const invite = (by: Somebody, whom: Somebody, isMember = false) =>
    against(by, { _tag: "Invited", user: whom.user }, whom, isMember)
  const repeated = { _tag: "Repeated", seq: 0, at: now, key: undefined }

  it("of a member, or of who is invited, is repeated, and makes no entry", () => {
    const room = new GovernedRoom()
    assert.deepStrictEqual<unknown>(room.run([invite(ben, cyd, true)]), [repeated])
    assert.deepStrictEqual(room.verdicts([invite(ben, cyd)]), ["Accepted"])
    assert.deepStrictEqual<unknown>(room.run([invite(ben, cyd), invite(mod, cyd)]), [repeated, repeated])
    assert.deepStrictEqual<unknown>(new GovernedRoom().run([invite(ben, cyd), invite(mod, cyd)])[1], repeated)
    assert.lengthOf(room.log.entries, 1)
    assert.deepStrictEqual(room.governance.invited, [{ user: cyd.user, account: cyd.account, by: ben.user }])
  })

  it("is refused first where it may not be made, also of a member", () => {
    const hidden = new GovernedRoom({ ...founded, isPrivate: true })
    assert.deepStrictEqual(hidden.verdicts([invite(ben, cyd, true), invite(mod, cyd)]), ["NotAllowed", "Accepted"])
    const room = new GovernedRoom()
    assert.deepStrictEqual(room.verdicts([invite(eve, cyd), invite(ben, eve), invite(ben, ben)]), [
      "AccountRequired",
      "AccountRequired",
      "NotAllowed"
    ])
  })

  it("has as many as there is room for; one that is there counts once", () => {
    const invited = Arr.makeBy(maxInvited, (index) => ({
      user: UserName.make(`u${index}`),
      account: AccountId.make(100 + index),
      by: ada.user
    }))
    const room = new GovernedRoom({ ...founded, invited })
    const [decision] = room.run([invite(mod, cyd)])
    assert.deepInclude(decision?._tag === "Refused" ? decision.reason : {}, {
      _tag: "NotAllowed",
      action: "InviteUser"
    })
    assert.strictEqual(room.governance.invited, invited)
  })
})

describe("Bans and mutes", () => {
  const unban = (by: Somebody, user: string): Act => act(by, { _tag: "Unbanned", user: UserName.make(user) })

  it("are lifted by the name that was bound, of accounts that are away and of guests that have gone, once", () => {
    const room = new GovernedRoom()
    room.run([against(mod, ban(ben), ben, false), against(mod, ban(eve), eve)])
    assert.deepStrictEqual(
      room.verdicts([unban(mod, "BEN"), unban(mod, "Eve"), unban(mod, "eve"), unban(ben, "cyd")]),
      ["Accepted", "Accepted", "UserNotFound", "NotAllowed"]
    )
    assert.deepStrictEqual(room.governance.bans, [])
    room.run([against(mod, mute(ben), ben)])
    assert.deepStrictEqual(room.verdicts([unban(mod, "ben"), act(mod, { _tag: "Unmuted", user: ben.user })]), [
      "UserNotFound",
      "Accepted"
    ])
  })

  it("that have run out cannot be lifted", () => {
    const room = new GovernedRoom()
    room.run([against(mod, ban(ben, 2000), ben)])
    room.now = 2000
    assert.deepStrictEqual(room.run([against(mod, { _tag: "Unbanned", user: ben.user }, ben, false)]), [
      refused({ _tag: "UserNotFound", user: ben.user })
    ])
  })

  it("are of nobody where there is nobody of that name, neither an account nor here", () => {
    const nobody: Governing = { _tag: "Banned", user: UserName.make("nobody") }
    assert.deepStrictEqual(new GovernedRoom().run([act(mod, nobody)]), [
      refused({ _tag: "UserNotFound", user: nobody.user })
    ])
  })

  it("may be of an account that is no member, and of a guest for a time", () => {
    const room = new GovernedRoom()
    assert.deepStrictEqual(room.verdicts([against(mod, ban(cyd), cyd, false), against(mod, ban(eve, 2000), eve)]), [
      "Accepted",
      "Accepted"
    ])
    assert.deepStrictEqual<unknown>(room.governance.bans, [
      { user: cyd.user, account: cyd.account, by: mod.user },
      { user: eve.user, network: "192.0.2.1", by: mod.user, until: 2000 }
    ])
  })

  it("are as many as there is room for", () => {
    const bans = Arr.makeBy(maxBans, (index) => ({
      user: UserName.make(`u${index}`),
      account: AccountId.make(100 + index),
      by: ada.user
    }))
    const room = new GovernedRoom({ ...founded, bans })
    const [decision] = room.run([against(mod, ban(ben), ben)])
    assert.deepInclude(decision?._tag === "Refused" ? decision.reason : {}, { _tag: "NotAllowed", action: "Ban" })
  })
})

describe("Who may come in", () => {
  const person = ({ account, network, user }: Somebody): Person => ({
    user,
    ...(account !== undefined && { account }),
    ...(network !== undefined && { network })
  })
  const why = (governance: Governance, who: Somebody, isKnown = false, at = now) =>
    Option.getOrUndefined(whyNotEnter(governance, person(who), { conversation: inDev, isKnown, now: at }))
  const notFound = { _tag: "RoomNotFound" as const, room: inDev.room }
  const secret: Governance = { ...founded, isPrivate: true }
  const bound = (who: Somebody, until?: number) => ({
    ...person(who),
    by: mod.user,
    ...(until !== undefined && { until })
  })

  it("is everybody into an open room", () => {
    for (const who of [ada, ben, eve]) assert.isUndefined(why(founded, who))
  })

  it("is into a private one who is a member or an admin, its owner, and who is invited", () => {
    const invited = [{ user: cyd.user, account: cyd.account, by: mod.user }]
    assert.deepStrictEqual(why(secret, ben), notFound)
    assert.deepStrictEqual(why(secret, eve), notFound)
    assert.isUndefined(why(secret, ben, true))
    assert.isUndefined(why(secret, ada))
    assert.isUndefined(why({ ...secret, invited }, cyd))
    assert.deepStrictEqual(why({ ...secret, invited }, ben), notFound)
  })

  it("is not who is banned, who is told so where the room is open and nothing where it is private", () => {
    const bans = [bound(ben, 2000), bound(eve)]
    assert.deepStrictEqual(why({ ...founded, bans }, ben), { _tag: "Banned", room: inDev.room, until: 2000 })
    assert.deepStrictEqual(why({ ...founded, bans }, mal), { _tag: "Banned", room: inDev.room })
    assert.isUndefined(why({ ...founded, bans }, zoe))
    assert.isUndefined(why({ ...founded, bans }, ben, false, 2000))
    for (const isKnown of [true, false]) assert.deepStrictEqual(why({ ...secret, bans }, ben, isKnown), notFound)
  })

  it("is everybody into the lobby", () => {
    const conversation = { _tag: "Lobby" } as const
    const banned = { ...secret, bans: [bound(ben)] }
    assert.isTrue(Option.isNone(whyNotEnter(banned, person(ben), { conversation, isKnown: false, now })))
  })
})

describe("The guest who made a room", () => {
  const byEve = { guestOwner: eve.author }

  it("owns it on that connection, but gives no roles and invites nobody", () => {
    const room = new GovernedRoom(ungoverned(1))
    const acts = [act(eve, topic("tea")), against(eve, kick(ben), ben), against(eve, ban(zoe), zoe)]
    assert.deepStrictEqual(room.verdicts(acts, byEve), ["Accepted", "Accepted", "Accepted"])
    assert.deepStrictEqual(
      room.verdicts(
        [against(eve, role(cyd, "owner"), cyd), against(eve, { _tag: "Invited", user: cyd.user }, cyd)],
        byEve
      ),
      ["AccountRequired", "AccountRequired"]
    )
    assert.deepStrictEqual(room.verdicts([act(eve, topic("mine"))]), ["NotAllowed"])
  })

  it("is its owner to others, too: no moderator puts it out, an admin does", () => {
    const { owner: _, ...ownerless } = new GovernedRoom().governance
    const room = new GovernedRoom(ownerless)
    assert.deepStrictEqual(room.verdicts([against(mod, kick(eve), eve), against(root, kick(eve), eve)], byEve), [
      "NotAllowed",
      "Accepted"
    ])
  })

  it("owns it also as the account that it became on that connection", () => {
    const room = new GovernedRoom(ungoverned(1))
    const later = { ...act({ ...cyd, user: eve.user }, topic("tea")), guest: eve.author }
    assert.deepStrictEqual(room.verdicts([later], byEve), ["Accepted"])
  })
})
