/** What a check of a database found: as a text for people, and as data for scripts. */
import { ByteSize, DateTime, Option } from "effect"

export interface Report {
  readonly file: string
  readonly isSound: boolean
  /** SQLite can read all of it; what else is wrong with it is wrong with the messages. */
  readonly isIntact: boolean
  /** What is wrong, and where: the first `maxListed`, and how many there are beyond. */
  readonly problems: ReadonlyArray<string>
  readonly moreProblems: number
  /** What may be right, but should be looked at. */
  readonly remarks: ReadonlyArray<string>
  readonly epoch: string | null
  readonly rooms: number
  readonly accounts: number
  readonly messages: number
  /** When the oldest and the newest message were said, in milliseconds since 1970. */
  readonly oldest: number | null
  readonly newest: number | null
  readonly bytes: number
}

export const maxListed = 10

export const toJson = (report: Report): string => `${JSON.stringify(report)}\n`

export const toText = (report: Report): string => {
  const { accounts, epoch, file, isSound, messages, moreProblems, newest, oldest, problems, remarks, rooms } = report
  const count = problems.length + moreProblems
  const time = oldest === null || newest === null ? "" : `, ${timeOf(oldest)} to ${timeOf(newest)}`
  return [
    isSound ? `${file} is sound.` : `${file} is not sound: ${plural(count, "problem")}.`,
    ...problems.map((problem) => `  ✘ ${problem}`),
    ...(moreProblems > 0 ? [`  … and ${plural(moreProblems, "more problem")}`] : []),
    ...remarks.map((remark) => `  ! ${remark}`),
    `  messages  ${grouped(messages)}${time}`,
    `  rooms     ${grouped(rooms)}`,
    ...(accounts > 0 ? [`  accounts  ${grouped(accounts)}`] : []),
    `  size      ${sizeOf(report.bytes)}`,
    `  epoch     ${printable(epoch ?? "unknown")}`,
    ""
  ].join("\n")
}

export const sizeOf = (bytes: number): string => ByteSize.format(ByteSize.bytes(bytes), { precision: 1 })

export const plural = (count: number, what: string): string => `${grouped(count)} ${what}${count === 1 ? "" : "s"}`

export const grouped = (count: number): string => count.toLocaleString("en")

/** Whatever the number is: it may be what is wrong. */
export const timeOf = (millis: number): string =>
  Option.match(DateTime.make(millis), { onNone: () => `${millis} ms`, onSome: DateTime.formatIso })

/** A name out of a file that may be anybody's: it must not become a sequence that a terminal obeys, or a line of its own. */
export const printable = (name: unknown): string => String(name).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\ufffd")
