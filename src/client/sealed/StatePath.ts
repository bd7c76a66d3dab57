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

/**
 * In a folder of the server's own, as it was dialled; names of both are spelled so that every file system takes them. Another login of
 * the account on this machine, with a token file of its own, is another device, and keeps other keys.
 */
export const statePaths = (dataHome: string, server: string, user: UserName, tokenFile?: string): StatePaths => {
  const path = join(dataHome, "parley", encodeURIComponent(server), encodeURIComponent(nameKey(user)))
  const own =
    tokenFile === undefined
      ? path
      : `${path}.${createHash("sha256").update(resolve(tokenFile)).digest("hex").slice(0, 16)}`
  return { state: `${own}.sqlite`, key: `${own}.key`, rooms: `${path}.rooms` }
}
