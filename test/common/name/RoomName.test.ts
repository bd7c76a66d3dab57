/** The names of encrypted conversations, which are made of two names: every two users have one, and the same whoever asks. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Exit, Schema } from "effect"
import { nameKey } from "../../../src/common/name/Name.ts"
import { conversationRoom, isConversationRoom, NewRoomName, RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { oneOf, tries } from "../../support/generators.ts"

/** Letters that folding makes longer, or gives another mark, as often as a name may have them. */
const awkward = ["İ", "ŉ", "ǰ", "ΐ", "ﬃ", "ß", "Ị̧̨̇", "ẞ", "\u0130\u0301\u0308\u0342", "𠀀", "हि"].map((letter) => {
  const count = Math.floor(32 / [...letter.normalize("NFKC")].length)
  return letter.repeat(count)
})
const someName = Arbitrary.map(
  Arbitrary.all([Arbitrary.schema(UserName), oneOf<string | undefined>(undefined, undefined, ...awkward)]),
  ([name, other]) => (other === undefined ? name : Schema.decodeSync(UserName)(other))
)
const decode = Schema.decodeUnknownSync(RoomName)

describe("The room of an encrypted conversation", () => {
  it.prop(
    "has one name for any two users, which is read back as it is, and which nobody gives to a room",
    [someName, someName],
    ([one, other]) => {
      const room = conversationRoom(one, other)
      assert.strictEqual(room, conversationRoom(other, one))
      assert.strictEqual(decode(room), room)
      assert.strictEqual<string>(nameKey(room), room)
      assert.isTrue(isConversationRoom(room))
      assert.isTrue(Exit.isFailure(Schema.decodeExit(NewRoomName)(room)))
    },
    tries(300)
  )

  it.each(["~", "~~", "~ada", "~ada~", "~~ada", "~ada~ben~", "~ada~ben~cleo", "ada~ben", "~ada ~ben"])(
    "is not called %s",
    (name) => {
      assert.isTrue(Exit.isFailure(Schema.decodeExit(RoomName)(name)))
    }
  )
})
