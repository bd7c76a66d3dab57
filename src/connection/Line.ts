/**
 * One line: bytes to message and message to bytes.
 *
 * Everything that comes in is decoded by a Schema here, at the edge, and nothing behind this file sees anything else.
 * What is wrong with a line is told in one sentence that names the field and quotes nothing of the line: it may go into
 * a reply or a log.
 */
import { Predicate, Result, Schema, SchemaIssue } from "effect"

/** What a line turned out to be. */
export type Incoming<Message> =
  | { readonly _tag: "Message"; readonly message: Message }
  /** Not JSON, not UTF-8 or not a message. `id` is the line's own, for the reply, where it has a usable one. */
  | { readonly _tag: "Malformed"; readonly issue: string; readonly id: string | undefined }
  /** Over the limit: the last thing ever heard from this peer. */
  | { readonly _tag: "Oversized"; readonly limit: number }
  /** So many malformed lines in a row that nothing more is read: the last thing ever heard from this peer. */
  | { readonly _tag: "Garbage"; readonly lines: number }

export type Decoder<Message> = (line: Uint8Array) => Incoming<Message>

/**
 * Makes a decoder, for any number of connections. `Message` is the schema of what their peers may say, a union by `_tag`.
 * A line with more of the marks that hold JSON together than `maxMarks` says for its length, in bytes, is not parsed:
 * 64 KiB of brackets or of names that are all different take 5 ms, a text of that length 0.3.
 */
export const makeDecoder = <Message extends { readonly _tag: string }>(
  schema: Schema.ConstraintDecoder<Message>,
  maxMarks: (bytes: number) => number = () => Infinity
): Decoder<Message> => {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  const decodeMessage = Schema.decodeUnknownResult(schema)
  const parse = (line: Uint8Array): unknown => JSON.parse(utf8.decode(line))

  return (line) => {
    const excess = excessOf(line, maxMarks(line.length))
    if (excess !== undefined) return malformed(excess)
    const parsed = withoutStackTraces(() => Result.try(() => parse(line)))
    if (Result.isFailure(parsed)) {
      return malformed(parsed.failure instanceof SyntaxError ? "it is not JSON" : "it is not UTF-8")
    }
    const json = parsed.success
    const message = decodeMessage(json)
    return Result.isSuccess(message)
      ? { _tag: "Message", message: message.success }
      : malformed(explain(json, message.failure.issue), json)
  }
}

const quote = 0x22
const backslash = 0x5c
const space = 0x20
const marks = new Set(Buffer.from("{}[]:,"))

/** Numbers stand outside of strings, too: 65,000 digits take 4 ms to parse. So many bytes of them for each mark that may be. */
const bytesPerMark = 32

/**
 * What is too much outside of strings, if anything is. Does not care whether it is JSON. Looks at each byte once: 60 kB of
 * escaped quotes took 6 ms when each was searched for.
 */
const excessOf = (line: Uint8Array, most: number): string | undefined => {
  if (line.length <= most) return undefined
  let found = 0
  let others = 0
  let isText = false
  for (let index = 0; index < line.length; index++) {
    const byte = line[index] ?? 0
    if (isText) {
      if (byte === backslash) index++
      else if (byte === quote) isText = false
    } else if (byte === quote) isText = true
    else if (marks.has(byte)) found++
    else if (byte > space) others++
    if (found > most) return `it holds more than ${most} brackets, colons and commas`
    if (others > most * bytesPerMark) return "its numbers are too long"
  }
  return undefined
}

/** The bytes of one line. */
export const encodeLine = (message: object): Uint8Array => encodeText(lineText(message))

/** A line as text, newline included: batches of lines are joined as text and encoded once. */
export const lineText = (message: object): string => `${JSON.stringify(message)}\n`

const encoder = new TextEncoder()
export const encodeText = (text: string): Uint8Array => encoder.encode(text)

/** Taking a stack trace is most of the cost of refusing a bad line, which whoever sends it gets to impose on others. */
const withoutStackTraces = <A>(run: () => A): A => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  const result = run()
  Error.stackTraceLimit = limit
  return result
}

const malformed = (issue: string, json?: unknown): Incoming<never> => {
  const id = Predicate.hasProperty(json, "id") ? json.id : undefined
  return { _tag: "Malformed", issue, id: isRepeatable(id) ? id : undefined }
}

/** Whether a reply may have it: no string of ours holds half of a surrogate pair or NUL either. */
const isRepeatable = (id: unknown): id is string =>
  Predicate.isString(id) && id.length >= 1 && id.length <= 64 && id.isWellFormed() && !id.includes("\u0000")

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const explain = (json: unknown, issue: SchemaIssue.Issue): string => {
  if (!Predicate.isObject(json) || Array.isArray(json)) return "it is not a JSON object"
  const { path = [], message } = formatIssue(issue).issues[0] ?? { message: "it does not fit" }
  if (path.length > 0) return `${path.map(fieldName).join(".")}: ${message}`
  return Predicate.hasProperty(json, "_tag") ? "_tag: there is no message of this kind" : "_tag: Missing key"
}

const fieldName = (segment: PropertyKey | { readonly key: PropertyKey }): string =>
  String(Predicate.isObject(segment) ? segment.key : segment)
