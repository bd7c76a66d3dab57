/**
 * A text that is being typed, and what keys do to it: readline's movements, words, kill and yank, undo. Pure.
 *
 * 1. The cursor stands between two graphemes, never within one.
 * 2. Nothing in the text but line breaks and tabs is a control character: what is typed or pasted is made safe on its way in.
 *
 * Bounds: `maxLength` UTF-16 units, beyond which nothing is taken; `maxUndo` steps back.
 */
import { graphemesOf } from "../text/Grapheme.ts"
import { safeText } from "../text/SafeText.ts"

/** The longest message has 8192 characters of two units each. */
export const maxLength = 16_384
const maxUndo = 200

interface Step {
  readonly text: string
  readonly at: number
}

export interface Editor extends Step {
  readonly undo: ReadonlyArray<Step>
  /** What was undone, the newest last, until something else is changed. */
  readonly redo: ReadonlyArray<Step>
  /** What was killed last, to be yanked. */
  readonly killed: string
  /** What the last key did: letters typed one after the other are undone together, words killed so are yanked together. */
  readonly last: "typed" | "killed" | "other"
}

export const empty: Editor = { text: "", at: 0, undo: [], redo: [], killed: "", last: "other" }

export const withText = (editor: Editor, text: string): Editor => changed(editor, text, text.length, "other")

/** As it stands in a draft; the same editor if it holds that already. */
export const showing = (editor: Editor, text: string): Editor =>
  editor.text === text ? editor : { ...empty, killed: editor.killed, text, at: text.length }

const changed = (before: Editor, text: string, at: number, last: Editor["last"]): Editor => {
  if (text === before.text) return moved(before, at)
  const isSame = last === "typed" && before.last === "typed"
  const undo = isSame ? before.undo : [...before.undo, { text: before.text, at: before.at }].slice(-maxUndo)
  return { ...before, text, at: settled(text, at), undo, redo: [], last }
}

const moved = (before: Editor, at: number): Editor => ({ ...before, at: settled(before.text, at), last: "other" })

/** The places between graphemes, the beginning and the end among them. */
const placesIn = (text: string): ReadonlyArray<number> => {
  const places = [0]
  let at = 0
  for (const { text: piece } of graphemesOf(text)) {
    at += piece.length
    places.push(at)
  }
  return places
}

/** The next place at or behind this one. */
const settled = (text: string, at: number): number => {
  const wanted = Math.max(0, Math.min(at, text.length))
  if (wanted === 0 || wanted === text.length) return wanted
  return placesIn(text).find((place) => place >= wanted) ?? text.length
}

const placeBefore = ({ at, text }: Step): number => placesIn(text).findLast((place) => place < at) ?? 0
const placeBehind = ({ at, text }: Step): number => placesIn(text).find((place) => place > at) ?? text.length

/** Takes as much of it as there is room for. */
export const insert = (editor: Editor, typed: string): Editor => {
  const { at, text } = editor
  const room = maxLength - text.length
  const safe = safeText(typed)
    .slice(0, Math.max(0, room))
    .replace(/[\ud800-\udbff]$/, "")
  if (safe === "") return editor
  const isWord = safe.length === 1 && safe !== " " && safe !== "\n"
  return changed(editor, text.slice(0, at) + safe + text.slice(at), at + safe.length, isWord ? "typed" : "other")
}

/** Puts this in the place of what stands between two places. */
export const replace = (editor: Editor, from: number, to: number, by: string): Editor => {
  const safe = safeText(by)
  return changed(editor, editor.text.slice(0, from) + safe + editor.text.slice(to), from + safe.length, "other")
}

const letters = /[\p{L}\p{N}\p{M}_]/u

const wordStart = ({ at, text }: Step): number => {
  let place = at
  while (place > 0 && !letters.test(text[place - 1] ?? "")) place -= 1
  while (place > 0 && letters.test(text[place - 1] ?? "")) place -= 1
  return place
}

const wordEnd = ({ at, text }: Step): number => {
  let place = at
  while (place < text.length && !letters.test(text[place] ?? "")) place += 1
  while (place < text.length && letters.test(text[place] ?? "")) place += 1
  return place
}

/** As a shell's: up to the white space before. */
const bigWordStart = ({ at, text }: Step): number => {
  const before = text.slice(0, at)
  return before.replace(/\S*\s*$/, "").length
}

