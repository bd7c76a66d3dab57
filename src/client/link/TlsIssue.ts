/**
 * What is wrong with a TLS connection that did not come about, for a person: the end of a sentence that begins with "The
 * server", with what to do about it.
 *
 * The names in a certificate are whatever its maker wrote: of those that are no host names nothing is shown, and of the
 * others three.
 */
import { Predicate } from "effect"

export interface Dialled {
  readonly host: string
  /** Whether it was said whose certificates to trust. */
  readonly isCaGiven: boolean
}

const otherwisePlain = "check host and port; leave --tls out only if you know that it has no TLS"

export const tooSlow = (patience: string): string =>
  `did not finish the TLS handshake within ${patience}: ${otherwisePlain}`

/** Told to a client that was not asked to speak TLS. */
export const speaksTls = "speaks TLS: start again with --tls"

export const tlsIssue = (error: unknown, { host, isCaGiven }: Dialled): string => {
  const code = textOf(error, "code")
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return otherName(error, host)
  if (code in unknownSigners) {
    const [what, remedy] = isCaGiven
      ? ["that the file given with --ca does not vouch for", "get the right file from whoever runs the server"]
      : [unknownSigners[code], "if whoever runs it gave you that certificate, or its signer's, start with --ca FILE"]
    return `has a certificate ${what} (${code}): ${remedy}`
  }
  if (code in unfit) return `has a certificate that ${unfit[code]} (${code})`
  if (tooOld.test(code)) return `speaks no TLS of version 1.2 or later (${code}): it has to be brought up to date`
  if (disconnected.test(code)) return `closed the connection instead of a TLS handshake: ${otherwisePlain}`
  if (/ALERT/.test(code)) return `broke off the TLS handshake (${code}): ${otherwisePlain}`
  if (/^ERR_SSL_|^EPROTO$/.test(code)) return `does not speak TLS (${code}): ${otherwisePlain}`
  return `has a certificate that does not hold (${code || "without a reason"}): tell whoever runs it`
}

const unknownSigners: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "that is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "whose signer is self-signed and not known here",
  UNABLE_TO_GET_ISSUER_CERT: "whose signer is not known here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "whose signer is not known here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "whose signer is not known here"
}

const unfit: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "has expired: whoever runs it has to renew it, unless this machine's clock is wrong",
  CERT_NOT_YET_VALID: "is not valid yet: look whether this machine's clock is right",
  CERT_REVOKED: "was revoked: tell whoever runs it"
}

const tooOld = /PROTOCOL_VERSION$|UNSUPPORTED_PROTOCOL$|UNSUPPORTED_SSL_VERSION$/
const disconnected = /^(?:ECONNRESET|EPIPE|ECONNABORTED)$/

const otherName = (error: unknown, host: string): string => {
  const cert = Predicate.hasProperty(error, "cert") ? error.cert : undefined
  const names = Array.from(textOf(cert, "subjectaltname").slice(0, 4000).split(", "), (name) =>
    name.replace(/^(?:DNS|IP Address):/, "")
  ).filter((name) => /^[\w.*:-]{1,253}$/.test(name))
  const [first] = names
  if (first === undefined) return `has a certificate that is not for ${host}: check the host, or tell whoever runs it`
  const shown = names.length > 3 ? [...names.slice(0, 3), "…"] : names
  return `has a certificate for ${shown.join(", ")}, not for ${host}: check the host, or dial it by that name`
}

const textOf = (value: unknown, key: string): string =>
  Predicate.hasProperty(value, key) && Predicate.isString(value[key]) ? value[key] : ""
