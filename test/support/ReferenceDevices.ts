/**
 * Devices and their tokens: a token is a device that logs in again, always the same one, and whoever has the newest or the one
 * before is let in, whatever was cut off between.
 */
import { Redacted } from "effect"
import type { Report, Request, Trace } from "./ReferenceTrace.ts"

/** What a device is called in a trace. */
const labelOf = ({ message }: Request): string | undefined =>
  message._tag === "Handshake" && message.credentials?._tag === "Token" ? message.device : undefined

export const checkDevices = (trace: Trace, report: Report): void => {
  const ids = new Map<string, string>()
  const labels = new Map<string, string>()
  const tokens = new Set<string>()
  const last = new Map<string, Request>()
  for (const request of trace.requests) {
    const label = labelOf(request)
    if (label === undefined) continue
    const { heardAt, reply } = request
    if (!isAgain(request)) last.set(label, request)
    if (reply?._tag !== "Welcome") continue
    const { device = "", token = "" } = reply
    if ((ids.get(label) ?? device) !== device) report(heardAt, `${label} is ${device}, and was ${ids.get(label)}`)
    if ((labels.get(device) ?? label) !== label) report(heardAt, `${label} is ${device}, as ${labels.get(device)} is`)
    if (token === "" || tokens.has(token)) report(heardAt, `${label} is given a token that it had before, or none`)
    ids.set(label, device)
    labels.set(device, label)
    tokens.add(token)
  }
  for (const [label, { heardAt, reply }] of last) {
    if (reply?._tag !== "Welcome") report(heardAt, `${label} is locked out: ${JSON.stringify(reply)}`)
  }
}

/** Of a connection that has been welcomed already, or is about to be. */
const isAgain = ({ saidAt, session }: Request): boolean =>
  [...session.requests.values()].some(({ message, saidAt: before }) => message._tag === "Handshake" && before < saidAt)

/**
 * Whether the token of a Handshake may be neither the newest nor the one before: while the Handshake that gave it was under way
 * there was another one of the same device, which may have been carried out behind it.
 */
export const mayBeOvertaken = (trace: Trace, request: Request): boolean => {
  const label = labelOf(request)
  const token = tokenOf(request)
  const giver = trace.requests.find(({ reply }) => reply?._tag === "Welcome" && reply.token === token)
  if (giver === undefined) return false
  return trace.requests.some(
    (other) =>
      other.session !== giver.session &&
      other.session !== request.session &&
      labelOf(other) === label &&
      other.saidAt < giver.heardAt &&
      other.heardAt > giver.saidAt
  )
}

const tokenOf = ({ message }: Request): string | undefined =>
  message._tag === "Handshake" && message.credentials?._tag === "Token"
    ? Redacted.value(message.credentials.token)
    : undefined
