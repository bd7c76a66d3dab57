import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Talk from "../../../src/client/core/chat/Talk.ts"
import { whereaboutsOfRequest } from "../../../src/client/core/Request.ts"
import { nameOf } from "../../../src/client/full/Bars.ts"
import { frameOf } from "../../../src/client/full/Frame.ts"
import { bindings } from "../../../src/client/full/Keys.ts"
import { paste, press } from "../../../src/client/full/Press.ts"
import { textOf } from "../../../src/client/full/Row.ts"
import { type View, talkOf } from "../../../src/client/full/View.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { tries } from "../../support/generators.ts"
import { after, begin, connected, pressed, received, rowsIn, said } from "./Drawn.ts"

const start = after(begin(80, 24), connected, said(1, "ada", "Good morning!"), said(2, "ben", "Hi"))
const sentBy = (...keys: ReadonlyArray<string>) =>
  pressed(start, ...keys).wishes.flatMap((wish) => (wish._tag === "Send" ? [wish.submission.request] : []))

describe("Enter", () => {
  it("sends what is typed to the conversation that is named before it", () => {
    assert.deepStrictEqual(sentBy("type:hello", "enter"), [{ _tag: "GlobalMessage", content: "hello" }])
    assert.deepStrictEqual(sentBy("alt+2", "type:hello", "alt+enter", "type:you", "enter"), [
      { _tag: "RoomMessage", room: RoomName.make("dev"), content: "hello\nyou" }
    ])
    assert.deepStrictEqual(sentBy("alt+3", "type:hello", "enter"), [
      { _tag: "PrivateMessage", to: UserName.make("ada"), content: "hello" }
    ])
  })

  it("sends no command as text, and a doubled sign as one", () => {
    assert.deepStrictEqual(sentBy("type::unheard of", "enter", "ctrl+u", "type:/unheard of", "enter"), [])
    assert.deepStrictEqual(sentBy("type:::) hello", "enter", "type://etc", "enter"), [
      { _tag: "GlobalMessage", content: ":) hello" },
      { _tag: "GlobalMessage", content: "/etc" }
    ])
    const { view, wishes } = pressed(start, "type:/users", "enter")
    assert.deepStrictEqual(
      wishes.map(({ _tag }) => _tag),
      ["Command"]
    )
    assert.strictEqual(talkOf(view).draft, "")
  })

  it("carries out no command that has more lines, and says how all of it is sent as text", () => {
    const { view, wishes } = pressed(start, "type::topic dev One", "alt+enter", "type::quit", "enter")
    assert.deepStrictEqual(wishes, [])
    assert.strictEqual(talkOf(view).draft, ":topic dev One\n:quit")
    assert.include(rowsIn(view).at(-3), "A command is one line.")
  })

  it("keeps what is no command where it can be mended, and says why", () => {
    const { view } = pressed(start, "type::quti", "enter")
    assert.strictEqual(talkOf(view).draft, ":quti")
    assert.include(rowsIn(view).at(-3), 'There is no command ":quti". Did you mean :quit?')
  })

  it("leaves each conversation its own draft", () => {
    const { view } = pressed(start, "type:for all", "alt+2", "type:for dev", "alt+1")
    assert.match(rowsIn(view).at(-1) ?? "", /^lobby› for all/)
    assert.match(rowsIn(pressed(view, "alt+2").view).at(-1) ?? "", /^dev› for dev/)
  })

  it("sends nothing just after one was moved to another conversation by what happened", () => {
    const inDev = pressed(start, "alt+2").view
    const out = after(inDev, received({ _tag: "RoomLeft", room: "dev", id: "7" }))
    assert.strictEqual(out.chat.shown, "lobby")
    const moved: View = { ...out, movedAt: out.now }
    assert.deepStrictEqual(pressed(moved, "type:secret", "enter").wishes, [])
    assert.strictEqual(pressed({ ...moved, now: moved.now + 1500 }, "type:secret", "enter").wishes.length, 1)
  })

  it("sends nothing anywhere for whoever is put out of the room that they look at, however long they type", () => {
    const out = after(pressed(start, "alt+2").view, received({ _tag: "RoomLeft", room: "dev" }))
    const { view, wishes } = pressed({ ...out, now: out.now + 60_000 }, "type:secret", "enter")
    assert.deepStrictEqual(wishes, [])
    assert.strictEqual(talkOf(view).draft, "secret")
    assert.include(rowsIn(view).at(-2), "Not sent: you are not in dev any more")
  })
})

describe("Enter, while the screen shows another conversation still than there is", () => {
  const inDev = pressed(start, "alt+2").view

  it.each(["type:secret", "type::users", "type::topic dev New"])("does nothing with %s, which stays", (typing) => {
    const { view } = pressed(inDev, typing)
    const step = press(view, { name: "enter" }, "lobby")
    assert.deepStrictEqual(step.wishes, [])
    assert.strictEqual(talkOf(step.view).draft, typing.slice(5))
    assert.include(rowsIn(step.view).at(-2), "Not sent: you are in dev now.")
    assert.lengthOf(press(view, { name: "enter" }, "room dev").wishes, 1)
  })
})

