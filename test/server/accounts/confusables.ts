/**
 * Makes `src/server/accounts/Confusables.ts` out of the table that the Unicode Consortium publishes with UTS #39:
 *
 *     node test/server/accounts/confusables.ts confusables.txt LICENSE
 *
 * The first file is https://www.unicode.org/Public/security/latest/confusables.txt, which ICU's sources have, too, under
 * source/data/unidata (Debian: `apt-get source icu`); the second is the licence it comes under, Unicode-3.0. Take the version
 * of Unicode that Node has (`node -p process.versions.unicode`), so that no letter is without its prototype.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import * as process from "node:process"

const [tablePath = "confusables.txt", licencePath = "LICENSE"] = process.argv.slice(2)
const target = resolve(import.meta.dirname, "../../../src/server/accounts/Confusables.ts")

const table = readFileSync(tablePath, "utf8")
const version = /^# Version: (\S+)$/m.exec(table)?.[1] ?? ""

/** What looks like each prototype. */
const sources = new Map<string, Array<number>>()
for (const [, source = "", prototype = ""] of table.matchAll(/^\uFEFF?([0-9A-F]+) ;\t([0-9A-F ]+?) ;\tMA\t/gm)) {
  const alike = sources.get(prototype) ?? []
  sources.set(prototype, alike)
  alike.push(Number.parseInt(source, 16))
}

const base36 = (codePoint: number) => codePoint.toString(36)

/** Each code point as how much it is more than the one before. */
const distances = (codePoints: ReadonlyArray<number>) =>
  codePoints.map((codePoint, index) => base36(codePoint - (codePoints[index - 1] ?? 0))).join(",")

const groups = Array.from(sources, ([prototype, alike]) => {
  const spelt = prototype.split(" ").map((hex) => base36(Number.parseInt(hex, 16)))
  return `${spelt.join("+")}=${distances(alike.toSorted((one, other) => one - other))}`
})

const lines: Array<string> = []
for (const group of groups) {
  const last = lines.at(-1)
  if (last === undefined || last.length + group.length > 200) lines.push(group)
  else lines[lines.length - 1] = `${last} ${group}`
}

const comment = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => ` * ${line}`.trimEnd())
    .join("\n")

const [licence = ""] = readFileSync(licencePath, "utf8").split(/^-{20,}$/m)

writeFileSync(
  target,
  `/**
 * Which characters look alike: confusables.txt of UTS #39, Unicode ${version}, made by
 * test/server/accounts/confusables.ts and not to be changed by hand. See there for the format's meaning, and Skeleton.ts for
 * its use. The data is the Unicode Consortium's, under this licence:
 *
${comment(licence)}
 */

export const unicodeVersion = "${version}"

/**
 * Groups, parted by white space: a prototype, "=", and what looks like it. Code points are in base 36; those of a prototype are
 * joined by "+", the others parted by "," and each given as the distance from the one before.
 */
export const groups = \`
${lines.join("\n")}
\`
`
)
