import { vi } from "@effect/vitest"

/** What texts a piece of code has normalised: the time that takes grows with the square of a run of marks. */
export const normalizedBy = (run: () => void): ReadonlyArray<string> => {
  const spy = vi.spyOn(String.prototype, "normalize")
  try {
    run()
    return spy.mock.contexts.map(String)
  } finally {
    spy.mockRestore()
  }
}
