"""What Nix says of a microVM's definition: for what no runner tells. It takes minutes, and runs only when asked."""

import asyncio
import json
import subprocess
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from typing import Any

from mvtui.errors import MvtuiError
from mvtui.model.definition import Definition
from mvtui.model.document import WrongTypeError, definition_of

SECONDS = 600
_WANTED = "m: { inherit (m) shares volumes writableStoreOverlay storeOnDisk; }"
_FEATURES = ("--extra-experimental-features", "nix-command flakes")


def eval_command(flake: str, name: str, *, host_name: str | None = None) -> tuple[str, ...]:
    """The command that evaluates the microVM `name` of `flake`: one that is updated on its own, or with `host_name`
    one of that host's configuration (fully declarative). Raises MvtuiError where a name can't be written in Nix."""
    for word in (flake, name, host_name or ""):
        if word.startswith("-") or any(char in word for char in '"\\$#') or not word.isprintable():
            raise MvtuiError(f"{word!r} can't be asked of Nix", "adopt it without --eval")
    if host_name is None:
        attribute = f'nixosConfigurations."{name}".config.microvm'
    else:
        attribute = f'nixosConfigurations."{host_name}".config.microvm.vms."{name}".config.config.microvm'
    return ("nix", *_FEATURES, "eval", "--json", "--no-write-lock-file", f"{flake}#{attribute}", "--apply", _WANTED)


def evaluate(command: tuple[str, ...]) -> Definition:
    """What comes of `command`, of eval_command. Blocking, SECONDS at most. Raises MvtuiError with Nix's last words."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise MvtuiError("there is no nix here", "adopt without --eval what is built") from None
    except subprocess.TimeoutExpired:
        raise MvtuiError(
            f"nix gave no answer in {SECONDS // 60} minutes", "adopt without --eval what is built"
        ) from None
    except OSError as error:
        raise MvtuiError(f"nix can't be run: {error.strerror}", "adopt without --eval what is built") from None
    return _told(done.returncode, done.stdout, done.stderr)


async def evaluate_in_loop(command: tuple[str, ...]) -> Definition:
    """The same; where it is not waited for any more, Nix is ended."""
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    except OSError as error:
        raise MvtuiError(f"nix can't be run: {error.strerror}", "adopt what is built without it") from None
    try:
        async with asyncio.timeout(SECONDS):
            out, errors = await process.communicate()
    except TimeoutError:
        raise MvtuiError(f"nix gave no answer in {SECONDS // 60} minutes", "adopt what is built without it") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return _told(process.returncode, out.decode(errors="replace"), errors.decode(errors="replace"))


def _told(code: int, out: str, errors: str) -> Definition:
    if code != 0:
        lines = [line.strip() for line in errors.splitlines() if line.strip()]
        words = next((line for line in lines if line.startswith("error:")), lines[-1] if lines else "no words")
        raise MvtuiError(f"nix eval failed: {words}", "adopt without --eval what is built")
    try:
        told = json.loads(out)
        return definition_of(_without_null(told))
    except (ValueError, WrongTypeError, AttributeError, RecursionError) as error:
        raise MvtuiError(f"nix eval gave something else than a definition: {error}", "") from None


def _without_null(told: Mapping[str, Any]) -> dict[str, Any]:
    """TOML has no null, and what reads documents knows none."""
    found: dict[str, Any] = {}
    for key, value in told.items():
        if isinstance(value, list):
            found[key] = [_without_null(each) if isinstance(each, dict) else each for each in value]
        elif value is not None:
            found[key] = value
    return found
