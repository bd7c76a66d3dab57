/**
 * What can go wrong for a user of the client, each with the cause and the remedy in its `message`.
 *
 * Three of the four concern one request. `SessionError` ends the client: every request, open or to come, fails with it,
 * and so does the stream of events.
 */
import { Schema } from "effect"
import { Rejection } from "../../common/wire/Rejection.ts"

/** The server refused the request; nothing came of it. */
export class RequestRejected extends Schema.TaggedError<RequestRejected>()("RequestRejected", {
  reason: Rejection,
  message: Schema.String
}) {}

/** The connection broke before the reply, or the server has not given it in time; asking again could do twice what was asked once. */
export class ReplyLost extends Schema.TaggedError<ReplyLost>()("ReplyLost", {
  request: Schema.String,
  isLate: Schema.optionalKey(Schema.Literal(true))
}) {
  override readonly message =
    (this.isLate === true
      ? `The server has not answered ${this.request} in time: `
      : `The connection broke before the server answered ${this.request}: `) +
    "it may have been carried out or not. Look first, then ask again."
}

/** What the server answered is not the reply this client knows for the request. */
export class UnexpectedReply extends Schema.TaggedError<UnexpectedReply>()("UnexpectedReply", {
  issue: Schema.String
}) {
  override readonly message = `The server's reply could not be understood: ${this.issue}. Client and server may differ too much.`
}

/** No connection could be made, or what made it is gone. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", { cause: Schema.String }) {
  override readonly message = `The server cannot be reached: ${this.cause}.`
}

/** Client and server agree on no safe connection; nothing was said to whoever answered. */
export class TlsFailed extends Schema.TaggedError<TlsFailed>()("TlsFailed", { issue: Schema.String }) {
  override readonly message = `The server ${this.issue}.`
}

/** The server does not let this client in. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  reason: Rejection,
  message: Schema.String
}) {}

/** Whoever answers does not speak parley's protocol. */
export class NotParley extends Schema.TaggedError<NotParley>()("NotParley", { issue: Schema.String }) {
  override readonly message = `Something answers there, but it is no parley server: ${this.issue}. Check host and port.`
}

/** The key that the user logs in with could not sign. */
export class NotSigned extends Schema.TaggedError<NotSigned>()("NotSigned", { issue: Schema.String }) {
  override readonly message = `The key cannot sign: ${this.issue}.`
}

/** The client was told to leave. */
export class HasLeft extends Schema.TaggedError<HasLeft>()("HasLeft", {}) {
  override readonly message = "This client has left the server."
}

/** The end of the client: no connection, and none will be tried again. */
export class SessionError extends Schema.TaggedError<SessionError>()("SessionError", {
  reason: Schema.Union([Unreachable, TlsFailed, Refused, NotParley, NotSigned, HasLeft]),
  /** Why the server ended the last connection that stood, in its own words, if it said so. */
  farewell: Schema.optional(Schema.String)
}) {
  override readonly message = this.reason.message
}

export type RequestError = RequestRejected | ReplyLost | UnexpectedReply | SessionError
