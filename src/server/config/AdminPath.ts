/** Where the server and `pnpm admin` meet: ADMIN_SOCKET, or beside the database. Nowhere if that is not kept in a file. */
import { resolve } from "node:path"

export const adminPathOf = (database: string, adminSocket: string | undefined): string | undefined => {
  if (adminSocket !== undefined) return resolve(adminSocket)
  return database === ":memory:" ? undefined : `${resolve(database)}-admin`
}
