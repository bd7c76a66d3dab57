/** Who is here, and which rooms there are: whole lists, one line each, printed page by page. */
import { Effect } from "effect"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { RequestError } from "../core/ClientError.ts"
import { Client } from "../link/Client.ts"
import { whenAllowed } from "../link/WhenAllowed.ts"
import { safeLine } from "../text/SafeText.ts"
import { inTime } from "./InTime.ts"
import { json, Output } from "./Output.ts"
import { explain } from "./ScriptError.ts"

const asked = <A>(asking: Effect.Effect<A, RequestError>) =>
  whenAllowed(inTime(asking), Infinity).pipe(
    Effect.mapError((error) => (error._tag === "ScriptError" ? error : explain(error)))
  )

/** A name alone; in JSON `{ "user": … }`. */
export const users = Effect.fnUntraced(function* (isJson: boolean) {
  const { quietly } = yield* Client
  const { isTerminal, write } = yield* Output
  let after: UserName | undefined
  for (;;) {
    const page = yield* asked(quietly({ _tag: "ListUsers", ...(after && { after }) }))
    const lines = page.users.map((user) => (isJson ? json({ user }, isTerminal) : safeLine(user)))
    yield* write(lines.map((line) => `${line}\n`).join(""))
    const last = page.users.at(-1)
    if (page.more !== true || last === undefined || last === after) return
    after = last
  }
})

/** Name, how many are in, and topic, between tabs; in JSON as the server lists them. */
export const rooms = Effect.fnUntraced(function* (isJson: boolean) {
  const { quietly } = yield* Client
  const { isTerminal, write } = yield* Output
  let after: RoomName | undefined
  for (;;) {
    const page = yield* asked(quietly({ _tag: "ListRooms", ...(after && { after }) }))
    const lines = page.rooms.map((room) =>
      isJson ? json(room, isTerminal) : `${safeLine(room.room)}\t${room.users}\t${safeLine(room.topic ?? "")}`
    )
    yield* write(lines.map((line) => `${line}\n`).join(""))
    const last = page.rooms.at(-1)?.room
    if (page.more !== true || last === undefined || last === after) return
    after = last
  }
})
