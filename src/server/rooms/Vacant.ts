/** What is asked of a room that nobody is in: answered by the directory, unless it takes the manager, who knows who is away. */
import { Option } from "effect"
import type { AccountId } from "../session/AccountId.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { OpenRoom } from "./OpenRoom.ts"
import * as Room from "./Room.ts"
import type { RoomCommand } from "./RoomCommand.ts"

/** What only the manager of a room can answer, who knows the members that are away and how it is governed. */
export const isForManager = (
  { isInhabited }: Pick<OpenRoom, "isInhabited">,
  command: RoomCommand,
  isAdmin: (account: AccountId | undefined) => boolean
): boolean => {
  if (command._tag === "Join" || command._tag === "Describe" || command._tag === "Delete") return true
  if (command._tag === "ListMembers") return isInhabited
  if (command._tag === "Act" && isAdmin(command.from.account)) return true
  return isInhabited && Room.isForAway(command) && command.from.account !== undefined
}

/** Everything else, of a room in which nothing is under way that was to be answered before. */
export const answerVacant = (
  sessions: Sessions["Service"],
  { conversation, name }: Pick<OpenRoom, "conversation" | "name">,
  command: RoomCommand
): void => {
  const vacant = Room.make(conversation)
  const refusal = Room.refusal(vacant, command)
  if (Option.isSome(refusal) && "from" in command) return sessions.refuse(command.from, refusal.value)
  if (command._tag !== "ListMembers") return
  sessions.reply(command.from, { _tag: "RoomUsers", room: name, ...Room.usersOf(vacant, command.after) })
}
