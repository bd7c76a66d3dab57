/** Where the state of one account on one server is, and the key file beside it. */
import { join } from "node:path"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"

interface StatePaths {
  readonly state: string
  readonly key: string
}

/** In a folder of the server's own, as it was dialled; names of both are spelled so that every file system takes them. */
export const statePaths = (dataHome: string, server: string, user: UserName): StatePaths => {
  const path = join(dataHome, "parley", encodeURIComponent(server), encodeURIComponent(nameKey(user)))
  return { state: `${path}.sqlite`, key: `${path}.key` }
}
