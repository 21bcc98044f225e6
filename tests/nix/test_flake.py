"""flake.nix, the package and the NixOS module as Nix evaluates them. There is no nixpkgs here: where NIXPKGS_LIB names
the directory lib of one, the module is evaluated with that, too."""

import json
import os
import re
import shutil
import subprocess
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import mvtui
from tests.host.living import found
from tests.nix.local import evaluate_file, local_nix

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
FOLDER = CHECKOUT / "mvtui" / "nix"
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
REQUIRED = {asked.name: asked for asked in map(Requirement, PROJECT["dependencies"])}


def evaluated(file: str, **arguments: str) -> Any:
    words = [word for name, value in arguments.items() for word in ("--argstr", name, value)]
    ran = evaluate_file(HERE / file, *words)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def flake(textual: str = "8.2", dbus_fast: str = "5.0") -> Any:
    return evaluated("flake.nix", flake=str(CHECKOUT / "flake.nix"), textual=textual, dbusFast=dbus_fast)


@pytest.mark.parametrize("file", [CHECKOUT / "flake.nix", *sorted(FOLDER.glob("*.nix"))], ids=lambda file: file.name)
def test_it_is_nix(file: Path) -> None:
    argv = [found("nix-instantiate"), "--store", "dummy://", "--parse", str(file)]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_what_the_flake_gives() -> None:
    told = flake()
    assert told["inputs"] == ["nixpkgs"]
    assert told["systems"] == {
        "x86_64-linux": ["default", "mvtui"],
        "aarch64-linux": ["default", "mvtui"],
    }
    assert told["overlay"] is True
    assert told["module"] == ["module.nix"]
    assert told["checks"] == ["module", "package", "tests"]
    assert all((CHECKOUT / path).exists() for path in told["tests"])
    compile(told["script"], "testScript", "exec")


