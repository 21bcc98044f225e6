"""What Nix says of a microVM's definition: for what no runner tells. It takes minutes, and runs only when asked."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from typing import Any

from mvtui.errors import MvtuiError
from mvtui.model.definition import Definition
from mvtui.model.document import WrongTypeError, definition_of

SECONDS = 600
# A definition has a few KiB; what is evaluated can warn of much.
_MOST_BYTES = 16 << 20
_INSTEAD = "adopt what is built, without --eval"
# Nix 2.8 passes on that git failed, newer ones say it themselves.
_NOT_OWNED = ("program 'git' failed", "not owned by current user")
_TRUST = "where the flake's repository is another user's: git config --global --add safe.directory DIRECTORY"
# A volume that is not created by microvm.nix needs no size: to look at it throws then.
_OF_IT = (
    "{ inherit (m) shares writableStoreOverlay storeOnDisk; volumes = map (v: v // { size = "
    "if v.autoCreate then v.size else let t = builtins.tryEval v.size; in if t.success then t.value else null; }) "
    "m.volumes; }"
)
_OWN = f"m: {_OF_IT}"
# microvm.vms.NAME has its configuration in one of two options.
_OF_HOST = (
    f"vm: let e = vm.evaluatedConfig or null; m = (if e != null then e else vm.config).config.microvm; in {_OF_IT}"
)
_FEATURES = ("--extra-experimental-features", "nix-command flakes")


def eval_command(flake: str, name: str, *, host_name: str | None = None) -> tuple[str, ...]:
    """The command that evaluates the microVM `name` of `flake`: one that is updated on its own, or with `host_name`
    one of that host's configuration (fully declarative). Raises MvtuiError where a name can't be written in Nix."""
    for word in (flake, name, host_name or ""):
        if word.startswith("-") or any(char in word for char in '"\\$#') or not word.isprintable():
            raise MvtuiError(f"{word!r} can't be asked of Nix", "adopt it without --eval")
    if host_name is None:
        attribute, wanted = f'nixosConfigurations."{name}".config.microvm', _OWN
    else:
        attribute, wanted = f'nixosConfigurations."{host_name}".config.microvm.vms."{name}"', _OF_HOST
    return ("nix", *_FEATURES, "eval", "--json", "--no-write-lock-file", f"{flake}#{attribute}", "--apply", wanted)


async def evaluate(command: tuple[str, ...]) -> Definition:
    """What comes of `command`, of eval_command, in SECONDS at most; where it is not waited for any more, Nix is ended.
    Raises MvtuiError with Nix's last words."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
    except FileNotFoundError:
        raise MvtuiError("there is no nix here", _INSTEAD) from None
    except OSError as error:
        raise MvtuiError(f"nix can't be run: {error.strerror}", _INSTEAD) from None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(SECONDS):
            out, errors = await asyncio.gather(_all(process, process.stdout), _all(process, process.stderr))
            code = await process.wait()
    except TimeoutError:
        raise MvtuiError(f"nix gave no answer in {SECONDS // 60} minutes", _INSTEAD) from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # what fetches for it too
            await process.communicate()
    if max(len(out), len(errors)) > _MOST_BYTES:
        raise MvtuiError(f"nix says more than {_MOST_BYTES >> 20} MiB", _INSTEAD)
    return _told(code, out.decode(errors="replace"), errors.decode(errors="replace"))


async def _all(process: Process, stream: asyncio.StreamReader) -> bytes:
    """What it says; where that is more than _MOST_BYTES, it is ended: a flake can have Nix trace without an end."""
    said = bytearray()
    while part := await stream.read(1 << 16):
        if len(said) <= _MOST_BYTES:
            said += part
            if len(said) > _MOST_BYTES and process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    return bytes(said)


def _told(code: int, out: str, errors: str) -> Definition:
    if code != 0:
        said = _last_error(errors)
        not_owned = any(words in said for words in _NOT_OWNED)
        raise MvtuiError(f"nix eval failed: {said}", _TRUST if not_owned else _INSTEAD)
    try:
        told = json.loads(out)
        return definition_of(_without_null(told))
    except (ValueError, WrongTypeError, AttributeError, RecursionError) as error:
        raise MvtuiError(f"nix eval gave something else than a definition: {error}", "") from None


def _last_error(said: str) -> str:
    """The error in a line. Nix 2.20 and newer begin with a bare "error:", then come the places that led there."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:") and line != "error:"]
    return errors[-1] if errors else lines[-1] if lines else "no words"


def _without_null(told: Mapping[str, Any]) -> dict[str, Any]:
    """TOML has no null, and what reads documents knows none."""
    found: dict[str, Any] = {}
    for key, value in told.items():
        if isinstance(value, list):
            found[key] = [_without_null(each) if isinstance(each, dict) else each for each in value]
        elif value is not None:
            found[key] = value
    return found
