/**
 * What is to be done in one conversation and has no place in its log yet: a mailbox, cut into runs. Pure.
 *
 * What waits is stored in runs, each with one commit. Whoever waits for a place is answered nothing else about this
 * conversation before (replies keep the order of the requests): other commands of such a connection wait behind, and hold
 * up nobody else. So do those of a connection that is held, since who is a member is being stored for it. Bounded by the requests under way, for it
 * holds nothing else (see Requests).
 */
import type { SessionId } from "../session/Asker.ts"
import { isFree } from "./Decider.ts"
import type { RoomCommand, RoomCommandOf } from "./RoomCommand.ts"

/** What one run may hold, so that the frame it becomes stays small beside the limit of a member's outbox. */
const maxRunActs = 1000
const maxRunCharacters = 64 * 1024

/** What depends on what stands takes 20 µs to decide on, with the event loop to itself. */
const maxDependentActs = 100

/** Somebody wants to do something in the log. */
export type Waiting = RoomCommandOf<"Act">

export interface Runs<Envelope> {
  /** Takes one more. */
  readonly add: (waiting: Waiting) => void
  /** The next run; empty if nothing waits. */
  readonly nextRun: () => ReadonlyArray<Waiting>
  /** Whether a command must wait, since its connection waits for a place or has a command waiting. If so, it does. */
  readonly postpone: (command: RoomCommand, envelope: Envelope) => boolean
  /** Takes back what these connections wait for. Whoever does answers it, as a run. */
  readonly takeBack: (sessions: ReadonlyArray<SessionId>) => ReadonlyArray<Waiting>
  /** The same of all. */
  readonly takeAllBack: () => ReadonlyArray<Waiting>
  /** A run has been answered: gives what waited for that, in order; an Act among it is to be added before the rest. */
  readonly answered: (run: ReadonlyArray<Waiting>) => ReadonlyArray<SessionId>
  /** Whatever else this connection asks waits until it is released. */
  readonly hold: (session: SessionId) => void
  readonly release: (session: SessionId) => void
  /** The next command of a connection that waited, if it need not wait any longer. */
  readonly nextPostponed: (session: SessionId) => Envelope | undefined
  readonly isIdle: () => boolean
}

export const makeRuns = <Envelope extends { readonly command: RoomCommand }>(): Runs<Envelope> => {
  let waiting: Array<Waiting> = []
  /** How many acts of a connection have no place yet. */
  const placeless = new Map<SessionId, number>()
  const held = new Set<SessionId>()
  const postponed = new Map<SessionId, Array<Envelope>>()

  const mayAct = (session: SessionId, command: RoomCommand): boolean =>
    !held.has(session) && (command._tag === "Act" || !placeless.has(session))

  return {
    add: (command) => {
      const { session } = command.from
      waiting.push(command)
      placeless.set(session, (placeless.get(session) ?? 0) + 1)
    },
    nextRun: () => {
      let characters = 0
      let count = 0
      let dependent = 0
      for (const act of waiting) {
        if (count === maxRunActs || dependent === maxDependentActs || characters > maxRunCharacters) break
        characters += charactersIn(act)
        if (!isFree(act)) dependent++
        count++
      }
      const run = waiting.slice(0, count)
      waiting = waiting.slice(count)
      return run
    },
    takeBack: (sessions) => {
      const isTheirs = ({ from }: Waiting) => sessions.includes(from.session)
      if (!waiting.some(isTheirs)) return []
      const taken = waiting.filter(isTheirs)
      waiting = waiting.filter((act) => !isTheirs(act))
      return taken
    },
    postpone: (command, envelope) => {
      const session = sessionOf(command)
      if (session === undefined) return false
      const behind = postponed.get(session)
      if (behind === undefined && mayAct(session, command)) return false
      if (behind === undefined) postponed.set(session, [envelope])
      else behind.push(envelope)
      return true
    },
    takeAllBack: () => {
      const taken = waiting
      waiting = []
      return taken
    },
    answered: (run) => {
      const free: Array<SessionId> = []
      for (const { from } of run) {
        const left = (placeless.get(from.session) ?? 0) - 1
        if (left > 0) placeless.set(from.session, left)
        else {
          placeless.delete(from.session)
          if (postponed.has(from.session)) free.push(from.session)
        }
      }
      return free
    },
    hold: (session) => void held.add(session),
    release: (session) => void held.delete(session),
    nextPostponed: (session) => {
      const behind = postponed.get(session)
      const next = behind?.[0]
      if (next === undefined || !mayAct(session, next.command)) return undefined
      behind?.shift()
      if (behind?.length === 0) postponed.delete(session)
      return next
    },
    isIdle: () => waiting.length === 0 && placeless.size === 0 && held.size === 0 && postponed.size === 0
  }
}

/** Of what everybody is told, in UTF-16 units: of what is no text, all of it. */
const charactersIn = ({ body }: Waiting): number =>
  "content" in body ? body.content.length : "data" in body ? body.data.length : JSON.stringify(body).length

/** Whose command it is; reminders are nobody's. */
const sessionOf = (command: RoomCommand): SessionId | undefined => {
  if ("from" in command) return command.from.session
  return "session" in command ? command.session : undefined
}
