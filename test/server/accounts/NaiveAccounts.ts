/** Accounts as anybody would keep them in lists, and what may be done to them: to be compared with those that are real. */
import { Arbitrary, Effect, Option, Result } from "effect"
import { nameKey } from "../../../src/common/name/Name.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import type {
  Account,
  AccountState,
  Device,
  Key,
  PasswordHash,
  ResetCode
} from "../../../src/server/accounts/Account.ts"
import type { Accounts } from "../../../src/server/accounts/Accounts.ts"
import type { StorageUnavailable } from "../../../src/server/history/History.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { oneOf, someUser, wholeNumber } from "../../support/generators.ts"
import { hash, key, newAccount, password } from "./AccountsAsked.ts"

const someAccount = Arbitrary.map(wholeNumber(1, 4), (id) => AccountId.make(id))
const someDevice = Arbitrary.map(wholeNumber(1, 6), (id) => DeviceId.make(`${id}`))
const someTime = wholeNumber(100, 200)
const someState = oneOf<AccountState>("Active", "Disabled", "Deleted")

/** Tokens are told by the steps that gave them: those of the last few, or of none. */
const someToken = wholeNumber(0, 8)

export type Step =
  | {
      readonly do: "create"
      readonly user: UserName
      readonly withDevice: boolean
      readonly invite: number
      readonly at: number
    }
  | { readonly do: "invite"; readonly code: number; readonly uses: number }
  | { readonly do: "password"; readonly account: AccountId; readonly except: DeviceId | undefined }
  | { readonly do: "rehash"; readonly account: AccountId; readonly isSame: boolean }
  | { readonly do: "reset" | "free"; readonly account: AccountId }
  | { readonly do: "device"; readonly account: AccountId; readonly at: number }
  | {
      readonly do: "token"
      readonly user: UserName
      readonly back: number
      readonly at: number
      readonly name: string | undefined
    }
  | { readonly do: "remove"; readonly account: AccountId; readonly device: DeviceId }
  | { readonly do: "seen"; readonly account: AccountId; readonly device: DeviceId; readonly at: number }
  | {
      readonly do: "key" | "unkey"
      readonly account: AccountId
      readonly label: string
      readonly name: string | undefined
    }
  | { readonly do: "state"; readonly account: AccountId; readonly state: AccountState }
  | { readonly do: "admin"; readonly account: AccountId; readonly isAdmin: boolean }
  | { readonly do: "restart" }

const is = <Do extends Step["do"]>(what: Do) => oneOf(what)
const someName = oneOf(undefined, "laptop", "phone")
const creation = Arbitrary.all({
  do: is("create"),
  user: someUser,
  withDevice: oneOf(true, true, false),
  invite: wholeNumber(0, 3),
  at: someTime
})
const token = Arbitrary.all({ do: is("token"), user: someUser, back: someToken, at: someTime, name: someName })

const anyOf = <A>(first: Arbitrary.Arbitrary<A>, ...others: ReadonlyArray<Arbitrary.Arbitrary<A>>) =>
  Arbitrary.flatMap(oneOf(first, ...others), (one) => one)

/** What may be done, twice as often what most depends on. */
const someStep: Arbitrary.Arbitrary<Step> = anyOf<Step>(
  creation,
  creation,
  creation,
  token,
  token,
  token,
  Arbitrary.all({ do: is("invite"), code: wholeNumber(1, 2), uses: wholeNumber(1, 2) }),
  Arbitrary.all({
    do: is("password"),
    account: someAccount,
    except: Arbitrary.map(wholeNumber(0, 6), (id) => (id === 0 ? undefined : DeviceId.make(`${id}`)))
  }),
  Arbitrary.all({ do: is("rehash"), account: someAccount, isSame: oneOf(true, false) }),
  Arbitrary.all({ do: oneOf<"free" | "reset">("reset", "free", "free"), account: someAccount }),
  Arbitrary.all({ do: is("device"), account: someAccount, at: someTime }),
  Arbitrary.all({ do: is("remove"), account: someAccount, device: someDevice }),
  Arbitrary.all({ do: is("seen"), account: someAccount, device: someDevice, at: someTime }),
  Arbitrary.all({
    do: oneOf<"key" | "unkey">("key", "key", "unkey"),
    account: someAccount,
    label: oneOf("a", "b"),
    name: someName
  }),
  Arbitrary.all({ do: is("state"), account: someAccount, state: someState }),
  Arbitrary.all({ do: is("admin"), account: someAccount, isAdmin: oneOf(true, false) }),
  Arbitrary.all({ do: is("restart") })
)
export const someSteps = Arbitrary.array(someStep, { maxLength: 40 })

