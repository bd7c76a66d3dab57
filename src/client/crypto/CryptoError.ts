/**
 * What can go wrong with a sealed conversation, each with the cause and the way out in its `message`, for the line that stands
 * where the text would. No exception of the library comes out of this folder, nor its words.
 */
import { Schema } from "effect"

const named = { user: Schema.String, device: Schema.String }
const sizes = { bytes: Schema.Natural, limit: Schema.Natural }

/** The bytes are of another group: another room, or an incarnation that was reset. */
export class NotForThisGroup extends Schema.TaggedError<NotForThisGroup>()("NotForThisGroup", {
  /** As it stands in the bytes. */
  groupId: Schema.String
}) {
  override readonly message = "This was sealed for another conversation, or for this one before its keys were reset."
}

/** Sealed before the newest commit. */
export class StaleEpoch extends Schema.TaggedError<StaleEpoch>()("StaleEpoch", {
  keyEpoch: Schema.Natural,
  current: Schema.Natural
}) {
  override readonly message = `This was sealed with keys that are gone (${this.keyEpoch}, now ${this.current}).`
}

/** Sealed after a commit that this device has not seen. */
export class EpochAhead extends Schema.TaggedError<EpochAhead>()("EpochAhead", {
  keyEpoch: Schema.Natural,
  current: Schema.Natural
}) {
  override readonly message = `A change of keys is missing here (${this.keyEpoch}, now ${this.current}): this device is out of step.`
}

/** The key of this message was used already, or is too old to be kept. Whom it names is what it claims. */
export class AlreadyOpened extends Schema.TaggedError<AlreadyOpened>()("AlreadyOpened", {
  ...named,
  generation: Schema.Natural
}) {
  override readonly message = `This message of ${this.user} was opened before, or came too late: its key is gone.`
}

/** So many messages of its sender are missing that the key is not looked for. Whom it names is what it claims. */
export class TooFarAhead extends Schema.TaggedError<TooFarAhead>()("TooFarAhead", {
  ...named,
  generation: Schema.Natural
}) {
  override readonly message = `Too many messages of ${this.user} before this one are missing: it cannot be opened. :rekey, typed there, makes new keys for what comes next.`
}

/**
 * Sealed in this device's own name. What is not in its outbox was sealed by a copy of its state, or by a member who pretends: who
 * sealed something is known by the signature, which cannot be looked at here, for the key of one's own message is gone.
 */
export class FromThisDevice extends Schema.TaggedError<FromThisDevice>()("FromThisDevice", {
  generation: Schema.Natural
}) {
  override readonly message =
    "This was sealed in the name of this device. If it did not, a copy of its keys is in use, or a member pretends."
}

/** Who is named has no leaf in the group's tree. */
export class NotAMember extends Schema.TaggedError<NotAMember>()("NotAMember", named) {
  override readonly message = `The device ${this.device} of ${this.user} is not in this conversation.`
}

/** Who is named has a leaf already. */
export class AlreadyMember extends Schema.TaggedError<AlreadyMember>()("AlreadyMember", named) {
  override readonly message = `The device ${this.device} of ${this.user} is in this conversation already.`
}

/** A committer cannot remove its own leaf (RFC 9420, section 12.2): another device does. */
export class CannotRemoveItself extends Schema.TaggedError<CannotRemoveItself>()("CannotRemoveItself", {}) {
  override readonly message = "A device cannot remove itself from a conversation: another one of its members does."
}

/** More devices than a conversation has, or than one commit adds. */
export class TooManyDevices extends Schema.TaggedError<TooManyDevices>()("TooManyDevices", { limit: Schema.Natural }) {
  override readonly message = `That is more than ${this.limit} devices at once.`
}

/** The signature does not hold: somebody in the group, or who has its keys, wrote in the name of another. */
export class BadSignature extends Schema.TaggedError<BadSignature>()("BadSignature", named) {
  override readonly message = `This claims to be from ${this.user}, but is not signed by their device ${this.device}.`
}

/** The authentication service does not know this key as one of this user's. */
export class Untrusted extends Schema.TaggedError<Untrusted>()("Untrusted", named) {
  override readonly message = `The device ${this.device} is not known to be one of ${this.user}'s.`
}

/** A key package that is out of date, by this device's clock, or good for longer than is allowed. */
export class KeyPackageExpired extends Schema.TaggedError<KeyPackageExpired>()("KeyPackageExpired", named) {
  override readonly message = `The keys that the device ${this.device} of ${this.user} left are out of date. It must be online to leave new ones.`
}

/** A welcome for other keys than these. */
export class NotInvited extends Schema.TaggedError<NotInvited>()("NotInvited", {}) {
  override readonly message = "This welcome is for other keys than this device's."
}

/** More bytes than can be sent or will be read. */
export class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", sizes) {
  override readonly message = `That has ${this.bytes} bytes; at most ${this.limit} can be sealed.`
}

/** Bytes that no member makes who keeps to the rules; `issue` says which rule. */
export class Damaged extends Schema.TaggedError<Damaged>()("Damaged", { issue: Schema.String }) {
  override readonly message = `This is damaged or forged: ${this.issue}.`
}

/** A stored state or key that this version cannot read. */
export class StateUnreadable extends Schema.TaggedError<StateUnreadable>()("StateUnreadable", {
  issue: Schema.String
}) {
  override readonly message = `The keys kept on this device cannot be read: ${this.issue}. Link it again as a new device.`
}
