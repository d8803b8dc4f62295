{
  description = "Keeps a fleet of AI coding agents working, unattended, day and night";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      manifest = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).package;

      agents = pkgs: pkgs.rustPlatform.buildRustPackage {
        pname = manifest.name;
        version = manifest.version;
        src = self;
        cargoLock.lockFile = ./Cargo.lock;
        nativeBuildInputs = [ pkgs.makeWrapper ];
        # The tests drive a real tmux and real git repositories; `checks.tests` runs them.
        doCheck = false;
        # The user's own tmux and git win: they know the user's settings and credentials.
        postInstall = ''
          wrapProgram $out/bin/agents --suffix PATH : ${pkgs.lib.makeBinPath [ pkgs.tmux pkgs.git ]}
        '';
        meta = {
          description = manifest.description;
          license = [ pkgs.lib.licenses.mit pkgs.lib.licenses.asl20 ];
          mainProgram = "agents";
        };
      };
    in
    {
      packages = each (pkgs: { default = agents pkgs; });

      devShells = each (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.cargo
            pkgs.clippy
            pkgs.git
            pkgs.rust-analyzer
            pkgs.rustc
            pkgs.rustfmt
            pkgs.shellcheck
            pkgs.tmux
          ];
        };
      });

      checks = each (pkgs: {
        package = agents pkgs;
        tests = (agents pkgs).overrideAttrs (old: {
          pname = "${old.pname}-tests";
          doCheck = true;
          nativeCheckInputs = [ pkgs.git pkgs.procps pkgs.tmux ];
          preCheck = ''
            export HOME=$(mktemp -d) LANG=C.UTF-8
          '';
        });
      });

      formatter = each (pkgs: pkgs.nixpkgs-fmt);
    };
}
