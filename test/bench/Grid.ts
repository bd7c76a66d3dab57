/**
 * What a terminal would show of what a program writes to it: as much of a terminal as the full screen needs (ECMA-48: cursor,
 * erasing; the alternate screen is the only one). Colours are passed over. Every character takes one cell: whoever measures writes
 * no wide ones.
 */
const finals = /[@-~]/

export class Grid {
  readonly columns: number
  readonly rows: number
  #cells: Array<Array<string>>
  #x = 0
  #y = 0
  /** What a sequence that is not complete has said so far. */
  #begun = ""
  /** How many frames were drawn to their ends (synchronized output, mode 2026). */
  frames = 0

  constructor(columns: number, rows: number) {
    this.columns = columns
    this.rows = rows
    this.#cells = Array.from({ length: rows }, () => this.#blank())
  }

  #blank(): Array<string> {
    return Array.from({ length: this.columns }, () => " ")
  }

  /** Of the rows from 0; a negative one counts from the bottom. */
  row(index: number): string {
    return this.#cells.at(index)?.join("").trimEnd() ?? ""
  }

  text(): string {
    return this.#cells.map((row) => row.join("").trimEnd()).join("\n")
  }

  write(text: string): void {
    for (const character of text) {
      if (this.#begun !== "") this.#escape(character)
      else if (character === "\u001b") this.#begun = character
      else if (character === "\r") this.#x = 0
      else if (character === "\n") this.#y = Math.min(this.#y + 1, this.rows - 1)
      else if (character === "\b") this.#x = Math.max(0, this.#x - 1)
      else if (character >= " ") this.#put(character)
    }
  }

  #put(character: string): void {
    const row = this.#cells[this.#y]
    if (row !== undefined && this.#x < this.columns) row[this.#x] = character
    this.#x += 1
  }

  #escape(character: string): void {
    this.#begun += character
    const [, kind = ""] = this.#begun
    if (kind === "[") {
      if (this.#begun.length > 2 && finals.test(character)) this.#end()
    } else if ("]PX^_".includes(kind)) {
      if (character === "\u0007" || this.#begun.endsWith("\u001b\\")) this.#begun = ""
    } else if (this.#begun.length > 1) this.#begun = ""
  }

  #end(): void {
    const [, words = "", final = ""] = /^.\[([^@-~]*)([@-~])$/.exec(this.#begun) ?? []
    this.#begun = ""
    const [first = Number.NaN, second = Number.NaN] = words.split(";").map(Number.parseFloat)
    const count = Number.isNaN(first) ? 1 : first
    if (words === "?2026" && final === "l") this.frames += 1
    if (words === "?1049" && final === "h") this.#cells = this.#cells.map(() => this.#blank())
    switch (final) {
      case "H":
      case "f":
        this.#y = Math.min(count, this.rows) - 1
        this.#x = Math.min(Number.isNaN(second) ? 1 : second, this.columns) - 1
        break
      case "A":
        this.#y = Math.max(0, this.#y - count)
        break
      case "B":
        this.#y = Math.min(this.rows - 1, this.#y + count)
        break
      case "C":
        this.#x = Math.min(this.columns - 1, this.#x + count)
        break
      case "D":
        this.#x = Math.max(0, this.#x - count)
        break
      case "G":
        this.#x = Math.min(count, this.columns) - 1
        break
      case "K":
        this.#cells[this.#y]?.fill(" ", first === 2 || first === 1 ? 0 : this.#x, first === 1 ? this.#x + 1 : undefined)
        break
      case "J":
        if (first === 2) this.#cells = this.#cells.map(() => this.#blank())
        break
    }
  }
}