def test_nix_flake_check_finds_nothing_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What each output has to be like; with a nixpkgs that has nothing to build."""
    local_nix(tmp_path / "nix", monkeypatch)
    # Nix would copy all of a checkout, its environment and caches too.
    shutil.copytree(FOLDER, tmp_path / "flake" / "mvtui" / "nix")
    shutil.copy(CHECKOUT / "flake.nix", tmp_path / "flake")
    options = ["--no-build", "--no-write-lock-file", "--override-input", "nixpkgs", f"path:{HERE / 'nixpkgs'}"]
    ran = subprocess.run(
        [found("nix"), "flake", "check", *options, f"path:{tmp_path / 'flake'}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr


def test_the_package_is_what_pyproject_says() -> None:
    package = flake()["package"]
    assert package["version"] == mvtui.__version__
    assert [each["name"].replace("qemu-qmp", "qemu.qmp") for each in package["dependencies"]] == sorted(REQUIRED)
    assert package["build"] == ["hatchling"]
    assert package["program"] in PROJECT["scripts"]
    assert all((CHECKOUT / path).exists() for path in package["src"])


@pytest.mark.parametrize("name", ["textual", "dbus-fast"])
def test_a_dependency_that_is_too_old_is_taken_newer(name: str) -> None:
    (least,) = (each.version for each in REQUIRED[name].specifier if each.operator == ">=")

    def taken(version: str) -> str:
        told = flake(**{name.replace("-", "_"): version})["package"]["dependencies"]
        (found,) = (each["version"] for each in told if each["name"] == name)
        return str(found)

    assert taken(least) == least
    older = taken("0.9")
    assert REQUIRED[name].specifier.contains(older)


class Module:
    """The module, with one of the libs."""

    def __init__(self, lib: str) -> None:
        self._lib = {"lib": lib} if lib else {}

    def __call__(self, user: Mapping[str, Any], microvm: Mapping[str, Any] | None = None) -> Any:
        """What it makes of `user`, of programs.mvtui; `microvm`: of a host with microvm.nix, and what it says there."""
        host = {} if microvm is None else {"microvm": json.dumps(microvm)}
        return evaluated("module.nix", module=str(FOLDER / "module.nix"), user=json.dumps(user), **host, **self._lib)


LIBS = ["", *filter(None, [os.environ.get("NIXPKGS_LIB", "")])]


@pytest.fixture(params=LIBS, ids=["own", "nixpkgs"][: len(LIBS)])
def module(request: pytest.FixtureRequest) -> Module:
    return Module(str(request.param))


def test_nothing_where_it_is_not_enabled(module: Module) -> None:
    told = module({"enable": False, "group": "ops", "settings": {"theme": "light"}}, {})
    assert (told["etc"], told["installed"], told["groups"], told["tmpfiles"]) == ({}, [], {}, {})
    assert told["polkit"] == {"enable": False, "extraConfig": ""}
    assert told["services"]["microvm@"]["serviceConfig"]["ExecStartPre"] == ["own"]


def test_settings_are_the_configuration_of_the_host(module: Module) -> None:
    settings = {"theme": "light", "definitions": "/etc/nixos/vms", "keys": {"stop": ["X"]}}
    told = module({"enable": True, "settings": settings})
    assert told["installed"] == ["mvtui"]
    assert told["etc"]["mvtui/config.toml"]["source"]["value"] == settings
    assert told["tmpfiles"]["10-mvtui"] == {
        "/var/lib/mvtui": {"d": {"user": "root", "group": "root", "mode": "0755"}},
        # What is there keeps its owner and mode: it may be a person's own.
        "/etc/nixos/vms": {"d": {"user": ":root", "group": ":root", "mode": ":0755"}},
    }
    assert module({"enable": True})["etc"] == {}


def test_another_state_directory_is_known(module: Module) -> None:
    told = module({"enable": True}, {"stateDir": "/srv/a b%"})
    assert told["etc"]["mvtui/config.toml"]["source"]["value"] == {"state_dir": "/srv/a b%"}
    (_, command) = told["services"]["microvm@"]["serviceConfig"]["ExecStartPre"]
    assert command.endswith(' reset --if-armed --state-dir "/srv/a b%%" -- %i')
    mine = module({"enable": True, "settings": {"state_dir": "/mine"}}, {"stateDir": "/srv"})
    assert mine["etc"]["mvtui/config.toml"]["source"]["value"] == {"state_dir": "/mine"}


@pytest.mark.parametrize(
    ("armed", "microvm", "commands"),
    [
        ({}, {}, ["own", "-+/run/current-system/sw/bin/mvtui reset --if-armed -- %i"]),
        ({"strict": True}, {}, ["own", "+/run/current-system/sw/bin/mvtui reset --if-armed --strict -- %i"]),
        ({"enable": False}, {}, ["own"]),
        ({}, {"host": {"enable": False}}, ["own"]),
    ],
)
def test_armed_resets(module: Module, armed: dict[str, bool], microvm: dict[str, Any], commands: list[str]) -> None:
    told = module({"enable": True, "armedResets": armed}, microvm)
    assert told["services"]["microvm@"]["serviceConfig"]["ExecStartPre"] == commands


def test_no_unit_is_made_where_microvm_nix_is_not(module: Module) -> None:
    assert module({"enable": True})["services"] == {}


@pytest.mark.parametrize(
    ("group", "microvm", "said"),
    [
        ("ops", {}, []),
        (None, None, []),
        ("ops", None, ["takes the host module of microvm.nix"]),
        ("ops", {"host": {"enable": False}}, ["takes the host module of microvm.nix"]),
        ("kvm", {}, ["can't be kvm"]),
    ],
)
def test_a_rule_is_only_for_hosts_that_have_the_units(
    module: Module, group: str | None, microvm: dict[str, Any] | None, said: list[str]
) -> None:
    told = module({"enable": True, "group": group}, microvm)
    assert len(told["failed"]) == len(said)
    assert all(words in message for words, message in zip(said, told["failed"], strict=True))
    assert told["polkit"]["enable"] is (group is not None)
    assert told["groups"] == ({group: {}} if group else {})


def test_the_readme_has_every_option_and_a_flake_that_is_nix(module: Module, tmp_path: Path) -> None:
    section = (CHECKOUT / "README.md").read_text().partition("### On NixOS\n")[2].partition("\n### ")[0]
    listed = re.findall(r"^\| `(programs\.mvtui\.[\w.]+)` \|", section, re.MULTILINE)
    assert sorted(listed) == module({"enable": False})["options"]
    (tmp_path / "configuration.nix").write_text("{ }")
    example = tmp_path / "flake.nix"
    example.write_text(textwrap.dedent("\n".join(re.findall(r"^    .*", section, re.MULTILINE))))
    text = f"""
      let of = input: {{ lib.nixosSystem = system: system; nixosModules.host = {{ }}; nixosModules.default = input; }};
      in (import {example}).outputs {{ nixpkgs = of 1; microvm = of 2; mvtui = of 3; }}
    """
    (tmp_path / "outputs.nix").write_text(text)
    ran = evaluate_file(tmp_path / "outputs.nix")
    assert ran.returncode == 0, ran.stderr
    modules = json.loads(ran.stdout)["nixosConfigurations"]["hv01"]["modules"]
    assert modules[2] == 3
    assert Module("")(modules[3]["programs"]["mvtui"], {})["failed"] == []
