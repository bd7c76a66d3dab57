/**
 * Who may govern: the table of rights, made by asking for every role, act and target, held against the one in PROTOCOL.md; and the
 * rules said a second time, as the protocol's words have them, compared in every case there is.
 */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import type { Governing, Role } from "../../../src/common/log/Governing.ts"
import {
  actionOf,
  mayActAgainst,
  mayGovern,
  moderates,
  type Object,
  type Party,
  type Place,
  rules
} from "../../../src/common/log/RoomPermission.ts"
import { UserName } from "../../../src/common/name/UserName.ts"

const protocol = readFileSync(new URL("../../../src/common/wire/PROTOCOL.md", import.meta.url), "utf8")

const user = UserName.make("ben")
const open: Place = { isLobby: false, isPrivate: false }
const secret: Place = { ...open, isPrivate: true }
const lobby: Place = { ...open, isLobby: true }

const nobodySpecial: Party = { role: "member", isAdmin: false, isGuest: false }
const actors: ReadonlyArray<readonly [string, Party]> = [
  ["guest", { ...nobodySpecial, isGuest: true }],
  ["member", nobodySpecial],
  ["moderator", { ...nobodySpecial, role: "moderator" }],
  ["owner", { ...nobodySpecial, role: "owner" }],
  ["admin", { ...nobodySpecial, isAdmin: true }]
]

const here = { isOneself: false, isMember: true, isBanned: false, isMuted: false }
const objects: ReadonlyArray<readonly [string, Object]> = [
  ...actors.map(([name, party]): readonly [string, Object] => [name, { ...party, ...here }]),
  ["outsider", { ...nobodySpecial, ...here, isMember: false }]
]

interface Row {
  readonly title: string
  readonly act: Governing
  readonly place: Place
}
const inAnyRoom = (title: string, act: Governing): ReadonlyArray<Row> => [{ title, act, place: open }]
const table: ReadonlyArray<Row> = [
  ...inAnyRoom("`SetTopic`", { _tag: "TopicSet", topic: "tea" }),
  ...inAnyRoom("`SetAccess`", { _tag: "AccessSet", private: true }),
  ...inAnyRoom("`SetRole`", { _tag: "RoleSet", user, role: "moderator" }),
  ...inAnyRoom("`InviteUser`", { _tag: "Invited", user }),
  { title: "`InviteUser`, private room", act: { _tag: "Invited", user }, place: secret },
  ...inAnyRoom("`Kick`", { _tag: "Kicked", user }),
  ...inAnyRoom("`Ban`", { _tag: "Banned", user }),
  ...inAnyRoom("`Unban`", { _tag: "Unbanned", user }),
  ...inAnyRoom("`Mute`", { _tag: "Muted", user }),
  ...inAnyRoom("`Unmute`", { _tag: "Unmuted", user }),
  { title: "`Mute`, lobby", act: { _tag: "Muted", user }, place: lobby },
  { title: "`Unmute`, lobby", act: { _tag: "Unmuted", user }, place: lobby }
]

/** What is to be lifted is there. */
const bound = (act: Governing, object: Object): Object => ({
  ...object,
  isBanned: act._tag === "Unbanned",
  isMuted: act._tag === "Unmuted"
})

const cell = (who: string, actor: Party, { act, place }: Row): string => {
  if (!("user" in act)) return mayGovern(actor, act, undefined, place) === undefined ? "yes" : "–"
  // There is one owner.
  const others = objects.filter(([name]) => !(who === "owner" && name === who))
  const against = others.flatMap(([name, object]) =>
    mayGovern(actor, act, bound(act, object), place) === undefined ? [name] : []
  )
  if (against.length === 0) return "–"
  if (against.length === others.length) return "all"
  return against.length === others.length - 1 && !against.includes("guest") ? "accounts" : against.join(", ")
}

