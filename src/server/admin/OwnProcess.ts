/**
 * Gives a connection to SQLite a process of its own, which is no part of the terminal's job.
 *
 * A statement that reads keeps SQLite from resetting the WAL, which grows by all that is written meanwhile. Ctrl-Z stops a
 * command wherever it is, for as long as somebody likes: the statement under way must go on to its end all the same.
 * So nothing that takes several statements may be a transaction.
 */
import { type ChildProcess, fork } from "node:child_process"
import { EventEmitter } from "node:events"
import { fileURLToPath } from "node:url"
import type { Host } from "../sql/SqliteClient.ts"
import type { Question, Setup } from "../sql/SqliteThread.ts"

class OwnProcess extends EventEmitter implements Host {
  readonly #child: ChildProcess

  constructor(setup: Setup) {
    super()
    this.#child = fork(fileURLToPath(new URL("SqliteProcess.ts", import.meta.url)), {
      detached: true,
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      serialization: "advanced"
    })
    let isOver = false
    const over = (code: number | null) => {
      if (isOver) return
      isOver = true
      this.emit("exit", code)
    }
    this.#child.on("message", (message) => {
      if (message !== "closed") return this.emit("message", message)
      over(0)
      return this.#child.connected && this.#child.disconnect()
    })
    this.#child.on("error", (error) => this.emit("error", error))
    this.#child.on("exit", over)
    this.#send(setup)
  }

  postMessage(question: Question | "close") {
    this.#send(question)
  }

  terminate() {
    this.#child.kill("SIGKILL")
    return Promise.resolve()
  }

  unref() {
    this.#child.unref()
    this.#child.channel?.unref()
  }

  #send(message: Setup | Question | "close") {
    // Should it have ended, that is told by the event.
    this.#child.send(message, () => {})
  }
}

export const ownProcess = (setup: Setup): Host => new OwnProcess(setup)
