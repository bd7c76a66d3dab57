/**
 * The process that has a database open for a command of `pnpm admin`. Run by `OwnProcess` only.
 *
 * It carries out what it is asked, one statement after the other, and ends when nobody can ask any more: the command
 * has what it wanted, or was killed.
 */
import process from "node:process"
import { Worker } from "node:worker_threads"

process.once("message", (setup) => {
  const thread = new Worker(new URL("../sql/SqliteThread.ts", import.meta.url), { workerData: setup, name: "sqlite" })
  const tell = (message: unknown) => process.send?.(message)
  process.on("message", (question) => thread.postMessage(question))
  thread.on("message", tell)
  thread.on("error", () => {})
  thread.on("exit", () => tell("closed"))
})

// In whatever statement the thread is: it would be waited for otherwise.
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"))
