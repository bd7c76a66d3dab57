/** What is to be run: every mode there is, and the loads that a command line makes of them. */
import { accountsMode } from "./AccountsMode.ts"
import { connectMode, resumeMode } from "./ArrivalModes.ts"
import { closedMode, floodMode, pacedMode, privateMode, roomsMode } from "./BroadcastModes.ts"
import { historyMode } from "./HistoryMode.ts"
import type { Load, Mode } from "./Mode.ts"
import { screenMode } from "./ScreenMode.ts"
import { sealedMode } from "./SealedMode.ts"
import { soakMode } from "./SoakMode.ts"
import { slowDiskMode, storeMode } from "./StoreModes.ts"

export const modes: ReadonlyArray<Mode> = [
  closedMode,
  pacedMode,
  floodMode,
  connectMode,
  accountsMode,
  roomsMode,
  privateMode,
  resumeMode,
  storeMode,
  slowDiskMode,
  historyMode,
  soakMode,
  screenMode,
  sealedMode
]

/** What was said on the command line; what was not is the mode's own choice. */
export interface Wanted {
  readonly modes: ReadonlyArray<string>
  readonly members: ReadonlyArray<number>
  readonly load: Partial<Omit<Load, "members">>
  readonly quick: boolean
}

export interface Step {
  readonly mode: Mode
  readonly load: Load
}

const defaultSeconds = 3
const quickSeconds = 1
const defaultBytes = 64

const loadOf = (mode: Mode, members: number, { load, quick }: Wanted): Load => {
  const seconds = load.seconds ?? (quick ? quickSeconds : (mode.seconds ?? defaultSeconds))
  const own = mode.load(members, seconds)
  const all = { bytes: defaultBytes, ...own, seconds, members, ...load }
  // Everybody may talk, and nobody else.
  return { ...all, senders: Math.min(all.senders, members) }
}

export const stepsOf = (wanted: Wanted): ReadonlyArray<Step> =>
  modes
    .filter(
      ({ isOnlyNamed, name }) => wanted.modes.includes(name) || (wanted.modes.length === 0 && isOnlyNamed !== true)
    )
    .flatMap((mode) => {
      const own = wanted.quick ? mode.quickMembers : mode.members
      const sizes = wanted.members.length === 0 || mode.hasOwnSize === true ? own : wanted.members
      return sizes.map((members) => ({ mode, load: loadOf(mode, members, wanted) }))
    })