/** Everything that is not in a cell, because it holds of all of them. */
const asked = table.flatMap((row) => actors.map(([, actor]) => ({ ...row, actor })))

const booleans = [false, true]
const roles: ReadonlyArray<Role> = ["owner", "moderator", "member"]
const everyParty: ReadonlyArray<Party> = roles.flatMap((role) =>
  booleans.flatMap((isAdmin) => booleans.map((isGuest) => ({ role, isAdmin, isGuest })))
)
const everyObject: ReadonlyArray<Object | undefined> = [
  undefined,
  ...everyParty.flatMap((party) =>
    booleans.flatMap((isOneself) =>
      booleans.flatMap((isMember) =>
        booleans.flatMap((isBanned) =>
          booleans.map((isMuted) => ({ ...party, isOneself, isMember, isBanned, isMuted }))
        )
      )
    )
  )
]
const everyPlace: ReadonlyArray<Place> = booleans.flatMap((isLobby) =>
  booleans.map((isPrivate) => ({ isLobby, isPrivate }))
)
const everyAct: ReadonlyArray<Governing> = [
  { _tag: "TopicSet", topic: "" },
  ...booleans.map((isPrivate): Governing => ({ _tag: "AccessSet", private: isPrivate })),
  ...roles.map((role): Governing => ({ _tag: "RoleSet", user, role })),
  { _tag: "Invited", user },
  { _tag: "Kicked", user, reason: "noise" },
  { _tag: "Banned", user, until: 1 },
  { _tag: "Unbanned", user },
  { _tag: "Muted", user },
  { _tag: "Unmuted", user }
]

type Verdict = "may" | "AccountRequired" | "NotAllowed" | "UserNotFound"

/**
 * The rules as the protocol has them in words: what is in the way is the first of these that holds. Nothing of `RoomPermission` is
 * used.
 */
const inWords = (actor: Party, act: Governing, object: Object | undefined, place: Place): Verdict => {
  const kind = act._tag
  const about = "user" in act
  const isOneOf = (...kinds: ReadonlyArray<Governing["_tag"]>) => kinds.includes(kind)
  const takesOwner = isOneOf("RoleSet", "AccessSet")
  const isForAccounts = isOneOf("RoleSet", "Invited")
  const isHiding = act._tag === "AccessSet" && act.private
  const isOwner = actor.role === "owner" || actor.isAdmin
  const isModerator = isOwner || actor.role === "moderator"
  const mayAtAll = place.isLobby
    ? actor.isAdmin
    : takesOwner
      ? isOwner
      : isModerator || (kind === "Invited" && !place.isPrivate)
  const stands = object !== undefined && object.role !== "member"
  const inTheWay: ReadonlyArray<readonly [Verdict, boolean]> = [
    ["AccountRequired", (isForAccounts || isHiding) && actor.isGuest],
    ["NotAllowed", !mayAtAll],
    ["UserNotFound", about && object === undefined],
    ["NotAllowed", about && object?.isOneself === true],
    ["AccountRequired", isForAccounts && object?.isGuest === true],
    ["UserNotFound", kind === "Kicked" && object?.isMember === false],
    ["UserNotFound", kind === "Unbanned" && object?.isBanned === false],
    ["UserNotFound", kind === "Unmuted" && object?.isMuted === false],
    ["NotAllowed", isForAccounts && object?.isBanned === true],
    // Moderators against members; the owner, and an admin, against all. Lifting is as binding.
    [
      "NotAllowed",
      isOneOf("Kicked", "Banned", "Muted", "Unbanned", "Unmuted") && !isOwner && (stands || object?.isAdmin === true)
    ]
  ]
  return inTheWay.find(([, holds]) => holds)?.[0] ?? "may"
}

