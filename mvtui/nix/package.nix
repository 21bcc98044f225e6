# mvtui, of whatever nixpkgs the host has: a dependency that is too old there is taken newer, for mvtui alone.
{
  lib,
  python3,
  fetchPypi,
}:
let
  python = python3.override {
    self = python;
    packageOverrides = final: prev: {
      textual =
        if lib.versionAtLeast prev.textual.version "8.2" then
          prev.textual
        else
          final.buildPythonPackage rec {
            pname = "textual";
            version = "8.2.8";
            format = "wheel";
            src = fetchPypi {
              inherit pname version format;
              dist = "py3";
              python = "py3";
              hash = "sha256-JnN1/UAtyNmBRXIS76cfDjNl/Re7oUS6m7PtdWPLN0o=";
            };
            dependencies = [
              final.linkify-it-py
              final.markdown-it-py
              final.mdit-py-plugins
              final.platformdirs
              final.pygments
              final.rich
              final.typing-extensions
            ];
            inherit (prev.textual) meta;
          };
      dbus-fast =
        if lib.versionAtLeast prev.dbus-fast.version "5.0" then
          prev.dbus-fast
        else
          final.buildPythonPackage rec {
            pname = "dbus-fast";
            version = "5.2.0";
            pyproject = true;
            src = fetchPypi {
              pname = "dbus_fast";
              inherit version;
              hash = "sha256-pKXd3ASxreXrdlDXkeL2+3wTNFlVk0c5FOeKJSbs3do=";
            };
            build-system = [
              final.cython
              final.poetry-core
              final.setuptools
            ];
            pypaBuildFlags = [ "--skip-dependency-check" ];
            env.REQUIRE_CYTHON = 1;
            doCheck = false;
            inherit (prev.dbus-fast) meta;
          };
    };
  };
  version = builtins.head (
    builtins.match ".*__version__ = \"([^\"]+)\".*" (builtins.readFile ../__init__.py)
  );
in
python.pkgs.buildPythonApplication {
  pname = "mvtui";
  inherit version;
  pyproject = true;

  src = lib.fileset.toSource {
    root = ../..;
    fileset = lib.fileset.unions [
      ../.
      ../../themes
      ../../pyproject.toml
      ../../README.md
      ../../CHANGELOG.md
      ../../LICENSE
    ];
  };

  build-system = [ python.pkgs.hatchling ];
  dependencies = [
    python.pkgs.dbus-fast
    python.pkgs.psutil
    python.pkgs.pydantic
    python.pkgs.qemu-qmp
    python.pkgs.textual
    python.pkgs.tomli-w
    python.pkgs.tomlkit
  ];

  passthru = { inherit python; };

  # The wheel brings the manual and the completions to where they belong.
  doInstallCheck = true;
  installCheckPhase = ''
    runHook preInstallCheck
    $out/bin/mvtui --version | grep -qF ${version}
    mkdir empty
    $out/bin/mvtui list --manager direct --state-dir "$PWD/empty"
    for file in man/man1/mvtui.1 bash-completion/completions/mvtui zsh/site-functions/_mvtui \
      fish/vendor_completions.d/mvtui.fish; do
      ls $out/share/$file* >/dev/null
    done
    runHook postInstallCheck
  '';
  pythonImportsCheck = [
    "mvtui.cli"
    "mvtui.ui.app"
  ];

  meta = {
    description = "Control panel in the terminal for the microVMs of a microvm.nix host";
    license = lib.licenses.mit;
    mainProgram = "mvtui";
    platforms = lib.platforms.linux;
  };
}
