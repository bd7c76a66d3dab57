// Settings of pnpm that this project needs. pnpm 12 reads them from pnpm-workspace.yaml or, as here, from this hook; it
// ignores package.json's "pnpm" field. CommonJS, and nothing newer than Node 20: whatever node is on the PATH loads it.
"use strict"

const fs = require("node:fs")
const path = require("node:path")

// The devDependency `node` brings the Node this project runs on, so that a machine needs only some Node that can start
// npx: scripts find it first, in node_modules/.bin. Its prebuilt binary does not start on NixOS, where flake.nix sets
// PARLEY_SYSTEM_NODE: the binary is then not fetched, .bin/node points nowhere, and scripts use the PATH's node.
const nodeVersion = require("./package.json").devDependencies.node
const useSystemNode = Boolean(process.env.PARLEY_SYSTEM_NODE)

module.exports = {
  hooks: {
    updateConfig(config) {
      // `pnpm dev` in a fresh checkout, or after a pull, installs what is missing.
      config.verifyDepsBeforeRun = "install"

      // `node`'s preinstall puts its binary in place; no other package may run an install script. An install notices
      // when this setting changed since the last one, and fetches the binary after all.
      config.allowBuilds = { node: !useSystemNode }

      // A peer of @opentui/core's, which it needs for its own types alone.
      config.peerDependencyRules = { allowAny: ["typescript"] }

      // Its peers are for cipher suites that are not used here. It calls all of them optional but for this one, which would
      // be installed.
      config.packageExtensions = {
        "ts-mls@1.6.4": { peerDependenciesMeta: { "@noble/ciphers": { optional: true } } }
      }
      // The patch says at its head what it mends. The lockfile has its hash: after a change of it, `pnpm install`, and commit
      // both; an install with --frozen-lockfile refuses another patch.
      config.patchedDependencies = { "ts-mls@1.6.4": path.join(__dirname, ".patches/ts-mls@1.6.4.patch") }

      if (useSystemNode) {
        // Left by an install outside the shell, or restored from pnpm's cache of build results.
        fs.rmSync(path.join(__dirname, "node_modules/node/bin/node"), { force: true })
      } else {
        // Packages are checked against the Node that will run them, not the one that runs npx.
        config.nodeVersion = nodeVersion
      }
      return config
    }
  }
}
