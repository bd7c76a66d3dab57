/** What a script has to say, from the command line or from standard input, as one message. Pure. */
import { Result } from "effect"
import { maxContentCodePoints } from "../../common/text/Content.ts"
import { type ScriptError, usage } from "./ScriptError.ts"

/** More bytes than a message has, however it is written: each line break may be two. */
export const maxBytes = 2 * 4 * maxContentCodePoints

/** What standard input held; `isCut` if there was more than `maxBytes`. */
export const ofInput = (bytes: Uint8Array, isCut: boolean): Result.Result<string, ScriptError> => {
  if (isCut) return Result.fail(tooLong(`more than ${maxBytes} bytes`))
  const text = Result.try(() => new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes))
  if (Result.isFailure(text)) return Result.fail(usage("Standard input is not UTF-8 text; nothing was sent."))
  const content = unix(text.success).replace(/\n$/, "")
  return content === "" ? Result.fail(usage("Standard input held no text; nothing was sent.")) : checked(content)
}

export const ofArguments = (words: ReadonlyArray<string>): Result.Result<string, ScriptError> => {
  const content = unix(words.join(" "))
  return content === "" ? Result.fail(usage("The text is empty; nothing was sent.")) : checked(content)
}

const unix = (text: string): string => text.replaceAll(/\r\n?/g, "\n")

const checked = (content: string): Result.Result<string, ScriptError> => {
  const characters = [...content]
  if (characters.length > maxContentCodePoints) return Result.fail(tooLong(`${characters.length} characters`))
  const index = characters.findIndex((character) => !isAllowed(character))
  const [stray] = characters.slice(index)
  if (index === -1 || stray === undefined) return Result.succeed(content)
  const line = characters.slice(0, index).filter((character) => character === "\n").length + 1
  const code = (stray.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")
  return Result.fail(
    usage(
      `Line ${line} of the text holds the control character U+${code}, which no message may; nothing was sent. ` +
        "Take it out first, for example with: tr -d '\\000-\\010\\013-\\037'"
    )
  )
}

const isAllowed = (character: string): boolean =>
  character === "\n" || character === "\t" || !/[\p{Cc}\p{Cs}]/u.test(character)

const tooLong = (size: string) =>
  usage(`The text has ${size}, and a message ${maxContentCodePoints} at most; nothing was sent. Send it in parts.`)
