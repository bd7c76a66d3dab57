/** What a sitting on the full screen is to be like, by flags and the config file. */
import type { Keymap } from "./Keys.ts"
import type * as Level from "./Level.ts"

export interface Options {
  /** Where it is kept what is the same after a restart. */
  readonly memoryPath: string
  /** Whether the mouse is taken from the terminal. */
  readonly hasMouse: boolean
  readonly keymap?: Keymap
  /** Of what one wants to be called, as the config file says. */
  readonly configured?: Level.Levels
  /** Whether one is called by the bell, and beside the window; both, unless that is said. */
  readonly hasBell?: boolean
  readonly hasNotices?: boolean
}
