/** Every attack there is, in the order in which they are measured. */
import type { Attack } from "./Attack.ts"
import { crowdAttacks } from "./CrowdAttacks.ts"
import { diskAttacks } from "./DiskAttacks.ts"
import { endingAttacks } from "./EndingAttacks.ts"
import { readingAttacks } from "./ReadingAttacks.ts"
import { textAttacks } from "./TextAttacks.ts"

export const attacks: ReadonlyArray<Attack> = [
  ...diskAttacks.filter(({ name }) => name === "nothing"),
  ...textAttacks,
  ...readingAttacks,
  ...crowdAttacks,
  ...endingAttacks,
  ...diskAttacks.filter(({ name }) => name !== "nothing")
]
