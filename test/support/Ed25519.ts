/** An OpenSSH key and its signatures (OpenSSH's PROTOCOL.key, PROTOCOL.sshsig), by hand and node:crypto. */
import { createHash, generateKeyPairSync, sign } from "node:crypto"

export interface TestKey {
  /** As in a `.pub` file. */
  readonly publicKey: string
  /** In armour. */
  readonly sign: (text: string, namespace?: string) => string
}

const string = (bytes: Uint8Array | string): Uint8Array => {
  const content = Buffer.from(bytes)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([length, content])
}

export const makeKey = (): TestKey => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519")
  const point = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url")
  const blob = Buffer.concat([string("ssh-ed25519"), string(point)])
  return {
    publicKey: `ssh-ed25519 ${blob.toString("base64")} somebody@somewhere`,
    sign: (text, namespace = "parley") => {
      const magic = Buffer.from("SSHSIG")
      const purpose = Buffer.concat([string(namespace), string(""), string("sha512")])
      const digest = createHash("sha512").update(text).digest()
      const signature = sign(null, Buffer.concat([magic, purpose, string(digest)]), privateKey)
      const value = Buffer.concat([string("ssh-ed25519"), string(signature)])
      const whole = Buffer.concat([magic, Buffer.from([0, 0, 0, 1]), string(blob), purpose, string(value)])
      const lines = whole.toString("base64").replaceAll(/.{70}/g, "$&\n")
      return `-----BEGIN SSH SIGNATURE-----\n${lines}\n-----END SSH SIGNATURE-----\n`
    }
  }
}

/** What a key signs to log somebody in: four lines, as the protocol says. */
export const loginText = (host: string, user: string, nonce: unknown): string =>
  `parley-login\n${host}\n${user}\n${String(nonce)}\n`
