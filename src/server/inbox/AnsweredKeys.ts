/**
 * What was answered to the last private messages that had a key, so that one sent again is not heard twice.
 *
 * A key counts between two users. Bounds: the last `maxOfSender` of each sender, so that nobody takes the place of another's,
 * and `maxInAll` together; beyond that the sender who has been quiet longest is forgotten. About 200 bytes each.
 */
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { Asker, SessionId } from "../session/Asker.ts"

const maxOfSender = 100
const maxInAll = 50_000

export type Sent = ServerMessageOf<"Sent">

interface Answer {
  readonly sent: Sent
  /** Whose inbox its place is in. */
  readonly session: SessionId
}

export const makeAnsweredKeys = () => {
  /** By sender, the one who has been quiet longest first; by receiver and key, oldest first. */
  const bySender = new Map<NameKey, Map<string, Answer>>()
  let count = 0

  const forget = (sender: NameKey, answers: Map<string, Answer>) => {
    count -= answers.size
    bySender.delete(sender)
  }

  return {
    /** What to answer to a repeat. The place in an inbox that is gone is 0. */
    find: ({ session, user }: Asker, to: UserName, key: MessageKey | undefined): Sent | undefined => {
      if (key === undefined) return undefined
      const first = bySender.get(nameKey(user))?.get(indexOf(to, key))
      if (first === undefined) return undefined
      return { ...first.sent, seq: first.session === session ? first.sent.seq : 0, repeated: true }
    },
    remember: ({ session, user }: Asker, to: UserName, key: MessageKey | undefined, sent: Sent): void => {
      if (key === undefined) return
      const sender = nameKey(user)
      const answers = bySender.get(sender) ?? new Map<string, Answer>()
      forget(sender, answers)
      answers.set(indexOf(to, key), { sent, session })
      for (const oldest of answers.keys()) {
        if (answers.size <= maxOfSender) break
        answers.delete(oldest)
      }
      bySender.set(sender, answers)
      count += answers.size
      for (const [quietest, old] of bySender) {
        if (count <= maxInAll) break
        forget(quietest, old)
      }
    },
    count: (): number => count
  }
}

const indexOf = (to: UserName, key: MessageKey): string => `${nameKey(to)} ${key}`
