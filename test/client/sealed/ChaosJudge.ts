/**
 * What devices have read and were told, held against what the server's own log gives them: nothing is missing, extra, wrong or
 * twice, and nobody was alarmed without a cause. Pure.
 */
import type { PlainRow } from "../../../src/client/sealed/Kept.ts"
import type { SealedNews } from "../../../src/client/sealed/News.ts"
import { givenTo, nameOf, outline, type ServerLog } from "./ServerLog.ts"

export interface Witness {
  /** As texts begin that it says. */
  readonly name: string
  readonly user: string
  readonly device: string
  readonly rows: ReadonlyArray<PlainRow>
  readonly news: ReadonlyArray<SealedNews>
  /** It was signed out at some time: what it has not read, and what it is told, is its own affair. */
  readonly isOut: boolean
  /** Somebody asked for fresh keys here: they are told when it comes to nothing. */
  readonly hasRekeyed?: boolean
}

export interface Testimony {
  readonly log: ServerLog
  readonly witnesses: ReadonlyArray<Witness>
  /** What somebody tried to say. */
  readonly tried: ReadonlySet<string>
  /** What was answered as stored, by who was never signed out: it must have come. */
  readonly accepted: ReadonlySet<string>
}

/** Of these nobody is to be told when nobody does anything wrong. */
const alarms: ReadonlySet<SealedNews["_tag"]> = new Set([
  "Stopped",
  "Cloned",
  "Withheld",
  "OutOfStep",
  "ChainRefused",
  "ChainReplaced",
  "Refused"
])

/** Whoever asks for fresh keys and may not is told so: that is an answer to people, and no alarm where somebody asked. */
const noFreshKeys = "No fresh keys could be made. "

interface Verdict {
  readonly deliveries: number
  readonly wrong: ReadonlyArray<string>
  /** What to read beside what was wrong. */
  readonly story: ReadonlyArray<string>
}

/** Places, as spans where they follow each other. */
const listed = (seqs: ReadonlyArray<number>): string => {
  const spans: Array<[number, number]> = []
  for (const seq of seqs) {
    const last = spans.at(-1)
    if (last !== undefined && last[1] === seq - 1) last[1] = seq
    else spans.push([seq, seq])
  }
  return spans.map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`)).join(" ")
}

export const judge = ({ accepted, log, tried, witnesses }: Testimony): Verdict => {
  const wrong: Array<string> = []
  let deliveries = 0
  log.entries.forEach(({ seq }, index) => {
    if (seq !== index + 1) wrong.push(`the log has ${seq} where ${index + 1} should stand`)
  })
  const entries = new Map(log.entries.map((entry) => [entry.seq, entry]))
  const owners = new Map(witnesses.map((one) => [nameOf(one.user, one.device), one.name]))
  const devices = new Set(witnesses.map(({ device }) => device))
  const bySeq = new Map<number, string>()

  for (const witness of witnesses) {
    const { isOut, name, rows } = witness
    const given = new Set(givenTo(log, nameOf(witness.user, witness.device)).map(({ seq }) => seq))
    const read = new Set<number>()
    const unread = Map.groupBy(
      rows.flatMap(({ line, seq }) => (line._tag === "Unreadable" ? [{ ...line, seq }] : [])),
      ({ message, reason }) => `${reason}: ${message}`
    )
    for (const [why, lines] of unread) wrong.push(`${name} cannot read ${listed(lines.map(({ seq }) => seq))}: ${why}`)
    for (const { line, seq } of rows) {
      if (line._tag !== "Opened") continue
      const content = line.saying._tag === "Said" ? line.saying.content : line.saying._tag
      deliveries += 1
      if (read.has(seq)) wrong.push(`${name} has ${seq} twice`)
      read.add(seq)
      if (!given.has(seq)) wrong.push(`${name} has read ${seq}, when it was not in`)
      const entry = entries.get(seq)
      if (entry?.from !== line.from || entry.fields.device !== line.device || entry.at !== line.at) {
        wrong.push(`${name} has ${JSON.stringify(line)} at ${seq}, and the log ${JSON.stringify(entry).slice(0, 200)}`)
      }
      if (!content.startsWith(`${owners.get(nameOf(line.from, line.device))} `)) {
        wrong.push(`${name} reads "${content}" from ${line.from} on ${line.device}`)
      }
      const known = bySeq.get(seq)
      if (known !== undefined && known !== content) wrong.push(`${name} reads ${content} at ${seq}, others ${known}`)
      bySeq.set(seq, content)
    }
    const missing = [...given].filter((seq) => !read.has(seq))
    if (!isOut && missing.length > 0) wrong.push(`${name} has not read ${listed(missing)}`)
    for (const one of witness.news) {
      if (isOut) continue
      const isAnswer = witness.hasRekeyed === true && one._tag === "OutOfStep" && one.message.startsWith(noFreshKeys)
      if (alarms.has(one._tag) && !isAnswer) wrong.push(`${name} is told ${JSON.stringify(one)}`)
      if ("device" in one && !devices.has(one.device))
        wrong.push(`${name} is told of ${one.device}, which there is not`)
    }
  }

  const times = new Map<string, number>()
  for (const text of bySeq.values()) times.set(text, (times.get(text) ?? 0) + 1)
  for (const text of accepted) if (!times.has(text)) wrong.push(`"${text}" was stored to be sent, and never came`)
  for (const [text, often] of times) {
    if (often > 1) wrong.push(`"${text}" came ${often} times`)
    if (!tried.has(text)) wrong.push(`"${text}" was never said`)
  }
  const called = (key: string) => owners.get(key) ?? key
  const turns = witnesses.map(({ name, rows }) => {
    const told = rows.filter(({ line }) => line._tag === "LetIn" || line._tag === "PutOut")
    return `${name}: ${told.map(({ line, seq }) => `${line._tag} ${seq}`).join(", ")}`
  })
  return { deliveries, wrong, story: wrong.length === 0 ? [] : [...outline(log, called), ...turns] }
}
