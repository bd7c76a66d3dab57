/**
 * SQLite's primary result codes (sqlite.org/rescode.html) that mean something here, and the sentences they are told in: to
 * who starts a server, to who runs a command of `pnpm admin`, and in the log. Nothing else knows their numbers.
 */
import { Predicate, type Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"

export const code = {
  error: 1,
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  tooBig: 18,
  constraint: 19,
  mismatch: 20,
  notADatabase: 26
} as const

interface Problem {
  /** What it is, of the file. */
  readonly what: string
  /** What to do about it: for who starts a server, and for who runs a command. */
  readonly server: string
  readonly admin: string
}

const elsewhere = "or set DATABASE to another file."

const problems: Readonly<Record<number, Problem>> = {
  [code.error]: {
    what: "it is not as parley makes it",
    server: `Look at it with \`pnpm admin verify\`, restore a backup, ${elsewhere}`,
    admin: '"pnpm admin verify" tells what is wrong with it.'
  },
  [code.busy]: {
    what: "another server or command is using it",
    server: `Stop that one, ${elsewhere}`,
    admin: "Try again when that one is done."
  },
  [code.readOnly]: {
    what: "it may not be written to",
    server: `Let the server's user write to the file and its folder, ${elsewhere}`,
    admin: "Check who may write to the file and its folder."
  },
  [code.ioError]: {
    what: "the disk does not do what it should",
    server: `Look at the system's log, ${elsewhere}`,
    admin: "Look at the system's log."
  },
  [code.corrupt]: {
    what: "the file is damaged",
    server: `Restore a backup, ${elsewhere}`,
    admin: "Restore a backup."
  },
  [code.full]: {
    what: "the disk is full",
    server: "Free some space and start again.",
    admin: "Free some space and try again."
  },
  [code.cannotOpen]: {
    what: "the file cannot be opened",
    server: `Check that its folder may be written to, ${elsewhere}`,
    admin: "Check who may read it and write to its folder."
  },
  [code.notADatabase]: {
    what: "it is no SQLite database",
    server: "Set DATABASE to another file.",
    admin: "Was another file meant?"
  }
}

/** What SQLite has against a file and what to do about it, by its code; `otherwise` if that means nothing here. */
export const sentenceOf = (primary: number, reader: "admin" | "server", otherwise: string): string => {
  const problem = problems[primary]
  return problem === undefined ? otherwise : `${problem.what}. ${problem[reader]}`
}

/** The same without what to do, for the log. */
export const summaryOf = ({ reason }: SqlError): string => problems[resultCode(reason.cause)]?.what ?? reason.message

/** The primary result code, 0 if there is none. */
export const resultCode = (cause: unknown): number =>
  Predicate.hasProperty(cause, "errno") && Predicate.isNumber(cause.errno) ? cause.errno & 0xff : 0

/** Whether SQLite says that a file is not what it should be. */
export const isDamaged = (cause: unknown): boolean => damage.has(resultCode(cause))
const damage: ReadonlySet<number> = new Set([code.corrupt, code.notADatabase])

/** Whether the disk is full. */
export const isFull = (error: SqlError | Schema.SchemaError): boolean =>
  error._tag === "SqlError" && resultCode(error.reason.cause) === code.full
