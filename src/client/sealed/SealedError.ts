/** Why something cannot be said, each with the cause and the remedy in its `message`. */
import { Schema } from "effect"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"

/** This device has no keys of that conversation. */
export class NotLetIn extends Schema.TaggedError<NotLetIn>()("NotLetIn", { room: RoomName }) {
  override readonly message = `You wait to be let into ${this.room} by a member: one of them has to be online for that. Nothing was sent.`
}

/** The keys of a conversation cannot be followed any more. */
export class KeysOutOfStep extends Schema.TaggedError<KeysOutOfStep>()("KeysOutOfStep", { room: RoomName }) {
  override readonly message = `The keys of ${this.room} are out of step. Nothing was sent; :rekey ${this.room} makes new ones.`
}

/** The server's log of it ends before what was read of it. */
export class LogPutBack extends Schema.TaggedError<LogPutBack>()("LogPutBack", { room: RoomName }) {
  override readonly message =
    `The server has less of ${this.room} than this device has read: it was put back from a copy, or hides what it has. ` +
    "Nothing was sent. Whoever runs the server has to make the room anew, or put back what it had."
}

/** A copy of this device's keys is in use. */
export class Copied extends Schema.TaggedError<Copied>()("Copied", { device: Schema.String }) {
  override readonly message =
    `Something was sealed in the name of this device (${this.device}), and not here: its keys were copied or put back, or the ` +
    "server pretends. Nothing is sent with them any more; what was read stays. Become a new device: :logout, log in again, and " +
    ":link it from another one, where :link shows how. Take the old one out there."
}

/** What waits to be sealed is bounded. */
export class TooMuchWaits extends Schema.TaggedError<TooMuchWaits>()("TooMuchWaits", { room: RoomName }) {
  override readonly message = `100 messages wait to be sent to ${this.room} already. This one was not kept: say it again when they are gone.`
}

/** Somebody in it has begun a new list of devices. */
export class NotTrusted extends Schema.TaggedError<NotTrusted>()("NotTrusted", {
  user: UserName,
  /** Their safety number was compared before. */
  wasVerified: Schema.optionalKey(Schema.Boolean)
}) {
  override readonly message =
    (this.wasVerified === true
      ? `The safety number of ${this.user}, which you compared, is not the same any more. `
      : "") +
    `${this.user} has all new devices, and you have not said that they are theirs. Nothing was sent. ` +
    `Ask ${this.user} in another way, compare :verify ${this.user}, then :trust ${this.user}.`
}

/** People say that a list is somebody's, and it is another one by now than the one that they were shown. */
export class OtherList extends Schema.TaggedError<OtherList>()("OtherList", { user: UserName, isOwn: Schema.Boolean }) {
  override readonly message = this.isOwn
    ? "Your account has another list of devices by now than the one that you were told of. Nothing was trusted. " +
      "Type here the code that :link shows on a device which is yours."
    : `${this.user} has another list of devices by now than the one that you were shown. Nothing was trusted. ` +
      `Compare :verify ${this.user} again, then :trust ${this.user}.`
}

/** People say that a number is the same, and it was not shown here, or is another one by now. */
export class NotCompared extends Schema.TaggedError<NotCompared>()("NotCompared", {
  user: UserName,
  seen: Schema.Literals(["none", "other"])
}) {
  override readonly message =
    this.seen === "none"
      ? `You have not been shown the number of you and ${this.user} here. Type :verify ${this.user}, and compare it first.`
      : `The number of you and ${this.user} is another one by now than the one that you were shown. Compare :verify ${this.user} again.`
}

/** This device is in no list of its account. */
export class NotLinked extends Schema.TaggedError<NotLinked>()("NotLinked", { device: Schema.String }) {
  override readonly message =
    `This device (${this.device}) is not one of your account's yet. On another one, :link ${this.device} shows a code; ` +
    "type it here as :link CODE. If there is no other one, :link new begins a new list, which others have to trust."
}

export class NoSuchCode extends Schema.TaggedError<NoSuchCode>()("NoSuchCode", {}) {
  override readonly message =
    "That is not the code of this device. Look at the other device again: a code has 26 letters and digits, and is for one device."
}

/** What one's own list of devices cannot say. */
export class ListNotChanged extends Schema.TaggedError<ListNotChanged>()("ListNotChanged", { issue: Schema.String }) {
  override readonly message =
    `Your list of devices was not changed: ${this.issue}. A device is in it once: who was taken out, or whose keys were copied, ` +
    "comes back by :logout and a new login, which makes it a new one."
}

/** The state is gone that would carry it out: see the news. */
export class Stopped extends Schema.TaggedError<Stopped>()("Stopped", { room: RoomName }) {
  override readonly message = `Nothing more can be done in ${this.room} until parley is started again.`
}

export type SayError = NotLetIn | KeysOutOfStep | LogPutBack | NotTrusted | NotLinked | Copied | TooMuchWaits | Stopped

/** A device to be taken out that is not in. */
export class NoSuchDevice extends Schema.TaggedError<NoSuchDevice>()("NoSuchDevice", { device: Schema.String }) {
  override readonly message = `No device ${this.device} of yours reads encrypted conversations. :devices shows which there are.`
}

/** A device to be signed in that has been in the list, with other keys: one is in it once. */
export class DeviceSpent extends Schema.TaggedError<DeviceSpent>()("DeviceSpent", { device: Schema.String }) {
  override readonly message =
    `Device ${this.device} reads encrypted conversations already, or did so before. If its keys are lost: on it, :logout and log in again, ` +
    "and link the device that it is then."
}