describe("Who may govern a room", () => {
  it("is in PROTOCOL.md, as a table of every role, act and target", () => {
    const lines = [
      `| act | ${actors.map(([name]) => name).join(" | ")} |`,
      `| --- | ${actors.map(() => "---").join(" | ")} |`,
      ...table.map((row) => `| ${row.title} | ${actors.map(([who, actor]) => cell(who, actor, row)).join(" | ")} |`)
    ]
    const [, ...sections] = protocol.split("\n### ")
    const section = sections.find((text) => text.startsWith("Who may do what, and against whom\n")) ?? ""
    const written = section.split("\n").filter((line) => line.startsWith("|"))
    assert.deepStrictEqual(written, lines)
  })

  it("has no act that the table leaves out", () => {
    assert.deepStrictEqual(new Set(table.map(({ act }) => act._tag)), new Set(everyAct.map(({ _tag }) => _tag)))
    assert.sameMembers(Object.keys(actionOf), [...new Set(everyAct.map(({ _tag }) => _tag))])
  })

  it("is nobody against oneself, and nobody against a name that is nobody's", () => {
    for (const { act, actor, place } of asked) {
      if (!("user" in act)) continue
      const itself: Object = { ...bound(act, { ...actor, ...here }), isOneself: true }
      assert.isDefined(mayGovern(actor, act, itself, place))
      const refusal = mayGovern(actor, act, undefined, place)
      assert.isDefined(refusal)
      const mayOtherwise = objects.some(([, object]) => mayGovern(actor, act, bound(act, object), place) === undefined)
      assert.strictEqual(refusal?._tag === "UserNotFound", mayOtherwise)
    }
  })

  it("does not depend on whether members are here or away, but for being put out", () => {
    for (const { act, actor, place } of asked) {
      if (act._tag === "Kicked") continue
      for (const [, object] of objects) {
        const known = bound(act, object)
        assert.deepStrictEqual(
          mayGovern(actor, act, { ...known, isMember: false }, place),
          mayGovern(actor, act, { ...known, isMember: true }, place)
        )
      }
    }
  })

  it("is in every case who the protocol's words say", () => {
    let cases = 0
    const others: Array<object> = []
    for (const actor of everyParty) {
      for (const act of everyAct) {
        for (const object of everyObject) {
          for (const place of everyPlace) {
            cases++
            const verdict: Verdict = mayGovern(actor, act, object, place)?._tag ?? "may"
            const said = inWords(actor, act, object, place)
            if (verdict !== said) others.push({ actor, act, object, place, verdict, said })
          }
        }
      }
    }
    assert.strictEqual(cases, everyParty.length * 12 * 193 * 4)
    assert.deepStrictEqual(others.slice(0, 3), [])
  })

  it("is told who could do it, and which request it was, when they may not", () => {
    const sentences = new Set<string>()
    for (const actor of everyParty) {
      for (const act of everyAct) {
        for (const object of everyObject) {
          for (const place of everyPlace) {
            const refusal = mayGovern(actor, act, object, place)
            if (refusal === undefined) continue
            const isAsAsked =
              refusal._tag === "UserNotFound" ? refusal.user === user : refusal.action === actionOf[act._tag]
            assert(isAsAsked)
            if (refusal._tag === "NotAllowed") sentences.add(refusal.why)
          }
        }
      }
    }
    assert.isAbove(sentences.size, 8)
    for (const sentence of sentences) {
      assert.match(sentence, /^\S.*\.$/)
      // Who could, or what to do instead.
      assert.match(
        sentence,
        /an(other)? admin|admins of the server|another moderator|Hand the room over|Leave the room|invite yourself|Unban/
      )
    }
  })

  it("has ranks: who rules moderates, and may act against all whom a moderator may act against", () => {
    for (const actor of everyParty) {
      if (rules(actor)) assert.isTrue(moderates(actor))
      for (const object of everyParty) {
        if (rules(actor)) assert.isTrue(mayActAgainst(actor, object))
        else assert.strictEqual(mayActAgainst(actor, object), object.role === "member" && !object.isAdmin)
      }
    }
  })
})
