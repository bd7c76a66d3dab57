/**
 * How a room is governed, as one would find out by reading its log from the beginning, each time anew, for one person: nothing is
 * folded, cut or kept.
 */
import { Arbitrary } from "effect"
import type { Governing, Role } from "../../../src/common/log/Governing.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Person, Subject } from "../../../src/server/governance/Governance.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { oneOf, wholeNumber } from "../../support/generators.ts"

const account = (user: string, number: number) => ({ user: UserName.make(user), account: AccountId.make(number) })
export const [ada, ben, cyd] = [account("ada", 1), account("Ben", 2), account("cyd", 3)]
const accounts = [ada, ben, cyd] as const

const guest = (user: string, network?: string) => ({
  user: UserName.make(user),
  ...(network !== undefined && { network })
})
export const guests = [
  guest("eve", "192.0.2.1"),
  guest("EVE", "2001:db8:0:1::/64"),
  guest("mal", "192.0.2.1"),
  guest("zoe", "2001:db8:0:1::/64"),
  guest("zoe")
] as const
/** Who registered under the name of a guest. */
export const lateEve = account("eve", 4)
export const everybody: ReadonlyArray<Person> = [...accounts, ...guests, lateEve]

/** One entry by which a room is governed, about somebody, at a time; or what has no entry. */
export type Step =
  | { readonly do: "act"; readonly act: Governing; readonly subject: Subject | undefined; readonly now: number }
  | { readonly do: "join"; readonly who: Person }
  | { readonly do: "delete account"; readonly who: typeof ada }

const someSubject = oneOf<Subject>(ada, ben, cyd, guests[0], guests[1], guests[2], guests[3], lateEve)
const someAccount = oneOf(ada, ben, cyd)

type Kind = Governing["_tag"] | "delete account" | "join"

const someStep: Arbitrary.Arbitrary<Step> = Arbitrary.all({
  tag: oneOf<Kind>(
    "RoleSet",
    "RoleSet",
    "RoleSet",
    "Invited",
    "Kicked",
    "Banned",
    "Banned",
    "Unbanned",
    "Muted",
    "Unmuted",
    "TopicSet",
    "AccessSet",
    "join",
    "delete account"
  ),
  subject: someSubject,
  holder: someAccount,
  role: oneOf<Role>("owner", "moderator", "member"),
  now: wholeNumber(0, 100),
  until: oneOf<number | undefined>(undefined, 20, 50, 80),
  isOn: oneOf(true, false)
}).pipe(
  Arbitrary.map(({ holder, isOn, now, role, subject, tag, until }): Step => {
    const about = { user: subject.user }
    const lasts = until === undefined ? about : { ...about, until }
    switch (tag) {
      case "join":
        return { do: "join", who: subject }
      case "delete account":
        return { do: "delete account", who: holder }
      case "TopicSet":
        return { do: "act", act: { _tag: tag, topic: isOn ? "tea" : "" }, subject: undefined, now }
      case "AccessSet":
        return { do: "act", act: { _tag: tag, private: isOn }, subject: undefined, now }
      case "RoleSet":
        return { do: "act", act: { _tag: tag, user: subject.user, role }, subject, now }
      case "Invited":
        return { do: "act", act: { _tag: tag, ...about }, subject, now }
      case "Banned":
      case "Muted":
        return { do: "act", act: { _tag: tag, ...lasts }, subject, now }
      default:
        return { do: "act", act: { _tag: tag, ...about }, subject, now }
    }
  })
)

/** In the order of their times: an act that is earlier than the one before is as late as that. */
export const someSteps = Arbitrary.array(someStep, { maxLength: 30 }).pipe(
  Arbitrary.map((steps) => {
    let latest = 0
    return steps.map((step): Step => {
      if (step.do !== "act") return step
      latest = Math.max(latest, step.now)
      return { ...step, now: latest }
    })
  })
)

const isSame = (one: Subject, other: Subject | Person): boolean =>
  one.account === undefined && other.account === undefined
    ? one.user.toLowerCase() === other.user.toLowerCase()
    : one.account === other.account

export const topicOf = (steps: ReadonlyArray<Step>): string => {
  const set = steps.flatMap((step) => (step.do === "act" && step.act._tag === "TopicSet" ? [step.act.topic] : []))
  return set.at(-1) ?? ""
}

export const isPrivate = (steps: ReadonlyArray<Step>): boolean => {
  const set = steps.flatMap((step) => (step.do === "act" && step.act._tag === "AccessSet" ? [step.act.private] : []))
  return set.at(-1) ?? false
}

/** Who owned it at first is the one to begin with. */
export const roleOf = (steps: ReadonlyArray<Step>, who: Person, founder: Person): Role => {
  if (who.account === undefined) return "member"
  let role: Role = founder.account === who.account ? "owner" : "member"
  for (const step of steps) {
    if (step.do === "join") continue
    const isAboutThis =
      step.do === "delete account" ? step.who.account === who.account : step.subject?.account === who.account
    if (step.do === "delete account") {
      if (isAboutThis) role = "member"
      continue
    }
    const { act, subject } = step
    if (act._tag === "RoleSet" && subject?.account !== undefined) {
      if (isAboutThis) role = act.role
      else if (act.role === "owner" && role === "owner") role = "moderator"
    }
    if (!isAboutThis) continue
    if (act._tag === "Banned" || (act._tag === "Kicked" && role === "moderator")) role = "member"
  }
  return role
}

export const isInvited = (steps: ReadonlyArray<Step>, who: Person): boolean => {
  if (who.account === undefined) return false
  let is = false
  for (const step of steps) {
    if (step.do === "act") {
      if (step.subject?.account !== who.account) continue
      if (step.act._tag === "Invited") is = true
      if (step.act._tag === "Kicked" || step.act._tag === "Banned") is = false
    } else if (step.who.account === who.account) is = false
  }
  return is
}

/** Until when somebody is banned or muted at this time: for good is Infinity, not at all undefined. All that bind, the earliest first. */
export const bindings = (
  steps: ReadonlyArray<Step>,
  kind: "Banned" | "Muted",
  who: Person,
  now: number
): ReadonlyArray<number> => {
  const lifting = kind === "Banned" ? "Unbanned" : "Unmuted"
  return steps.flatMap((step, index) => {
    if (step.do !== "act" || step.act._tag !== kind || step.subject === undefined) return []
    const { subject } = step
    const later = steps.slice(index + 1)
    const isOver = later.some(
      (one) =>
        one.do === "act" &&
        (one.act._tag === kind || one.act._tag === lifting) &&
        one.subject !== undefined &&
        (isSame(subject, one.subject) ||
          (one.act._tag === lifting && one.act.user.toLowerCase() === subject.user.toLowerCase()))
    )
    const until = step.act.until ?? Infinity
    return !isOver && now < until && isMeant(subject, who) ? [until] : []
  })
}

/** An account by its number; a guest by its name, or the place where guests come from. */
const isMeant = (subject: Subject, who: Person): boolean => {
  if (subject.account !== undefined) return subject.account === who.account
  if (subject.user.toLowerCase() === who.user.toLowerCase()) return true
  if (who.account !== undefined || subject.network === undefined) return false
  return who.network === undefined || who.network === subject.network
}