const lineStart = ({ at, text }: Step): number => text.lastIndexOf("\n", at - 1) + 1
const lineEnd = ({ at, text }: Step): number => {
  const end = text.indexOf("\n", at)
  return end === -1 ? text.length : end
}

const kill = (editor: Editor, from: number, to: number): Editor => {
  if (from >= to) return moved(editor, editor.at)
  const { killed: before, last, text } = editor
  const cut = text.slice(from, to)
  const isBack = to === editor.at
  const killed = last === "killed" ? (isBack ? cut + before : before + cut) : cut
  return { ...changed(editor, text.slice(0, from) + text.slice(to), from, "killed"), killed }
}

const erase = (editor: Editor, from: number, to: number): Editor =>
  changed(editor, editor.text.slice(0, from) + editor.text.slice(to), from, "other")

const lineUp = (editor: Editor): Editor => {
  const start = lineStart(editor)
  if (start === 0) return moved(editor, 0)
  const before = lineStart({ text: editor.text, at: start - 1 })
  return moved(editor, Math.min(before + editor.at - start, start - 1))
}

const lineDown = (editor: Editor): Editor => {
  const end = lineEnd(editor)
  if (end === editor.text.length) return moved(editor, end)
  const next = lineEnd({ text: editor.text, at: end + 1 })
  return moved(editor, Math.min(end + 1 + editor.at - lineStart(editor), next))
}

/** What a key may do here. */
export const deeds = {
  left: (editor: Editor) => moved(editor, placeBefore(editor)),
  right: (editor: Editor) => moved(editor, placeBehind(editor)),
  wordLeft: (editor: Editor) => moved(editor, wordStart(editor)),
  wordRight: (editor: Editor) => moved(editor, wordEnd(editor)),
  lineStart: (editor: Editor) => moved(editor, lineStart(editor)),
  lineEnd: (editor: Editor) => moved(editor, lineEnd(editor)),
  lineUp,
  lineDown,
  newline: (editor: Editor) => insert(editor, "\n"),
  eraseLeft: (editor: Editor) => erase(editor, placeBefore(editor), editor.at),
  eraseRight: (editor: Editor) => erase(editor, editor.at, placeBehind(editor)),
  killWordLeft: (editor: Editor) => kill(editor, settledBack(editor.text, bigWordStart(editor)), editor.at),
  killSmallWordLeft: (editor: Editor) => kill(editor, settledBack(editor.text, wordStart(editor)), editor.at),
  killWordRight: (editor: Editor) => kill(editor, editor.at, settled(editor.text, wordEnd(editor))),
  killToStart: (editor: Editor) => kill(editor, lineStart(editor), editor.at),
  killToEnd: (editor: Editor) => {
    const end = lineEnd(editor)
    return kill(editor, editor.at, end === editor.at ? placeBehind(editor) : end)
  },
  yank: (editor: Editor) => insert(editor, editor.killed),
  swap: (editor: Editor) => {
    const at = editor.at === editor.text.length ? placeBefore(editor) : editor.at
    const from = placeBefore({ text: editor.text, at })
    const to = placeBehind({ text: editor.text, at })
    if (from === at || at === to) return moved(editor, editor.at)
    const { text } = editor
    return changed(
      editor,
      text.slice(0, from) + text.slice(at, to) + text.slice(from, at) + text.slice(to),
      to,
      "other"
    )
  },
  undo: (editor: Editor): Editor => {
    const step = editor.undo.at(-1)
    if (step === undefined) return moved(editor, editor.at)
    const redo = [...editor.redo, { text: editor.text, at: editor.at }]
    return { ...editor, ...step, undo: editor.undo.slice(0, -1), redo, last: "other" }
  },
  redo: (editor: Editor): Editor => {
    const step = editor.redo.at(-1)
    if (step === undefined) return moved(editor, editor.at)
    const undo = [...editor.undo, { text: editor.text, at: editor.at }]
    return { ...editor, ...step, undo, redo: editor.redo.slice(0, -1), last: "other" }
  }
} as const

export type EditorDeed = keyof typeof deeds

const settledBack = (text: string, at: number): number =>
  at === 0 ? 0 : (placesIn(text).findLast((place) => place <= at) ?? 0)

export const apply = (editor: Editor, deed: EditorDeed): Editor => deeds[deed](editor)
