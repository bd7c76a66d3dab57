/** What the server calls itself in its Welcome. */
import manifest from "../../../package.json" with { type: "json" }

export const identity = { name: manifest.name, version: manifest.version }
