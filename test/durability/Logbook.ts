/** The layer of History that the server has, without the server: to fill a file, or look into one, in milliseconds. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Array as Arr, Context, Effect, Layer } from "effect"
import type { SharedConversation } from "../../src/common/log/Conversation.ts"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { Content } from "../../src/common/text/Content.ts"
import { MessageKey } from "../../src/common/wire/RequestId.ts"
import { History, type NewEntry } from "../../src/server/history/History.ts"
import * as Database from "../../src/server/store/Database.ts"
import { keyOf, outline } from "./FileServer.ts"

/** Opens the file for as long as the scope is open. */
export const open = Effect.fnUntraced(function* (file: string, options?: Partial<Database.DatabaseOptions>) {
  const layer = Database.layerFile({ file, retention: "forever", ...options })
  return Context.get(yield* Layer.build(Layer.provide(layer, NodeFileSystem.layer)), History)
})

export const lobby: SharedConversation = { _tag: "Lobby" }
export const room = (name: string): SharedConversation => ({ _tag: "Room", room: RoomName.make(name) })

export interface Line {
  readonly conversation?: SharedConversation
  readonly content: string
  readonly at?: number
  /** A word that becomes its key. */
  readonly key?: string
}

const toEntry = ({ at = 1, content, conversation = lobby, key }: Line): NewEntry => ({
  conversation,
  from: UserName.make("ada"),
  author: undefined,
  body: { _tag: "Said", content: Content.make(content) },
  at,
  key: key === undefined ? undefined : MessageKey.make(keyOf(key))
})

export const write = (history: History["Service"], lines: ReadonlyArray<Line>) => {
  const entries = lines.map(toEntry)
  return Arr.isReadonlyArrayNonEmpty(entries) ? history.append(entries) : Effect.succeed([])
}

/** What a conversation holds. */
export const contents = (history: History["Service"], conversation: SharedConversation = lobby) =>
  Effect.map(history.read(conversation, { after: 0, before: undefined, limit: 100_000 }), ({ entries }) =>
    outline(entries.map(({ body, seq }) => ({ ...body, seq })))
  )

/** Makes a file that holds these, as after a clean stop. */
export const fill = Effect.fnUntraced(function* (file: string, lines: ReadonlyArray<Line>) {
  const history = yield* open(file)
  for (const some of Arr.chunksOf(lines, 2000)) yield* write(history, some)
}, Effect.scoped)
