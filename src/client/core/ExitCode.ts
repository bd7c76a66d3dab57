/** With which code a program ends that is told no: the same for the chat and for scripts. After a signal n, it is 128 + n. */
import { Rejection } from "../../common/wire/Rejection.ts"
import type { RequestError, SessionError } from "./ClientError.ts"

export const exitCode = {
  /** The server refused what was asked, or some of it. */
  refused: 1,
  /** What was asked for cannot be meant so: nothing was sent. */
  usage: 2,
  /** No connection, or no answer on it. */
  noConnection: 3,
  /** The server does not let one in under that name. */
  login: 4
} as const

/** What has to do with the server's state, and nothing with who wants in. */
const isAboutServer = Rejection.isAnyOf([
  "FrameTooLarge",
  "HandshakeRequired",
  "HandshakeTimeout",
  "RateLimited",
  "TooManyConnections",
  "SlowConsumer",
  "ServerStopping",
  "StorageUnavailable"
])

export const codeOfEnd = (reason: SessionError["reason"]): number => {
  if (reason._tag === "NotSigned") return exitCode.login
  return reason._tag === "Refused" && !isAboutServer(reason.reason) ? exitCode.login : exitCode.noConnection
}

export const codeOf = (error: RequestError): number => {
  switch (error._tag) {
    case "RequestRejected":
      return exitCode.refused
    case "ReplyLost":
    case "UnexpectedReply":
      return exitCode.noConnection
    case "SessionError":
      return codeOfEnd(error.reason)
  }
}
