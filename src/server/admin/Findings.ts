/** What a check of a database has found so far; the first problems are kept, all are counted. */
import type { Schema } from "effect"
import { maxListed } from "./Report.ts"

export class Findings {
  readonly problems: Array<string> = []
  readonly remarks: Array<string> = []
  count = 0
  isIntact = true
  rooms = 0
  accounts = 0
  messages = 0
  oldest = Infinity
  newest = -Infinity

  add(problem: string) {
    this.count++
    if (this.problems.length < maxListed) this.problems.push(problem)
  }
}

export const issueOf = ({ message }: Schema.SchemaError): string => message.replaceAll(/\s*\n\s*/g, " ")

/** How a problem is mended of which a copy is free (see LogCopy). */
export const copyRemedy = 'A copy of it ("pnpm admin backup") is right again: restore that.'
