/** A full screen without a terminal: what happened is said, keys are pressed, and rows are read. */
import { DateTime, Schema } from "effect"
import * as Chat from "../../../src/client/core/chat/ChatState.ts"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import { type Frame, frameOf } from "../../../src/client/full/Frame.ts"
import { press } from "../../../src/client/full/Press.ts"
import { textOf } from "../../../src/client/full/Row.ts"
import * as Times from "../../../src/client/full/Times.ts"
import * as View from "../../../src/client/full/View.ts"
import type { Wish } from "../../../src/client/full/Wish.ts"
import { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"

/** The time on this screen, and of what is said at it. */
export const noon = Date.UTC(2026, 10, 28, 12, 4)
const minute = 60_000

const decode = Schema.decodeUnknownSync(ServerMessage)
const decodeWelcome = Schema.decodeUnknownSync(ServerMessage.cases.Welcome)

export const received = (message: object): ClientEvent => ({ _tag: "Received", message: decode(message) })

/** ben, who moderates dev, has something unread there and from ada. */
export const connected: ClientEvent = {
  _tag: "Connected",
  welcome: decodeWelcome({
    _tag: "Welcome",
    user: "ben",
    protocol: 1,
    server: { name: "parley", version: "1.0.0" },
    account: true,
    lobby: { epoch: "e", seq: 0 },
    rooms: [{ room: "dev", seq: 9, read: 2, unread: 3, mentions: 1, role: "moderator", topic: "Release on Friday" }],
    conversations: [{ with: "ada", seq: 3, read: 1, unread: 2 }]
  })
}

export const said = (seq: number, from: string, content: string, more: object = {}): ClientEvent =>
  received({ _tag: "GlobalMessage", seq, at: noon + seq * minute, from, content, ...more })

export const begin = (columns: number, rows: number): View.View =>
  View.make({ columns, rows }, Times.make(DateTime.zoneMakeOffset(0)), noon)

export const after = (view: View.View, ...events: ReadonlyArray<ClientEvent>): View.View => ({
  ...view,
  chat: events.reduce((chat, event) => Chat.hear(chat, event, view.now), view.chat)
})

const rowsOf = (frame: Frame): ReadonlyArray<string> => frame.rows.map((row) => textOf(row).trimEnd())

export const rowsIn = (view: View.View): ReadonlyArray<string> => rowsOf(frameOf(view))

/** Presses keys, each seeing the screen as it is then; `type:` types what follows. */
export const pressed = (
  before: View.View,
  ...keys: ReadonlyArray<string>
): { readonly view: View.View; readonly wishes: ReadonlyArray<Wish> } => {
  let view = before
  const wishes: Array<Wish> = []
  for (const key of keys) {
    const typed = key.startsWith("type:") ? key.slice(5) : undefined
    for (const name of typed ?? [key]) {
      const isLetter = typed !== undefined || name.length === 1
      const step = press(view, isLetter ? { name, text: name } : { name }, frameOf(view).seen)
      view = step.view
      wishes.push(...step.wishes)
    }
  }
  return { view, wishes }
}