describe("Keys", () => {
  it("edit the last message of one's own from an empty line", () => {
    const { view, wishes } = pressed(start, "up", "type: there", "enter")
    assert.deepStrictEqual(
      wishes.map((wish) => (wish._tag === "Send" ? wish.submission.request : wish)),
      [{ _tag: "EditMessage", target: 2, content: "Hi there" }]
    )
    assert.strictEqual(talkOf(view).draft, "")
  })

  it("choose a message, to answer it, react to it, or delete it after a question", () => {
    const { view } = pressed(start, "alt+up", "up", "r")
    assert.match(rowsIn(view).at(-1) ?? "", /^lobby ↳ ada›/)
    assert.deepStrictEqual(
      pressed(view, "type:yes", "enter").wishes.map((wish) => wish._tag === "Send" && wish.submission.request),
      [{ _tag: "GlobalMessage", content: "yes", replyTo: 1 }]
    )
    assert.deepStrictEqual(pressed(start, "alt+up", "+", "type:thumbsup", "enter").wishes, [
      { _tag: "Do", request: { _tag: "React", target: 2, reaction: "👍" } }
    ])
    assert.deepStrictEqual(pressed(start, "alt+up", "d", "n").wishes, [])
    assert.deepStrictEqual(pressed(start, "alt+up", "d", "y").wishes, [
      { _tag: "Do", request: { _tag: "DeleteMessage", target: 2 } }
    ])
  })

  it("go to a conversation by a part of its name, to what waits first, and back", () => {
    assert.strictEqual(nameOf(talkOf(pressed(start, "ctrl+k", "type:de", "enter").view)), "dev")
    assert.strictEqual(nameOf(talkOf(pressed(start, "alt+a").view)), "dev")
    assert.strictEqual(nameOf(talkOf(pressed(start, "alt+right", "alt+right", "alt+l").view)), "dev")
    assert.strictEqual(nameOf(talkOf(pressed(start, "alt+left").view)), "@ada")
  })

  it("complete names, whoever spoke last first, and emoji", () => {
    const here = after(start, received({ _tag: "Presence", joined: ["adam", "ada", "zoe"], left: [], all: true }))
    const typed = (...keys: ReadonlyArray<string>) => talkOf(pressed(here, ...keys).view).draft
    assert.strictEqual(typed("type:z", "tab"), "zoe: ")
    assert.strictEqual(typed("type:hi @z", "tab"), "hi @zoe ")
    assert.strictEqual(typed("type:ad", "tab"), "ada: ")
    assert.strictEqual(typed("type:so :rocket", "tab"), "so 🚀 ")
    assert.strictEqual(typed("type:/hist", "tab"), "/history ")
    assert.strictEqual(typed("type::jr d", "tab"), ":jr dev ")
  })

  it("ask before leaving, and after a line was cleared", () => {
    const { view, wishes } = pressed(start, "type:half", "ctrl+c")
    assert.strictEqual(talkOf(view).draft, "")
    assert.deepStrictEqual(wishes, [])
    assert.deepStrictEqual(pressed(view, "ctrl+c", "escape").wishes, [])
    assert.deepStrictEqual(pressed(view, "ctrl+c", "y").wishes, [{ _tag: "Quit" }])
  })

  it("that came as Alt and a character were Escape and the character, where the two together mean nothing", () => {
    const { view, wishes } = pressed(start, "ctrl+k", "alt+:", "type:users", "enter")
    assert.isUndefined(view.popup)
    assert.deepStrictEqual(
      wishes.map(({ _tag }) => _tag),
      ["Command"]
    )
  })

  it("that came as Alt, Ctrl and a letter were Escape and that, too", () => {
    assert.strictEqual(pressed(start, "ctrl+f", "ctrl+alt+r").view.popup?._tag, "Pick")
  })

  it("stand in the table once each", () => {
    const all = bindings.flatMap(({ keys }) => keys)
    assert.strictEqual(new Set(all).size, all.length)
  })
})

describe("What was typed", () => {
  it("is remembered of the last 200 lines, and of 64 conversations where the cursor stood", () => {
    let view: View = start
    for (let line = 0; line < 210; line++) view = pressed(view, `type:line ${line}`, "enter").view
    assert.lengthOf(view.typed, 200)
    assert.strictEqual(view.typed.at(-1), "line 209")
    for (let other = 0; other < 70; other++)
      view = pressed(view, "alt+1", `type::pm user${other}`, "enter", "type:hi").view
    assert.strictEqual(view.editors.size, 64)
    // The words themselves stay.
    assert.strictEqual(view.chat.talks.get("with user0")?.draft, "hi")
  })
})

