# What flake.nix gives, with inputs of which only names stand here.
#
# nix-instantiate --eval --json --strict flake.nix --argstr flake FILE --argstr textual VERSION --argstr dbusFast VERSION
{ flake, textual, dbusFast }:
let
  asked = name: version: { inherit name version; meta = { }; };
  called = file: {
    inherit file;
    overridePythonAttrs = of: { tests = (of { }).enabledTestPaths; };
    python.pkgs = python.pkgs;
  };
  lib = {
    genAttrs = names: of: builtins.listToAttrs (map (name: { inherit name; value = of name; }) names);
    versionAtLeast = have: want: builtins.compareVersions have want >= 0;
    fileset.toSource = { root, fileset }: map baseNameOf fileset;
    fileset.unions = files: files;
    licenses.mit = "MIT";
    platforms.linux = [ "linux" ];
    mkOption = _: null;
    mkEnableOption = _: null;
    types.path = null;
  };
  names = [
    "cython" "hatchling" "hypothesis" "linkify-it-py" "markdown-it-py" "mdit-py-plugins" "platformdirs" "poetry-core"
    "psutil" "pydantic" "pygments" "pytest-asyncio" "pytest-timeout" "pytestCheckHook" "qemu-qmp" "rich" "setuptools" "tomli-w"
    "tomlkit" "typing-extensions"
  ];
  # Of nixpkgs' python the one that package.nix makes of it.
  python = {
    pkgs = lib.genAttrs names (name: asked name "1");
    override = { packageOverrides, self }:
      let
        own = { textual = asked "textual" textual; dbus-fast = asked "dbus-fast" dbusFast; };
        all = python.pkgs // own // packageOverrides all own // {
          buildPythonPackage = arguments: { name = arguments.pname; inherit (arguments) version src; };
          buildPythonApplication = arguments: arguments;
        };
      in { pkgs = all; };
  };
  pkgs = system: {
    inherit system;
    callPackage = file: _: called file;
    stdenv.hostPlatform.system = system;
    testers.runNixOSTest = test: test { inherit lib; pkgs.coreutils = "/coreutils"; };
  };
  read = import (/. + flake);
  outputs = read.outputs {
    self = outputs;
    nixpkgs = { inherit lib; legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] pkgs; };
  };
  linux = outputs.packages.x86_64-linux;
  package = import linux.default.file { inherit lib; python3 = python; fetchPypi = arguments: arguments.hash; };
in
{
  inputs = builtins.attrNames read.inputs;
  systems = builtins.mapAttrs (_: builtins.attrNames) outputs.packages;
  overlay = (outputs.overlays.default (pkgs "x86_64-linux") { }).mvtui.file == linux.mvtui.file;
  module = map baseNameOf outputs.nixosModules.default.imports;
  checks = builtins.attrNames outputs.checks.aarch64-linux;
  tests = outputs.checks.x86_64-linux.tests.tests;
  script = outputs.checks.x86_64-linux.module.testScript;
  package = {
    inherit (package) version src pname;
    dependencies = map (each: { inherit (each) name version; }) package.dependencies;
    build = map (each: each.name) package.build-system;
    program = package.meta.mainProgram;
  };
}
