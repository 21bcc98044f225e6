"""A definition file for a microVM that has none, from what is built."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.nix_eval import eval_command, evaluate
from mvtui.host.ports import Host
from mvtui.model.adopted import adopted, completed
from mvtui.model.definition import Definition, ShareProto
from mvtui.model.microvm import MicroVM
from mvtui.model.place import quoted
from mvtui.operations.definition_place import document_place, local_flake
from mvtui.operations.definitions_save import Document, apply, empty_document

HOST_FLAKE = Path("/etc/nixos")


class Adoption(NamedTuple):
    """What adopting would write: `text` at `document.path`, with `save(host, document, text)`, which overwrites
    nothing. `exists`: there is a file already, and that would raise ConflictError. `nix` is the line that reads the
    file, for a module in its directory. `notes` are sentences: what to do then, and what the file may lack."""

    document: Document
    text: str
    nix: str
    exists: bool
    notes: tuple[str, ...]


def adopt(host: Host, microvm: MicroVM, *, evaluated: Definition | None = None) -> Adoption:
    """The definition of `microvm` as built, with what differs from microvm.nix's defaults; `evaluated`, what
    `ask_nix` gave, completes it. Nothing is written. Blocking. Raises MvtuiError: REFUSED where nothing is built, or
    INVALID where what is built does not tell enough."""
    built = _built(microvm)
    if evaluated is not None:
        built = completed(built, evaluated)
    path = document_place(host, microvm)
    told = adopted(built)
    if told.unknown:
        raise MvtuiError(
            f"what is built of {microvm.name} does not tell {', '.join(told.unknown)}",
            "mvtui adopt --eval asks Nix for it, which takes minutes"
            if evaluated is None
            else "write the file by hand",
            ExitCode.INVALID,
        )
    document = empty_document(microvm, path)
    nix = nix_line(path.name)
    start = f"# What {_printable(microvm.name)} has of its host. Nix reads it: {_printable(nix)}\n"
    if told.store_on_disk is not None:
        start += f"storeOnDisk = {str(told.store_on_disk).lower()}\n"
    text = apply(document._replace(text=start), told.edits)
    return Adoption(
        document,
        text,
        nix,
        path.is_symlink() or path.exists(),
        _notes(host, microvm, built, path, ask_nix=evaluated is not None),
    )


def _built(microvm: MicroVM) -> Definition:
    built = microvm.built.definition if microvm.built is not None else None
    if built is None:
        raise MvtuiError(
            f"{microvm.name} has no runner that can be read: there is nothing to adopt",
            "build it first; mvtui show says what can't be read",
            ExitCode.REFUSED,
        )
    if microvm.built is not None and microvm.built.problems:
        raise MvtuiError(
            f"what is built of {microvm.name} can't be read whole: {microvm.built.problems[0]}",
            "build it anew, or write the file by hand",
            ExitCode.INVALID,
        )
    return built


def can_ask_nix(host: Host, microvm: MicroVM) -> bool:
    """Whether there is a Nix here, and a flake to ask it of. Blocking. Never raises."""
    try:
        return shutil.which(nix_command(host, microvm)[0]) is not None
    except MvtuiError:
        return False


async def ask_nix(host: Host, microvm: MicroVM) -> Definition:
    """What Nix says of it, after minutes; cancelled, Nix ends. Raises MvtuiError, as `adopt` where nothing is built."""
    _built(microvm)
    return await evaluate(nix_command(host, microvm))


def nix_line(file_name: str) -> str:
    """The line of Nix that reads the definition file of that name beside it."""
    plain = all(char.isascii() and (char.isalnum() or char in "._+-") for char in file_name)
    place = f"./{file_name}" if plain else f"(./. + {quoted('/' + file_name).replace('${', chr(92) + '${')})"
    return f"microvm = lib.importTOML {place};"


def nix_command(host: Host, microvm: MicroVM) -> tuple[str, ...]:
    """The command with which `adopt` asks Nix. Raises MvtuiError where nobody knows the flake."""
    entry = microvm.entry
    if entry is not None and entry.flake:
        return eval_command(entry.flake, microvm.name)
    if not host.on_disk(HOST_FLAKE / "flake.nix").exists():
        raise MvtuiError(
            f"the flake of {microvm.name} is not known", f"there is none in {HOST_FLAKE}", ExitCode.REFUSED
        )
    return eval_command(str(HOST_FLAKE), microvm.name, host_name=host.name)


def _notes(host: Host, microvm: MicroVM, built: Definition, path: Path, *, ask_nix: bool) -> tuple[str, ...]:
    notes = [
        f"Put the line of Nix into a module in {path.parent} (elsewhere: with the path from there), and take "
        "microvm.shares, microvm.volumes and microvm.writableStoreOverlay out of it: Nix joins lists, and would have "
        "everything twice."
    ]
    if not ask_nix and any(share.proto is ShareProto.VIRTIOFS and share.extra_args is None for share in built.shares):
        notes.append("What is built does not tell a share's extraArgs: where there are some, write them into the file.")
    if any(volume.mount_point is None for volume in built.volumes):
        notes.append("A volume that is not mounted has no mountPoint: that takes nixpkgs 26.05 or newer.")
    flake = local_flake(host, microvm)
    if flake is not None and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(flake)):
        notes.append(f"The flake {flake} reads nothing outside of itself: the file must stand in it.")
    return tuple(notes)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