describe("A paste", () => {
  it("ends with what was copied, without the line breaks behind it", () => {
    assert.strictEqual(talkOf(paste(start, "one line\n")).draft, "one line")
    assert.strictEqual(talkOf(paste(start, "one\r\n\r\ntwo\r\n\r\n")).draft, "one\n\ntwo")
  })

  it("is typed and never sent, whatever it holds", () => {
    const view = paste(start, "one\r\n:quit\r\n")
    assert.strictEqual(talkOf(view).draft, "one\n:quit")
    const hundred = `${Array.from({ length: 50 }, () => "line").join("\n")}\n:quit\n`
    const asked = paste(start, hundred)
    assert.isTrue(rowsIn(asked).some((row) => row.includes("Put 51 lines into what you are typing for")))
    assert.strictEqual(talkOf(pressed(asked, "n").view).draft, "")
    const taken = pressed(asked, "y")
    assert.strictEqual(talkOf(taken.view).draft, hundred.trimEnd())
    assert.deepStrictEqual(taken.wishes, [])
    assert.strictEqual(sentBy().length, 0)
  })
})

describe("Whatever is pressed and happens", () => {
  const keys = [...bindings.flatMap((one) => one.keys), "alt+1", "alt+2", "alt+3", "a", "y", "n", " ", ":", "é"]
  const Happening = Schema.Union([
    Schema.Literals(keys),
    Schema.Literals(["enter", "enter", "alt+2", "alt+3", "x", "leave dev", "back in dev", "ada speaks"])
  ])
  const Happenings = Schema.Array(Happening).check(Schema.isMaxLength(60))

  it.prop(
    "nothing is sent but to the conversation that was named before it",
    { happenings: Happenings },
    ({ happenings }) => {
      let view = start
      let last = frameOf(view)
      let seq = 10
      for (const one of happenings) {
        seq += 1
        if (one === "leave dev") view = after(view, received({ _tag: "RoomLeft", room: "dev" }))
        else if (one === "ada speaks") view = after(view, said(seq, "ada", "well"))
        else if (one === "back in dev") {
          const joined = {
            _tag: "RoomJoined",
            room: "dev",
            epoch: "f",
            seq: 0,
            missed: 0,
            truncated: false,
            users: [],
            count: 0
          }
          view = after(view, received(joined))
        } else {
          const step = press(view, one.length === 1 ? { name: one, text: one } : { name: one }, last.seen)
          view = step.view
          const named = textOf(last.rows.findLast((row) => textOf(row).includes("› ")) ?? [])
          for (const wish of step.wishes) {
            if (wish._tag !== "Send") continue
            const where = whereaboutsOfRequest(wish.submission.request)
            assert.strictEqual(Talk.keyOf(where), last.seen)
            const name = nameOf({ where, partner: undefined })
            assert.isTrue(named.startsWith(name), `${named} | ${name}`)
          }
          // The screen is drawn in between, but not behind each thing that happens.
          last = frameOf(view)
        }
      }
    },
    tries(60, 40)
  )
})

describe("A link", () => {
  const talk = after(
    begin(80, 24),
    connected,
    said(1, "ada", "https://one.example, https://two.example"),
    said(2, "eve", "https://hidden.example"),
    said(3, "ada", "https://three.example/a_b")
  )
  const opened = (...keys: ReadonlyArray<string>) =>
    pressed(pressed(talk, "type::ignore eve", "enter").view, ...keys).wishes.flatMap((wish) =>
      wish._tag === "Open" ? [wish.target] : []
    )

  it("is opened by its number, the newest first, and none of whom one ignores", () => {
    assert.deepStrictEqual(opened("type::url", "enter"), ["https://three.example/a_b"])
    assert.deepStrictEqual(opened("type:/url 2", "enter"), ["https://one.example"])
    assert.deepStrictEqual(opened("type::url 4", "enter"), [])
    const { view } = pressed(talk, "type::url 9", "enter")
    assert.deepStrictEqual(view.notice, { text: "There are 4 links here.", isError: true })
  })

  it("of the message that is chosen is opened by o", () => {
    assert.deepStrictEqual(opened("alt+up", "o"), ["https://three.example/a_b"])
    assert.deepStrictEqual(opened("alt+up", "alt+up", "alt+up", "o"), ["https://one.example"])
  })
})

describe("An emoji by its name", () => {
  const sent = (text: string) =>
    pressed(after(begin(80, 24), connected), `type:${text}`, "enter").wishes.flatMap((wish) =>
      wish._tag === "Send" && "content" in wish.submission.request ? [wish.submission.request.content] : []
    )

  it("is sent as itself, also where a line begins with it", () => {
    assert.deepStrictEqual(sent("well :tada::tada: done :thumbsup:"), ["well 🎉🎉 done 👍"])
    assert.deepStrictEqual(sent(":tada: done"), ["🎉 done"])
  })

  it("stays as it is in code, in an address, within words, and where there is none of that name", () => {
    const texts = [
      "a `:tada:` b",
      "```:tada:",
      "https://a.org/:tada:x",
      "12:key:5",
      "a :nothing: b",
      "a :constructor: b"
    ]
    for (const text of texts) assert.deepStrictEqual(sent(text), [text])
    assert.deepStrictEqual(sent(":nothing: b"), [])
  })
})
