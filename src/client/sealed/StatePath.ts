/** Where the state of one account on one server is, and the key file beside it. */
import { createHash } from "node:crypto"
import { join, resolve } from "node:path"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"

interface StatePaths {
  readonly state: string
  readonly key: string
  /** Names of rooms; see Keeping.ts. */
  readonly rooms: string
}

/** A name of a file may have 255 bytes on most systems; `.sqlite-wal` and the like come behind this one. */
const maxNameBytes = 180

/** Spelled so that every file system takes it; of a long name, three bytes and more for a letter, only a hash is told. */
const fileName = (text: string): string => {
  const spelled = encodeURIComponent(text)
  return spelled.length > maxNameBytes ? hashed(spelled) : spelled
}

const hashed = (text: string): string => createHash("sha256").update(text).digest("hex")

/**
 * In a folder of the server's own, as it was dialled. Another login of
 * the account on this machine, with a token file of its own, is another device, and keeps other keys.
 */
export const statePaths = (dataHome: string, server: string, user: UserName, tokenFile?: string): StatePaths => {
  const path = join(dataHome, "parley", fileName(server), fileName(nameKey(user)))
  const own = tokenFile === undefined ? path : `${path}.${hashed(resolve(tokenFile)).slice(0, 16)}`
  return { state: `${own}.sqlite`, key: `${own}.key`, rooms: `${path}.rooms` }
}
