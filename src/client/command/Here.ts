/**
 * A command about a room in which none is named: at a terminal it is about the conversation that the person has before them. Pure.
 *
 * A room is taken to be left out only where nothing else can be meant: where the line lacks a word without it, or where its first word
 * is somebody who is here, and no room that one is in, and the next is nobody. Else the words stand as they were typed. Before text
 * (`:topic`) only the name of the room that is before the person names one. `in:ops` names a room everywhere.
 */
import { Result } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { ChatState } from "../core/chat/ChatState.ts"
import * as People from "../core/chat/People.ts"
import type { Talk } from "../core/chat/Talk.ts"
import type { Whereabouts } from "../core/Heard.ts"
import { NotUnderstood } from "./Action.ts"
import type { Command } from "./Definition.ts"
import { assign, type Assigned, type Parameter } from "./Parameter.ts"
import { nameOf } from "./Place.ts"

/** What is before the person. In a pipe nothing is. */
export interface Here {
  /** Fails where it is another one by now than when the line was typed. */
  readonly where: Result.Result<Whereabouts, NotUnderstood>
  /** Of the rooms that one is in. */
  readonly isRoom: (word: string) => boolean
  /** Of those who are in the conversation, or connected. */
  readonly isUser: (word: string) => boolean
}

/** As far as one client knows. */
export const hereIn = ({ people, talks }: ChatState, where: Here["where"]): Here => {
  const place = Result.getOrUndefined(where)
  const room = place?.room === undefined ? undefined : People.inRoom(people, place.room)
  const known = [people.everybody, ...(room === undefined ? [] : [room.here, room.away])]
  return {
    where,
    isRoom: (word) => [...talks.values()].some((talk) => talk.isIn && isNamed(talk, word)),
    isUser: (word) => known.some((names) => names.has(nameKey(word)))
  }
}

const isNamed = ({ where: { room } }: Talk, word: string): boolean =>
  room !== undefined && nameKey(room) === nameKey(word)

interface Completed extends Assigned {
  /** Where one is, if that stands for the room that was left out. */
  readonly filled?: Whereabouts
}

/** The words as they were typed, or with the room that was left out. */
export const withRoom = (
  { name, parameters }: Command,
  text: string,
  here: Here | undefined
): Result.Result<Completed, NotUnderstood> => {
  const [first, ...others] = parameters
  const named = first?.kind === "here" ? /^\s*in:(\S.*)$/is.exec(text)?.[1] : undefined
  if (named !== undefined) return Result.succeed(assign(parameters, named))
  const typed = assign(parameters, text)
  const doubt = here === undefined || first?.kind !== "here" ? undefined : doubtIn(name, others, text, here)
  if (doubt !== undefined) return Result.fail(doubt)
  if (here === undefined || first?.kind !== "here" || !isLeftOut(first, others, typed, text, here)) {
    return Result.succeed(typed)
  }
  return Result.map(here.where, (where) => {
    const { surplus, words } = assign(others, text)
    return { words: { [first.name]: nameOf(where), ...words }, surplus, filled: where }
  })
}

const roomIn = ({ where }: Here) => Result.getOrUndefined(where)?.room

/** Whether all that follows the room is free text. */
const isText = ([next]: ReadonlyArray<Parameter>): boolean => next?.kind === "words" && next.isOptional

const isPerson = ({ kind }: Parameter): boolean => kind === "member" || kind === "bound" || kind === "user"

/** Where it cannot be told what is meant, and either could do harm: nothing is done, and the person is told how to say it. */
const doubtIn = (
  name: string,
  others: ReadonlyArray<Parameter>,
  text: string,
  here: Here
): NotUnderstood | undefined => {
  const room = roomIn(here)
  const [one = "", two = ""] = text.trim().split(/\s+/)
  if (room === undefined || !here.isRoom(one) || nameKey(one) === nameKey(room)) return undefined
  const isNameAlone = isText(others) && two === ""
  const isSomebody = others.some(isPerson) && two !== "" && here.isUser(one) && !here.isUser(two)
  if (!isNameAlone && !isSomebody) return undefined
  const rest = text.trim()
  const there = isNameAlone ? `:${name} in:${one}` : `:${name} in:${one} <user>`
  return new NotUnderstood({
    message: `:${name}: ${one} is a room that you are in, too. Type :${name} in:${room} ${rest.slice(0, 60)}, or ${there}`
  })
}

const isLeftOut = (
  first: Parameter,
  others: ReadonlyArray<Parameter>,
  { words }: Assigned,
  text: string,
  here: Here
): boolean => {
  if (words[first.name] === undefined) return true
  const [one = "", two = ""] = text.trim().split(/\s+/)
  const room = roomIn(here)
  // Text that begins with the name of another room is text: it is about the room before the person.
  if (room !== undefined && isText(others)) return nameKey(one) !== nameKey(room)
  if (here.isRoom(one)) return false
  if (others.some(({ isOptional, name }) => !isOptional && words[name] === undefined)) return true
  if (!others.some(isPerson)) return false
  return here.isUser(one) && !here.isUser(two)
}

/** What is wrong where that does not stand for a room. */
export const noRoom = (where: Whereabouts): string =>
  `<room> is missing, and ${where.with === undefined ? "the lobby is none" : `what you say to ${where.with} is in none`}`
