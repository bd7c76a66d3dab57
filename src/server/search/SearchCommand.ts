/** What the SearchProcessor is told: what to look for in conversations the asker may read. */
import { Schema } from "effect"
import { Conversation } from "../../common/log/Conversation.ts"
import { Search } from "../history/Query.ts"
import { Asker } from "../session/Asker.ts"

export const SearchCommand = Schema.Struct({
  from: Asker,
  conversations: Schema.NonEmptyArray(Conversation),
  search: Search
})
export type SearchCommand = typeof SearchCommand.Type
