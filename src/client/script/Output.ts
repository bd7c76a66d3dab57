/**
 * Standard output of a script: each write is done when the system has it, and a reader that has gone is noticed.
 *
 * On a terminal nothing of others' text is an escape sequence, in JSON neither: there it is written as JSON escapes it.
 */
import * as process from "node:process"
import { Context, Effect, Layer, Predicate } from "effect"
import type { EntryMessage, StandingMessage } from "../../common/wire/EntryMessage.ts"
import { exitCode } from "../core/ExitCode.ts"
import * as Recent from "../core/Recent.ts"
import type { Style } from "../screen/Layout.ts"
import { renderEntry, renderOld } from "../screen/RenderEntry.ts"
import { OutputClosed } from "../screen/Screen.ts"
import { colourless } from "../text/Palette.ts"
import { safeText } from "../text/SafeText.ts"
import * as Timestamp from "../text/Timestamp.ts"
import { ScriptError } from "./ScriptError.ts"

export class Output extends Context.Service<
  Output,
  {
    readonly isTerminal: boolean
    /** Done when all of it has left the process. */
    readonly write: (text: string) => Effect.Effect<void, OutputClosed | ScriptError>
  }
>()("parley/client/script/Output") {
  static readonly layerTo = (stream: NodeJS.WritableStream & { readonly isTTY?: boolean }): Layer.Layer<Output> =>
    Layer.sync(Output, () => {
      // Never taken off: the error of a write can follow its callback, and unheard it would end the process.
      for (const output of [stream, process.stderr]) {
        if (!output.listeners("error").includes(ignore)) output.on("error", ignore)
      }
      return Output.of({
        isTerminal: stream.isTTY === true,
        write: (text) =>
          text === ""
            ? Effect.void
            : Effect.callback((resume) => {
                stream.write(text, (error) => resume(error ? Effect.fail(explain(error)) : Effect.void))
              })
      })
    })
}

const ignore = () => {}

const explain = (error: Error) =>
  Predicate.hasProperty(error, "code") && (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED")
    ? new OutputClosed()
    : new ScriptError({ message: `Standard output cannot be written: ${error.message}.`, exitCode: exitCode.refused })

/** As on the wire: what came through a Schema of the wire is its own encoding. On a terminal, harmless to it. */
export const json = (message: unknown, isTerminal: boolean): string => {
  const text = JSON.stringify(message)
  return isTerminal ? safeText(escaped(text)) : text
}

/** A string of JSON may hold each of its characters as an escape (RFC 8259, section 7). */
const escaped = (text: string): string => {
  if (safeText(text) === text) return text
  return Array.from(text, (character) =>
    safeText(character) === character
      ? character
      : Array.from({ length: character.length }, (_, index) => escape(character, index)).join("")
  ).join("")
}

const escape = (character: string, index: number): string =>
  `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`

const style: Style = {
  layout: "plain",
  palette: colourless,
  timestamp: Timestamp.utc,
  now: 0,
  columns: Infinity,
  tagsLobby: false
}

/** One line of an entry: when, its number, where, who and what. */
const plain = (entry: EntryMessage | StandingMessage): string =>
  entry._tag === "Edited" || entry._tag === "Reacted"
    ? `${Timestamp.utc(entry.at, 0)} ${renderEntry(entry, style, Recent.empty).text}`
    : renderOld(entry, style, Recent.empty).text

export const lineOf = (entry: EntryMessage | StandingMessage, isJson: boolean, isTerminal: boolean): string =>
  `${isJson ? json(entry, isTerminal) : plain(entry)}\n`
