"""The demo's `microvm -u NAME` and `nixos-rebuild switch`: they really make a new runner of a definition file."""

import dataclasses
import hashlib
import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner, with_defaults
from mvtui.errors import MvtuiError
from mvtui.host.documents import parse, read_text
from mvtui.host.runner import read_runner
from mvtui.model.definition import Definition
from mvtui.model.document import definition_of
from mvtui.model.finding import Severity
from mvtui.model.text import clean
from mvtui.model.validation import findings_of

PROGRAMS = ("microvm", "nixos-rebuild")
# Where this Python finds modules is told to the next one: the program's start may have added to it (nixpkgs' does).
_BOOT = (
    "import sys; sys.path[:0] = {places!r}; from mvtui.demo import rebuilding; sys.exit(rebuilding.main(sys.argv[1:]))"
)
# Beside the store.
_TOOLS = "nix/tools.json"
# A build that is over at once shows nobody what its panel is for.
_STEP_SECONDS = 0.4
# What build_runner writes last.
_LAST = Path("share/microvm/hypervisor")


def install_programs(root: Path, tools: Tools) -> None:
    """Both, in `bin` of the demo in `root`, and what they need to know. Raises OSError."""
    (root / _TOOLS).write_text(json.dumps(dataclasses.asdict(tools), indent=1))
    directory = root / "bin"
    directory.mkdir()
    boot = _BOOT.format(places=[place for place in sys.path if os.path.isabs(place)])
    for name in PROGRAMS:
        words = shlex.join([sys.executable, "-P", "-c", boot, str(root), name])
        (directory / name).write_text(f'#!{tools.bash}\nexec {words} "$@"\n')
        (directory / name).chmod(0o755)


def runner_of(store: Path, definition: Definition, tools: Tools) -> Path:
    """The runner of `definition` in `store`, made unless it is there; one that was left half made is made anew."""
    whole = with_defaults(definition)
    whole = whole._replace(shares=tuple(share._replace(extra_args=share.extra_args or ()) for share in whole.shares))
    digest = hashlib.sha256(repr(whole).encode()).hexdigest()[:32]
    out = store / f"{digest}-microvm-qemu-{definition.host_name}"
    if (out / _LAST).exists():
        return out
    for part in (out, *store.glob(f"{digest}-*")):
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)
    return build_runner(definition, out, tools)


def main(argv: Sequence[str]) -> int:
    """Do what the program of that name does with these arguments; its exit code."""
    root, program, *words = argv
    try:
        if program == "microvm" and len(words) == 2 and words[0] == "-u":
            _update(Path(root), words[1])
        elif program == "nixos-rebuild" and words == ["switch"]:
            _switch(Path(root))
        else:
            _say(f"{program}: the demo knows `microvm -u NAME` and `nixos-rebuild switch` alone")
            return 1
    except MvtuiError as error:
        _say(f"error: {error}")
        return 1
    except OSError as error:
        _say(f"error: {error.filename}: {error.strerror}")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{clean(line)}\n")
    sys.stdout.flush()
    time.sleep(_STEP_SECONDS)


def _update(root: Path, name: str) -> None:
    directory = root / "microvms" / name
    if "/" in name or not directory.is_dir():
        raise MvtuiError(f"there is no microVM {name}")
    if os.path.lexists(directory / "toplevel"):
        raise MvtuiError(f"{name} is fully declarative: it is built with its host", "nixos-rebuild switch")
    _build(root, name)


def _switch(root: Path) -> None:
    _say("building the system configuration...")
    for name in _declarative(root):
        _build(root, name)
    _say("activating the configuration...")


def _declarative(root: Path) -> Iterator[str]:
    for directory in sorted((root / "microvms").iterdir()):
        if os.path.lexists(directory / "toplevel") and (root / "definitions" / f"{directory.name}.toml").exists():
            yield directory.name


def _build(root: Path, name: str) -> None:
    """Build it of its definition file, and let `current` lead there."""
    _say(f"evaluating the configuration of {name}...")
    directory = root / "microvms" / name
    before = os.readlink(directory / "current")
    definition = _definition(root / "definitions" / f"{name}.toml", before)
    runner = runner_of(
        root / "nix" / "store", definition, TypeAdapter(Tools).validate_json((root / _TOOLS).read_bytes())
    )
    if str(runner) == before:
        _say(f"{name} is built already: {runner}")
        return
    _say(f"building '{runner}.drv'...")
    for share in definition.shares:
        _say(f"{name}> share {share.tag}: {share.source} -> {share.mount_point}")
    for volume in definition.volumes:
        _say(f"{name}> volume {volume.image} -> {volume.mount_point}")
    _link(directory, "current", str(runner))
    if os.path.lexists(directory / "toplevel"):
        _link(directory, "toplevel", f"{runner}-system")
    _say(f"{name}: {before} -> {runner}")


def _definition(path: Path, before: str) -> Definition:
    """What the file says; what it leaves open is as it was built before. Raises MvtuiError, as Nix fails."""
    text = read_text(path)
    if text is None:
        raise MvtuiError(f"{path} does not exist", "mvtui adopt writes it from what is built")
    document = parse(path, text)
    built = read_runner(before).definition or Definition()
    wrong = [one for one in findings_of(document, built.host_name or path.stem) if one.severity is Severity.ERROR]
    if wrong:
        raise MvtuiError(f"Failed assertions: {' '.join(one.what for one in wrong)}")
    told = definition_of(document)
    return Definition(
        hypervisor=built.hypervisor,
        host_name=told.host_name or built.host_name,
        mem=told.mem or built.mem,
        vcpu=told.vcpu or built.vcpu,
        shares=told.shares,
        volumes=told.volumes,
        writable_store_overlay=told.writable_store_overlay,
        store_on_disk=told.store_on_disk,
    )


def _link(directory: Path, name: str, target: str) -> None:
    """In the place of the old link, whose owner the new one has. The directory may be another's."""
    at = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        owner = os.lstat(name, dir_fd=at)
        new = f".{name}.{os.getpid()}"
        os.symlink(target, new, dir_fd=at)
        if os.geteuid() == 0:
            os.chown(new, owner.st_uid, owner.st_gid, dir_fd=at, follow_symlinks=False)
        os.rename(new, name, src_dir_fd=at, dst_dir_fd=at)
    finally:
        os.close(at)
