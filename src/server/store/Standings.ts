/**
 * What a server knows of each conversation without asking its database: the number it has there, the place and time of
 * its newest entry, and what is under way.
 *
 * A conversation nobody wrote to has a number here only, and its row gets that number at its first entry. No number
 * comes twice, so the rooms' epochs, which are made of them, do not either; after a restart only those come again under
 * which nothing was ever stored.
 *
 * Bound (invariant 3): about 200 bytes for each conversation that was written to or asked for and is not forgotten: the
 * lobby and MAX_ROOMS rooms. `removals` holds at most one for each room that was forgotten, until its row is gone.
 */
import { type Conversation, conversationKey } from "../../common/log/Conversation.ts"
import { Epoch, type Timestamp } from "../../common/log/Cursor.ts"
import type { Known } from "./Placement.ts"

/** A conversation as its database has it: what RETENTION deleted of it stood up to `deletedThrough`. */
export interface StoredStanding extends Known {
  readonly deletedThrough: number
}

interface Standing {
  id: number
  newest: number
  at: Timestamp
  deletedThrough: number
  /** Whether the database has a row for it. */
  isStored: boolean
  /** Appends that wait for their commit. */
  underWay: number
  /** Which failed commit left it in doubt, since it may have been carried out all the same; 0 if none did. */
  doubt: number
}

export class Standings {
  /** Rows that are not needed any more: the number of each, by the name it had. */
  readonly removals = new Map<string, number>()
  readonly #epoch: Epoch
  readonly #known = new Map<string, Standing>()
  #lastNumber: number
  #doubts = 0

  /** `lastNumber`: the greatest number that was ever given to a row. */
  constructor(epoch: Epoch, lastNumber: number) {
    this.#epoch = epoch
    this.#lastNumber = lastNumber
  }

  readonly get = (name: string): Readonly<Standing> | undefined => this.#known.get(name)

  /** The conversation, which has a number from now on. */
  number(name: string): Readonly<Standing> {
    return this.#known.get(name) ?? this.#add(name, ++this.#lastNumber)
  }

  /**
   * The lobby has that of the whole database. An account's inbox has one that is made of the account, whose number is stored
   * before anything else of it: it is there before anything is said, and is to be the same after a restart.
   */
  epochOf(conversation: Conversation): Epoch {
    if (conversation._tag === "Lobby") return this.#epoch
    const account = conversation._tag === "Inbox" ? conversation.account : undefined
    if (account !== undefined) return Epoch.make(`${this.#epoch}.#${account}`)
    return Epoch.make(`${this.#epoch}.${this.number(conversationKey(conversation)).id}`)
  }

  /** What the database has. */
  learn(name: string, { at, deletedThrough, id, newest }: StoredStanding): void {
    const standing = this.#known.get(name) ?? this.#add(name, id)
    Object.assign(standing, { id, newest, at, deletedThrough, isStored: true })
  }

  /** Where it stands after a commit. */
  advance(name: string, { at, id, newest }: Known): void {
    const standing = this.#known.get(name) ?? this.#add(name, id)
    standing.id = id
    standing.newest = newest
    standing.at = at
    standing.isStored = true
  }

  /** RETENTION deleted up to this place, if it is not another log by now. */
  noteDeleted(name: string, { deletedThrough, id }: StoredStanding): void {
    const standing = this.#known.get(name)
    if (standing?.id === id) standing.deletedThrough = Math.max(standing.deletedThrough, deletedThrough)
  }

  /** Whether one statement may store in it without having looked. */
  readonly isCertain = (name: string): boolean => {
    const standing = this.#known.get(name)
    return standing !== undefined && standing.isStored && standing.doubt === 0
  }

  readonly isDoubtful = (name: string): boolean => (this.#known.get(name)?.doubt ?? 0) > 0

  /** A commit to these failed, and may have been carried out. */
  doubt(names: Iterable<string>): void {
    this.#doubts++
    for (const name of names) {
      const standing = this.#known.get(name)
      if (standing !== undefined) standing.doubt = this.#doubts
    }
  }

  /** Somebody looked. A commit that failed since then leaves another doubt than that one. */
  settle(name: string, doubt?: number): void {
    const standing = this.#known.get(name)
    if (standing !== undefined && (doubt === undefined || standing.doubt === doubt)) standing.doubt = 0
  }

  /** An append to these waits for its commit. */
  begin(names: Iterable<string>): void {
    for (const name of names) (this.#known.get(name) ?? this.#add(name, ++this.#lastNumber)).underWay++
  }
  /** It waits no more. */
  end(names: Iterable<string>): void {
    for (const name of names) {
      const standing = this.#known.get(name)
      if (standing !== undefined) standing.underWay--
    }
  }

  /** As `History.forgetUnsafe`. Its row, if it has one, is to be removed. */
  forget(conversation: Conversation): boolean {
    if (conversation._tag !== "Room") return false
    const name = conversationKey(conversation)
    const standing = this.#known.get(name)
    if (standing === undefined) return true
    if (standing.underWay > 0 || standing.doubt > 0 || !isEmpty(standing)) return false
    this.#known.delete(name)
    if (standing.isStored) this.removals.set(name, standing.id)
    return true
  }

  /** It was erased: its name is nothing's, or that of another log for who waits to write to it. */
  erase(name: string): void {
    const underWay = this.#known.get(name)?.underWay ?? 0
    this.#known.delete(name)
    if (underWay > 0) this.#add(name, ++this.#lastNumber).underWay = underWay
  }

  #add(name: string, id: number): Standing {
    const standing = { id, newest: 0, at: 0, deletedThrough: 0, isStored: false, underWay: 0, doubt: 0 }
    this.#known.set(name, standing)
    return standing
  }
}

/** Whether nothing is left of a log. */
export const isEmpty = ({ deletedThrough, newest }: Pick<StoredStanding, "deletedThrough" | "newest">): boolean =>
  newest <= deletedThrough
