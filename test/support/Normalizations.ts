/** What texts a piece of code has normalised: the time that takes grows with the square of a run of marks. */
export const normalizedBy = (run: () => void): ReadonlyArray<string> => {
  const normalize = String.prototype.normalize
  const texts: Array<string> = []
  Object.defineProperty(String.prototype, "normalize", {
    configurable: true,
    writable: true,
    value(this: string, form?: string) {
      texts.push(String(this))
      return Reflect.apply(normalize, this, [form])
    }
  })
  try {
    run()
    return texts
  } finally {
    Object.defineProperty(String.prototype, "normalize", { configurable: true, writable: true, value: normalize })
  }
}
