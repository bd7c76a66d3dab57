/**
 * A conversation as a person types it behind `in:`, read and written.
 *
 * `dev` is a room, `@ada` what was said in private with her, `*` the lobby: no name holds either sign.
 */
import { Option, Schema } from "effect"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import type { Whereabouts } from "../core/Heard.ts"

const decodeRoom = Schema.decodeUnknownOption(RoomName)
const decodeUser = Schema.decodeUnknownOption(UserName)

const placeNamed = (typed: string): Option.Option<Whereabouts> => {
  if (typed === "*") return Option.some({})
  return typed.startsWith("@")
    ? Option.map(decodeUser(typed.slice(1)), (user) => ({ with: user }))
    : Option.map(decodeRoom(typed), (room) => ({ room }))
}

/** The same as a parameter of a command. */
export const Place = Schema.String.check(
  Schema.makeFilter<string>((typed) => Option.isSome(placeNamed(typed)), {
    message: "must be a room, @user for what was said in private, or * for the lobby"
  })
)

export const placeOf = (typed: string | undefined): Whereabouts | undefined =>
  Option.getOrUndefined(Option.flatMap(Option.fromUndefinedOr(typed), placeNamed))

export const nameOf = ({ room, with: other }: Whereabouts): string => room ?? (other === undefined ? "*" : `@${other}`)

/** `in:dev #12`: the message of that number, whatever else is shown. */
export const address = (where: Whereabouts, number: number): string => `in:${nameOf(where)} #${number}`
