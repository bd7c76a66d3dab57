/** X.509 certificates (RFC 5280) made for a test, of whatever name, signer and time: DER by hand, signed with ECDSA and SHA-256. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"

export interface Identity {
  readonly name: string
  /** Both as PEM. */
  readonly cert: string
  readonly key: string
  readonly privateKey: KeyObject
}

interface Wanted {
  /** Host names; none: one of an authority. */
  readonly hosts?: ReadonlyArray<string>
  readonly from?: string
  readonly until?: string
  /** Itself, unless given. */
  readonly signedBy?: Identity
}

export const make = (name: string, { from = "2020", hosts, signedBy, until = "2120" }: Wanted = {}): Identity => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" })
  const extensions = [
    der(0x30, oid("551d13"), octets(der(0x30, ...(hosts === undefined ? [der(0x01, Buffer.from([0xff]))] : [])))),
    ...(hosts === undefined ? [] : [der(0x30, oid("551d11"), octets(der(0x30, ...hosts.map(hostName))))])
  ]
  const toBeSigned = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    distinguished(signedBy?.name ?? name),
    der(0x30, time(from), time(until)),
    distinguished(name),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(0x30, ...extensions))
  )
  const signature = sign("sha256", toBeSigned, signedBy?.privateKey ?? privateKey)
  const cert = der(0x30, toBeSigned, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature))
  return {
    name,
    cert: `-----BEGIN CERTIFICATE-----\n${cert.toString("base64")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    privateKey
  }
}

/** A value with its tag and length (ITU-T X.690, 8.1). */
const der = (tag: number, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const { length } = Buffer.concat(parts)
  const lengthBytes = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), ...parts])
}

const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"))
const octets = (content: Buffer) => der(0x04, content)
const ecdsaWithSha256 = der(0x30, oid("2a8648ce3d040302"))
const time = (year: string) => der(0x18, Buffer.from(`${year}0101000000Z`))
const distinguished = (name: string) => der(0x30, der(0x31, der(0x30, oid("550403"), der(0x0c, Buffer.from(name)))))
const hostName = (name: string) =>
  /^[\d.]+$/.test(name) ? der(0x87, Buffer.from(name.split(".").map(Number))) : der(0x82, Buffer.from(name))
