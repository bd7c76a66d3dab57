/** What is told of keys and devices, in words for people: the cause, and what to do. Pure. */
import { nameKey } from "../../common/name/Name.ts"
import { isConversationRoom, partnerIn, type RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import type { SealedNews } from "./News.ts"

type Told = Extract<ClientEvent, { readonly _tag: "EncryptionTold" }>
type Telling = Exclude<
  SealedNews,
  { readonly _tag: "Rows" | "Erased" | "Refused" | "Stands" | "FirstSeen" | "InTheOpen" }
>

/** What reader `user` is told. */
export const noticeOf = (news: Telling, user: UserName): Told => {
  const alarm = (message: string): Told => ({
    _tag: "EncryptionTold",
    ...("room" in news && { room: news.room }),
    message,
    isAlarm: true
  })
  switch (news._tag) {
    case "DeviceAdded":
      return nameKey(news.user) === nameKey(user)
        ? { ...alarm(ownDevice(news.device)), isAlarm: false }
        : {
            ...alarm(`${news.user} has another device (${news.device}), signed in by one that you know.`),
            isAlarm: false
          }
    case "DeviceRemoved":
      return { ...alarm(`${possessive(news.user, user)} device ${news.device} is out of the list.`), isAlarm: false }
    case "ChainReplaced":
      return alarm(
        nameKey(news.user) === nameKey(user)
          ? "Your account has a new list of devices, in which this one is not. If you did not begin it, somebody else has your login: change the password, and tell the others not to :trust it."
          : `${news.user} has all new devices: lost the old ones, or is somebody else.${news.wasVerified ? ` The number that you compared with ${news.user} is not the same any more.` : ""} Nothing is sent to them until you have asked ${news.user} in another way, compared :verify ${news.user}, and typed :trust ${news.user}.`
      )
    case "ChainRefused":
      return alarm(
        `The server gives a list of ${possessive(news.user, user)} devices that cannot be theirs (${news.issue}). It is not used; those that were known stay. The server lies, or is broken: ask who runs it.`
      )
    case "Withheld":
      // Where the server deletes what is old, it is so for all who were away for long.
      if (news.what === "places") return { ...alarm(missing(news.room, news.count)), isAlarm: false }
      return alarm(
        news.what === "messages"
          ? `${news.user} has read other messages here than the server gives you: it holds something back from one of you. Ask ${news.user} in another way.`
          : `${news.user} has changed their devices, and the server does not show you how. What you say may still go to a device that ${news.user} has removed.`
      )
    case "Cloned":
      return alarm(news.message)
    case "OutOfStep":
      return alarm(`The keys of ${titleOf(news.room, user)} are out of step: ${news.message}${madeBy(news)}`)
    case "NotFollowed":
      return alarm(
        news.what === "conversations"
          ? `More than ${news.most} people have begun to talk with you since you came, or the server pretends. What further ones say is not shown until you come again, or say something to them with :pm.`
          : `You are in more than ${news.most} encrypted rooms and conversations, or the server pretends. Further ones are not followed: nothing is shown of them, or said there. Leave some, and start parley again.`
      )
    case "Stopped":
      return alarm(`Nothing more is done in ${titleOf(news.room, user)} until parley is started again: ${news.message}`)
  }
}

const missing = (room: RoomName, count: number): string =>
  `The server has stored ${count === 1 ? "something" : `${count} things`} in ${room} that it does not give you: it holds them back, or has deleted what is old. If others can read what you cannot, ask who runs it.`

const possessive = (user: UserName, reader: UserName): string =>
  nameKey(user) === nameKey(reader) ? "your" : `${user}'s`

const ownDevice = (device: string): string =>
  `Your account has another device (${device}). If you did not sign it in, take it out with :link remove ${device}, and change your password.`

/** As people know it. */
const titleOf = (room: RoomName, user: UserName): string => {
  const other = partnerIn(room, user)
  return other === undefined ? room : `@${other}`
}

/** Who made it is what the server says. */
const madeBy = ({ by, room }: Extract<SealedNews, { readonly _tag: "OutOfStep" }>): string => {
  const whose = by === undefined ? "" : ` It came from ${by.user}, as the server says.`
  const command = isConversationRoom(room) ? ":rekey, typed there," : `:rekey ${room}`
  return `${whose} Nothing more can be read or said there; ${command} makes new keys.`
}
