/** Where a link is opened, if there is something for it: told by the environment alone. Pure; see BrowserProcess for the doing. */
import { Context, Effect } from "effect"

/** Opens a link in another window; tells whether that was done. Nothing of it is written to the terminal. */
export class Browser extends Context.Reference<{ readonly open: (target: string) => Effect.Effect<boolean> }>(
  "parley/client/full/Browser",
  { defaultValue: () => ({ open: () => Effect.succeed(false) }) }
) {}

export interface Surroundings {
  readonly platform: string
  /** The variables of these names; empty is as good as none. */
  readonly browser: string
  readonly display: string
  readonly waylandDisplay: string
}

interface Command {
  readonly program: string
  readonly words: ReadonlyArray<string>
}

/**
 * Which program, with which words: nothing of it is read by a shell, and the link is one word, which begins with its scheme. Of
 * `$BROWSER` the first command is taken; the link stands where it says `%s`, or else behind it.
 */
export const commandFor = (
  target: string,
  { browser, display, platform, waylandDisplay }: Surroundings
): Command | undefined => {
  if (!/^(?:https?:\/\/|mailto:)[\x21-\x7e]+$/i.test(target)) return undefined
  const hasWindows = platform === "darwin" || display !== "" || waylandDisplay !== ""
  if (!hasWindows) return undefined
  const [program = "", ...words] = (browser.split(":")[0] ?? "").split(/\s+/).filter((word) => word !== "")
  if (program === "") return { program: platform === "darwin" ? "open" : "xdg-open", words: [target] }
  // A function: what stands in a replacement may mean something.
  const filled = words.map((word) => word.replaceAll("%s", () => target))
  return { program, words: words.some((word) => word.includes("%s")) ? filled : [...filled, target] }
}

/** What was done, for the person: before the link, of which not all may be seen. */
export const followed = (target: string, isOpened: boolean, isCopied: boolean): string => {
  if (isOpened) return `Opened${isCopied ? " and copied" : ""} ${target}`
  return `${isCopied ? "Copied; no browser here:" : "No browser here, and no copies:"} ${target}`
}
