"""Asks the modules of microvm.nix: see judge.nix."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

_EXPRESSION = Path(__file__).with_name("judge.nix")


class Judged(NamedTuple):
    """What Nix said: the messages of what it refuses, none where it accepts."""

    refused: tuple[str, ...] = ()


class Judge(NamedTuple):
    """`lib` is the directory of that name of nixpkgs.lib, `microvm` a checkout of microvm.nix."""

    nix_instantiate: str
    lib: Path
    microvm: Path

    def judge(self, toml: Path) -> Judged:
        """What it says of the file at `toml` (absolute)."""
        ran = subprocess.run(self._argv(toml), capture_output=True, text=True, check=False)
        if ran.returncode == 0:
            return Judged(tuple(json.loads(ran.stdout)["failed"]))
        if "error:" not in ran.stderr:
            raise RuntimeError(f"{self.nix_instantiate}: {ran.stderr}")
        return Judged((_message(ran.stderr).replace(f"{self.microvm}/", ""),))

    def build(self, toml: Path) -> tuple[str, list[dict[str, Any]]]:
        """The script that makes the runner of the file at `toml` (absolute), as judge.nix gives it, and the guest's
        mounts. Raises RuntimeError where it is refused."""
        argv = [*self._argv(toml), "--argstr", "runner", "yes"]
        ran = subprocess.run(argv, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise RuntimeError(f"{toml.read_text()}\n{ran.stderr}")
        answer = json.loads(ran.stdout)
        if answer["failed"]:
            raise RuntimeError(f"{toml.read_text()}\n{answer['failed']}")
        return answer["runner"], answer["mounts"]

    def _argv(self, toml: Path) -> list[str]:
        argv = [self.nix_instantiate, "--store", "dummy://", "--readonly-mode", "--eval", "--json", "--strict"]
        argv += [str(_EXPRESSION), "--argstr", "lib", str(self.lib), "--argstr", "microvm", str(self.microvm)]
        return [*argv, "--argstr", "toml", str(toml)]


def _message(stderr: str) -> str:
    """The sentence that a person has to read; paths of the machine are in the frames of code behind it."""
    words = stderr.partition("error:")[2].partition("\n\n")[0]
    words = re.sub(r"anonymous function at \S+ ", "anonymous function ", words)
    return (
        re.sub(r"\s*\n\s*", " ", words)
        .replace("(use '--show-trace' to show detailed location information)", "")
        .strip()
    )
