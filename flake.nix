{
  description = "mvtui: a control panel in the terminal for the microVMs of a microvm.nix host";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      forEachSystem =
        of:
        nixpkgs.lib.genAttrs [
          "x86_64-linux"
          "aarch64-linux"
        ] (system: of nixpkgs.legacyPackages.${system});
    in
    {
      overlays.default = final: prev: { mvtui = final.callPackage ./mvtui/nix/package.nix { }; };

      packages = forEachSystem (pkgs: rec {
        mvtui = pkgs.callPackage ./mvtui/nix/package.nix { };
        default = mvtui;
      });

      nixosModules = rec {
        mvtui.imports = [ ./mvtui/nix/module.nix ];
        default = mvtui;
      };

      checks = forEachSystem (
        pkgs:
        let
          mvtui = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
        in
        {
          package = mvtui;
          # Those that need neither root nor the programs of a host.
          tests = mvtui.overridePythonAttrs (_: {
            pname = "mvtui-tests";
            src = self;
            nativeCheckInputs = with mvtui.python.pkgs; [
              pytestCheckHook
              hypothesis
              pytest-asyncio
              pytest-timeout
            ];
            enabledTestPaths = [
              "tests/model"
              "tests/cli/test_arguments.py"
            ];
          });
          module = pkgs.testers.runNixOSTest (import ./mvtui/nix/vm-test.nix self.nixosModules.default);
        }
      );
    };
}
