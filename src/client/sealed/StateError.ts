/** Why the state of encrypted conversations cannot be used, each with the remedy in its `message`. */
import { Schema } from "effect"

/** Another program has it open. */
export class StateInUse extends Schema.TaggedError<StateInUse>()("StateInUse", { path: Schema.String }) {
  override readonly message = `Another parley uses the keys in ${this.path}. Two would use one key twice: end the other one, go on there, or give a script a login of its own with --token-file.`
}

/** The key does not open it: it is not the one with which it was made, or a byte of the file is not what it was. */
export class WrongKey extends Schema.TaggedError<WrongKey>()("WrongKey", { path: Schema.String }) {
  override readonly message =
    `What is kept in ${this.path} does not open with this key. Give the key file or passphrase it was made with; ` +
    "if that is lost, move the file away, and this device begins anew."
}

/** The disk, or a statement that may not be carried out twice. */
export class StateFailed extends Schema.TaggedError<StateFailed>()("StateFailed", {
  path: Schema.String,
  issue: Schema.String
}) {
  override readonly message = `The keys in ${this.path} cannot be kept (${this.issue}). Nothing was sent with keys that are not stored.`
}
