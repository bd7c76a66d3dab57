/**
 * Who asked for what, over all connections: whose an entry is, and what a key was answered with.
 *
 * 1. A guest's connection is one author, and such an author is one connection: what comes later under the same name is
 *    somebody else. An account is one author on all its connections.
 * 2. All that one sender sends to one conversation with one key has one answer, on whatever connection, of whatever server.
 */
import type { Seq } from "../../src/common/log/Cursor.ts"
import type { AuthorId } from "../../src/common/log/Entry.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import type { MessageKey } from "../../src/common/wire/RequestId.ts"
import { keyOf } from "../../src/server/history/History.ts"

export class Origins {
  readonly #authors = new Map<string, AuthorId>()
  readonly #connections = new Map<AuthorId, string>()
  readonly #answers = new Map<string, Seq>()

  /** The author that a connection is, as far as that is known. */
  authorOf(connection: string): AuthorId | undefined {
    return this.#authors.get(connection)
  }

  /** A connection is told that it made an entry, and the disk says whose that is. Gives what is wrong. */
  made(connection: string, author: AuthorId | undefined, account?: AuthorId): string | undefined {
    if (author === undefined) return "what it wrote is nobody's"
    if (account !== undefined) {
      this.#authors.set(connection, account)
      return author === account ? undefined : `what ${account} wrote is ${author}'s`
    }
    const known = this.#authors.get(connection)
    const other = this.#connections.get(author)
    this.#authors.set(connection, author)
    this.#connections.set(author, connection)
    if (known !== undefined && known !== author) return `it is ${author} by now, and was ${known}`
    return other === undefined || other === connection ? undefined : `what it wrote is ${other}'s`
  }

  /** A key is answered. Gives what is wrong. */
  answered(log: string, from: UserName, key: MessageKey, seq: Seq): string | undefined {
    const name = `${log} ${keyOf(from, key)}`
    const first = this.#answers.get(name) ?? seq
    this.#answers.set(name, first)
    return first === seq ? undefined : `its key "${key}" is answered with ${seq}, and was answered with ${first}`
  }
}
