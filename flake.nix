# What was checked of this flake: it was parsed and evaluated with Nix 2.8 against a stand-in for nixpkgs (no network to the real
# one). The shell's and apps' definitions for all four systems evaluate, and the start script and the shell's way of using the
# system's Node were run on Debian with pnpm 10, 11 and 12. It has not been run on NixOS or macOS, and there is no flake.lock
# until the first `nix develop` or `nix run` writes one.
{
  description = "parley, a multi-client chat server and client on Effect";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      forEachSystem = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});

      # The sources need Node 26, the lockfile pnpm 10 or later; take the nearest that this nixpkgs has.
      nodejs = pkgs: pkgs.nodejs_26 or pkgs.nodejs_latest;
      pnpm = pkgs: pkgs.pnpm_12 or (pkgs.pnpm_11 or pkgs.pnpm);

      environment = {
        # Read by .pnpmfile.cjs: do not fetch the npm package `node`, whose binary does not start on NixOS.
        PARLEY_SYSTEM_NODE = "1";
        # Use this pnpm, whatever version package.json asks Corepack for: pnpm 11 and later, then pnpm 10.
        pnpm_config_pm_on_fail = "ignore";
        npm_config_manage_package_manager_versions = "false";
      };
    in
    {
      # `nix develop`, then the commands of the README: pnpm dev, pnpm client, pnpm check.
      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell (
          environment
          // {
            packages = [
              (nodejs pkgs)
              (pnpm pkgs)
              # Tests drive the client in a terminal, and sign with keys of OpenSSH.
              pkgs.tmux
              pkgs.openssh
            ];
          }
        );
      });

      # `nix run` starts the server, `nix run .#client` the client, both in the current directory.
      #
      # A package in the Nix store would need a hash of all npm packages, to be renewed at every change of the lockfile. So
      # the first run of each revision copies the sources to the user's cache and lets pnpm install from the lockfile there.
      apps = forEachSystem (
        pkgs:
        let
          start = bin: {
            type = "app";
            program = toString (
              pkgs.writeShellScript "parley-${bin}" ''
                set -eu
                export PATH=${
                  pkgs.lib.makeBinPath [
                    (nodejs pkgs)
                    (pnpm pkgs)
                    pkgs.coreutils
                  ]
                }:$PATH
                ${pkgs.lib.toShellVars environment}
                export ${toString (builtins.attrNames environment)}

                home="''${XDG_CACHE_HOME:-$HOME/.cache}/parley"
                app="$home/$(basename ${self})"
                if [ ! -d "$app" ]; then
                  mkdir -p "$home"
                  new=$(mktemp -d "$home/new.XXXXXX")
                  cp -R ${self}/. "$new"
                  chmod -R u+w "$new"
                  trap 'rm -rf "$new"' EXIT
                  (cd "$new" && CI=true pnpm install --prod --frozen-lockfile >&2)
                  trap - EXIT
                  # Another first run may have been quicker.
                  mv -T "$new" "$app" 2>/dev/null || rm -rf "$new"
                fi
                exec node "$app/src/bin/${bin}.ts" "$@"
              ''
            );
          };
        in
        {
          default = start "server";
          client = start "client";
        }
      );
    };
}
