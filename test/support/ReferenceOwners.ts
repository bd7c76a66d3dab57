/** Who governs a room, as far as a trace tells: whoever made it, an account on whatever connection, a guest on that one. */
import { nameKey } from "../../src/common/name/Name.ts"
import { type Author, authorOf, roomLog } from "./ReferenceEntry.ts"
import type { Request, Trace } from "./ReferenceTrace.ts"

export type Governs = "yes" | "maybe" | "no"

const mayHaveMade = ({ message, reply }: Request) =>
  message._tag === "CreateRoom" && (reply === undefined || reply._tag === "RoomCreated")

/** A room that is made again, or whose making was not answered, may be one's or the other's. */
export const readOwners = (trace: Trace): ((log: string, author: Author) => Governs) => {
  const makings = Map.groupBy(trace.requests.filter(mayHaveMade), ({ message }) =>
    "room" in message ? roomLog(nameKey(message.room ?? "")) : ""
  )
  return (log, author) => {
    const made = makings.get(log) ?? []
    if (!made.some(({ session }) => authorOf(session) === author)) return "no"
    const isSure = made.every(({ reply, session }) => reply !== undefined && authorOf(session) === author)
    return isSure ? "yes" : "maybe"
  }
}
