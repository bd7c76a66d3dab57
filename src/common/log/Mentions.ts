/**
 * Whether a message names somebody: holds `@` and the name. Pure, and shared by whoever counts mentions and whoever shows them.
 *
 * Names are compared by their keys, so `@ADA` and a full-width `@Ａｄａ` name Ada. A mention ends where no name goes on: `@adam`,
 * `@ada-7` and `@ada.b` do not name Ada, but `@ada.` and `@ada...` do, for a sentence may end so; and whoever is called `ada.`, too.
 *
 * Bound: of each piece between two `@` no more is looked at than the longest name may have. 8192 characters take 0.1 ms, of the worst kind 5.
 */
import { type NameKey, nameKey } from "../name/Name.ts"
import type { UserName } from "../name/UserName.ts"

/** UTF-16 units in which a name of 32 characters may be typed (see `typedName`), and one more: what is longer is no name. */
const maxUnits = 32 * 8 + 1

/** What names are written with, as long as it goes on, but for what may end a sentence. Marks of any number go on. */
const goesOn = /^[\p{L}\p{Nd}](?:[_.-]*[\p{L}\p{M}\p{Nd}])*/u
const endings = /^[_.-]*/

export const mentions = (content: string, user: UserName): boolean => {
  if (!content.includes("@")) return false
  const key = nameKey(user)
  const [, ...behind] = content.split("@")
  return behind.some((piece) => begins(piece.slice(0, maxUnits), key))
}

const begins = (text: string, key: NameKey): boolean => {
  if (text === "") return false
  const isAscii = !/[\u0080-\uffff]/.test(text)
  const normal = isAscii ? text.toLowerCase() : text.normalize("NFKC")
  const [name = ""] = goesOn.exec(normal) ?? []
  const found = isAscii ? name : nameKey(name)
  const [ending = ""] = endings.exec(normal.slice(name.length)) ?? []
  return name !== "" && key.startsWith(found) && ending.startsWith(key.slice(found.length))
}
