/**
 * The people of a governed room, by their seats: each is one connection at a time. Five accounts, one of them on two devices, and
 * three guests, two of them from one address. `eye` is an admin who only looks.
 */

export interface Seat {
  readonly user: string
  readonly isAccount: boolean
  readonly address: string
}

const account = (user: string): Seat => ({ user, isAccount: true, address: "127.0.0.1" })
const guest = (user: string, address: string): Seat => ({ user, isAccount: false, address })

export const admin = "root"
export const eye = "eye"

export const seats = [
  account(admin),
  account("ada"),
  account("ben"),
  account("cyd"),
  account("dan"),
  guest("gus", "127.0.0.9"),
  guest("hal", "127.0.0.9"),
  guest("gia", "127.0.0.77"),
  account("ada")
] as const

export const accounts: ReadonlySet<string> = new Set(seats.flatMap(({ isAccount, user }) => (isAccount ? [user] : [])))

/** Whom acts may be about: everybody, and somebody who is not there. */
export const targets = [...new Set(seats.map(({ user }) => user)), "nobody"] as const

/** Rooms, in the order of their names. */
export const rooms = ["den", "pub"] as const
