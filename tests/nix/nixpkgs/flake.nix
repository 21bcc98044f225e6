# Stands for nixpkgs, for `nix flake check --no-build` of mvtui's flake: its packages are one derivation.
{
  outputs =
    { self }:
    let
      built = derivation {
        name = "mvtui";
        system = "x86_64-linux";
        builder = "/bin/sh";
      };
      package = built // {
        overridePythonAttrs = _: built;
        python.pkgs = self.lib.genAttrs [ "hypothesis" "pytest-asyncio" "pytest-timeout" "pytestCheckHook" ] (name: name);
      };
    in
    {
      lib.genAttrs =
        names: of:
        builtins.listToAttrs (
          map (name: {
            inherit name;
            value = of name;
          }) names
        );
      legacyPackages = self.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: {
        callPackage = _: _: package;
        stdenv.hostPlatform.system = system;
        testers.runNixOSTest = _: built;
      });
    };
}