interface Held {
  account: Account
  password: PasswordHash | undefined
  reset: ResetCode | undefined
  keys: Array<Key>
}
interface HeldDevice {
  readonly of: AccountId
  device: Device
  /** The newest, and the one before. */
  tokens: ReadonlyArray<number>
}

/** The token that step `number` gave. */
const tokenOf = (number: number) => hash(`token ${number}`)

export class NaiveAccounts {
  #all: Array<Held> = []
  #devices: Array<HeldDevice> = []
  #invites = new Map<number, number>()
  #lastAccount = 0
  #lastDevice = 0

  #named(user: UserName) {
    return this.#all.find(({ account }) => nameKey(account.user) === nameKey(user))
  }
  #held(account: AccountId) {
    return this.#all.find((held) => held.account.id === account)
  }
  #of(account: AccountId) {
    return this.#devices.filter(({ of }) => of === account)
  }
  #remove(gone: ReadonlyArray<HeldDevice>) {
    this.#devices = this.#devices.filter((one) => !gone.includes(one))
    return gone.map(({ device }) => device.id)
  }
  #add(of: AccountId, at: number, step: number) {
    const id = DeviceId.make(`${++this.#lastDevice}`)
    this.#devices.push({ of, device: { id, name: "new", since: at, lastSeen: at }, tokens: [step] })
    return id
  }

  /** Nobody is seen who is not there, nor with the device of somebody else. */
  isPossible(step: Step): boolean {
    return step.do !== "seen" || this.#of(step.account).some(({ device }) => device.id === step.device)
  }

  /** What the step should answer. */
  after(step: Step, number: number): unknown {
    switch (step.do) {
      case "restart":
        return undefined
      case "invite":
        for (const [code, uses] of this.#invites) if (uses === 0) this.#invites.delete(code)
        this.#invites.set(step.code, step.uses)
        return Result.void
      case "create": {
        if (this.#named(step.user) !== undefined) return Result.fail("AccountExists")
        if (step.invite > 0) {
          const uses = this.#invites.get(step.invite) ?? 0
          if (uses === 0) return Result.fail("InvalidInvite")
          this.#invites.set(step.invite, uses - 1)
        }
        const { at, user } = step
        const id = AccountId.make(++this.#lastAccount)
        const account: Account = {
          id,
          user,
          since: at,
          lastSeen: at,
          isAdmin: false,
          state: "Active",
          reason: undefined
        }
        this.#all.push({ account, password: password("first"), reset: undefined, keys: [] })
        return Result.succeed({ account, device: step.withDevice ? this.#add(id, at, number) : undefined })
      }
      case "token": {
        const held = this.#named(step.user)
        const known = this.#devices.find(
          ({ of, tokens }) => of === held?.account.id && tokens.includes(number - step.back)
        )
        if (held === undefined || known === undefined) return Option.none()
        if (held.account.state === "Active") {
          const { device } = known
          known.tokens = [number, number - step.back]
          known.device = { ...device, name: step.name ?? device.name, lastSeen: Math.max(step.at, device.lastSeen) }
          held.account = { ...held.account, lastSeen: Math.max(step.at, held.account.lastSeen) }
        }
        return Option.some({ account: held.account, device: known.device })
      }
      default:
        return this.#afterOne(step, number)
    }
  }

  /** What is done to one account. */
  #afterOne(step: Exclude<Step, { readonly do: "create" | "invite" | "restart" | "token" }>, number: number): unknown {
    const held = this.#held(step.account)
    const devices = this.#of(step.account)
    const living = held?.account.state === "Deleted" ? undefined : held
    switch (step.do) {
      case "password":
        if (living === undefined) return Option.none()
        if (step.except !== undefined && devices.every(({ device }) => device.id !== step.except)) return Option.none()
        Object.assign(living, { password: password(`${number}`), reset: undefined })
        return Option.some(this.#remove(devices.filter(({ device }) => device.id !== step.except)))
      case "rehash":
        if (step.isSame && held?.password !== undefined) held.password = password(`${number}`)
        return undefined
      case "reset":
        Object.assign(living ?? {}, { password: undefined, reset: { code: hash("reset"), expires: number }, keys: [] })
        return this.#remove(devices)
      case "free":
        if (held?.account.state !== "Deleted") return false
        this.#all = this.#all.filter((one) => one !== held)
        return true
      case "device":
        if (held?.account.state !== "Active") return Result.fail("NotActive")
        return Result.succeed(this.#add(step.account, step.at, number))
      case "remove":
        return this.#remove(devices.filter(({ device }) => device.id === step.device)).length > 0
      case "seen": {
        const seen = devices.find(({ device }) => device.id === step.device)
        if (seen !== undefined) seen.device = { ...seen.device, lastSeen: Math.max(step.at, seen.device.lastSeen) }
        if (held !== undefined) held.account = { ...held.account, lastSeen: Math.max(step.at, held.account.lastSeen) }
        return undefined
      }
      case "key": {
        const known = living?.keys.findIndex(({ fingerprint }) => fingerprint === key(step.label).fingerprint) ?? -1
        const before = living?.keys[known]
        if (before === undefined) living?.keys.push(key(step.label, { name: step.name }))
        else if (living !== undefined) living.keys[known] = { ...before, name: step.name ?? before.name }
        return Result.void
      }
      case "unkey": {
        const count = held?.keys.length
        if (held !== undefined)
          held.keys = held.keys.filter(({ fingerprint }) => fingerprint !== key(step.label).fingerprint)
        return held?.keys.length !== count
      }
      case "state":
        if (living === undefined) return []
        living.account = { ...living.account, state: step.state, reason: step.state }
        if (step.state !== "Deleted") return devices.map(({ device }) => device.id)
        Object.assign(living, { password: undefined, reset: undefined, keys: [] })
        return this.#remove(devices)
      case "admin":
        if (held !== undefined) held.account = { ...held.account, isAdmin: step.isAdmin }
        return undefined
    }
  }

  /** All that can be asked for. */
  get all() {
    const bySince = <A extends { readonly since: number }>(one: A, other: A) => one.since - other.since
    return this.#all
      .toSorted((one, other) => (nameKey(one.account.user) < nameKey(other.account.user) ? -1 : 1))
      .map(({ account, keys, password, reset }) => ({
        account,
        password,
        reset,
        keys: [...keys],
        devices: this.#of(account.id)
          .map(({ device }) => device)
          .toSorted(bySince)
      }))
  }
}

/** Does it to real ones. */
export const carryOut = (
  accounts: Accounts["Service"],
  step: Step,
  number: number
): Effect.Effect<unknown, StorageUnavailable> => {
  switch (step.do) {
    case "restart":
      return Effect.undefined
    case "invite":
      return accounts.addInvite({ code: hash(`invite ${step.code}`), uses: step.uses, expires: undefined }, 1)
    case "create":
      return accounts.create(
        newAccount(step.user, {
          at: step.at,
          invite: step.invite === 0 ? undefined : hash(`invite ${step.invite}`),
          device: step.withDevice ? { name: "new", token: tokenOf(number) } : undefined
        })
      )
    case "token":
      return accounts.useToken(step.user, tokenOf(number - step.back), tokenOf(number), step.at, step.name)
    case "password":
      return accounts.setPassword(step.account, password(`${number}`), step.except)
    case "rehash":
      return Effect.flatMap(accounts.get(step.account), (found) => {
        const now = Option.getOrUndefined(found)?.password
        const before = step.isSame && now !== undefined ? now : password("another")
        return accounts.rehash(step.account, before, password(`${number}`))
      })
    case "reset":
      return accounts.reset(step.account, { code: hash("reset"), expires: number })
    case "free":
      return accounts.free(step.account)
    case "device":
      return accounts.addDevice(step.account, { name: "new", token: tokenOf(number) }, step.at)
    case "remove":
      return accounts.removeDevice(step.account, step.device)
    case "seen":
      return accounts.seen(step.account, step.device, step.at)
    case "key":
      return accounts.addKey(step.account, key(step.label, { name: step.name }))
    case "unkey":
      return accounts.removeKey(step.account, key(step.label).fingerprint)
    case "state":
      return accounts.setState(step.account, step.state, step.state)
    case "admin":
      return accounts.setAdmin(step.account, step.isAdmin)
  }
}

export const readAll = Effect.fnUntraced(function* (accounts: Accounts["Service"]) {
  const listed = yield* accounts.list(undefined, 1000)
  return yield* Effect.forEach(listed, (account) =>
    Effect.gen(function* () {
      const found = Option.getOrThrow(yield* accounts.find(account.user))
      return { ...found, keys: yield* accounts.keys(account.id), devices: yield* accounts.devices(account.id) }
    })
  )
})
