/** Who there is in a simulation, guests and accounts with their devices, and which rooms they talk in. */
import { Redacted } from "effect"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { hashOf } from "../../src/server/accounts/Secrets.ts"

export const guests = ["Ada", "bob", "Σας", "straße"].map((name) => UserName.make(name))
/** The accounts there are, and how many devices each has. */
export const accounts = [
  { user: UserName.make("Zoë"), devices: 3 },
  { user: UserName.make("a.b-c_d"), devices: 2 },
  { user: UserName.make("Жук"), devices: 1 }
]
export const accountNames = accounts.map(({ user }) => user)
const deviceNames = accounts.flatMap(({ devices, user }) => Array.from({ length: devices }, () => user))
export const names = [...guests, ...deviceNames]
export const rooms = ["dev", "Ops", "Ж"].map((name) => RoomName.make(name))
export const observerName = UserName.make("observer")

export const labelOf = (user: UserName, number: number) => `${user}'s ${number}`
/** What a device has at first. */
export const tokenOf = (user: UserName, number: number) => `the first token of ${labelOf(user, number)}`
export const newDevice = (user: UserName, number: number) => ({
  name: labelOf(user, number),
  token: hashOf(Redacted.make(tokenOf(user, number)))
})
