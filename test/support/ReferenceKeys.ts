/** What a key promises: whatever it is used for, it is stored once in a conversation, and every repeat has the first Sent. */
import { nameKey } from "../../src/common/name/Name.ts"
import { receiverOf, wishOf } from "./ReferenceEntry.ts"
import { keyOf, type Report, type Request, type Trace } from "./ReferenceTrace.ts"

/** Requests under the same key of the same sender in the same conversation have the same identity. */
export const identityOf = (request: Request): string | undefined => {
  const { message, session } = request
  const key = "key" in message ? message.key : undefined
  if (key === undefined) return undefined
  const receiver = receiverOf(message)
  const log = receiver === undefined ? wishOf(request)?.log : `with ${nameKey(receiver)}`
  return log === undefined ? undefined : `${keyOf(session)} ${log} ${key}`
}

/** One that is there already is answered as a repeat, too, under whatever key. */
const isReaction = ({ message }: Request) => message._tag === "React" && message.remove === undefined

/** A Sent says where the entry stands; a repeat is answered with the place of the first, and only a repeat is. */
export const checkRepeats = (trace: Trace, report: Report): void => {
  const before = new Map<string, Array<Request>>()
  for (const request of trace.requests) {
    const identity = identityOf(request)
    if (identity === undefined) continue
    const earlier = before.get(identity) ?? []
    checkRepeat(request, earlier, report)
    before.set(identity, [...earlier, request])
  }
}

const checkRepeat = (request: Request, earlier: ReadonlyArray<Request>, report: Report) => {
  const { heardAt, message, reply, saidAt, session } = request
  const sent = earlier.filter((one) => one.reply?._tag === "Sent")
  const isAnswered = sent.some((first) => first.heardAt < saidAt || first.session === session)
  if (reply?._tag === "Rejected" && isAnswered && mayBeRefused.has(reply.reason._tag)) {
    report(heardAt, `a repeat was refused with ${reply.reason._tag}`)
  }
  if (reply?._tag !== "Sent") return
  if (reply.repeated === true && earlier.length === 0 && !isReaction(request)) {
    report(heardAt, `the first of its key is called a repeat`)
  }
  if (reply.repeated === undefined && isAnswered) report(heardAt, `a repeat was stored again`)
  for (const { reply: first, session: by } of sent) {
    // The place in the inbox of a guest's connection that is gone is 0.
    const isPrivate = message._tag === "PrivateMessage" && !session.isAccount
    const isGone = by !== session && isPrivate && reply.repeated === true && reply.seq === 0
    if (first?._tag === "Sent" && ((first.seq !== reply.seq && !isGone) || first.at !== reply.at)) {
      report(heardAt, `a repeat was answered with ${reply.seq} at ${reply.at}, not ${first.seq} at ${first.at}`)
    }
  }
}

/** What a request may be refused with once its conversation has it. */
const mayBeRefused: ReadonlySet<string> = new Set(["MessageNotFound", "NotAllowed", "TooManyReactions"])
