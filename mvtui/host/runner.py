"""A runner package of microvm.nix read into the definition as built."""

import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import TypeVar

from mvtui.host.command_line import completed_shares, read_command_line, read_virtiofsd
from mvtui.host.fstab import read_fstab, with_mounts
from mvtui.host.rooted_files import RootedFiles
from mvtui.host.shell_script import ExecLine, read_created_volumes, read_exec, read_tool_path, read_words
from mvtui.model.definition import Definition, Runner, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor

T = TypeVar("T")
Signature = tuple[int, ...]

_STORE = "/nix/store/"

# A script has a few KiB; those of one share, and what is a path or a word, are smaller. QEMU ends at some 30 devices.
_MAX_BYTES = 1 << 20
_SMALL = 1 << 16
_MAX_SHARES = 256
# supervisord's configuration: the sections' first lines, and the programs' commands.
_SECTION_OR_COMMAND = re.compile(
    r"^(?:\[program:virtiofsd-([^\n]*)\]|(\[)[^\n]*|command[ \t]*=[ \t]*([^\n]+))$", re.MULTILINE
)
# The last of the kernel's parameters in microvm.nix: the guest's toplevel, also where the package does not link it.
_INIT = re.compile(r"\binit=(/[^\s'\"]+)/init\b")


def read_runner(path: str, *, root: Path = Path("/")) -> Runner:
    """The runner package at the host's absolute `path` (what `current` links to), below `root`.

    Never raises for what stands there: what can't be read is a sentence in `problems`, and None in the definition.
    """
    return _Reader(path, RootedFiles(root)).read()


def read_tool_directories(path: str, *, root: Path = Path("/")) -> tuple[str, ...]:
    """The host's absolute directories in which the runner at `path` finds the mkfs of its volumes; () where it names
    none, and where it can't be read."""
    try:
        return read_tool_path(RootedFiles(root).read(f"{path}/bin/microvm-run", _MAX_BYTES))
    except (OSError, ValueError):
        return ()


class RunnerCache:
    """Runners by path, each read once: what stands in the store never changes. One that stands elsewhere is read again
    when its bin/microvm-run is another file or was written, and one that could not be read at all, always.

    Only the last `size` ones are kept.
    """

    def __init__(self, root: Path = Path("/"), size: int = 16384) -> None:
        self._root = root
        self._size = size
        self._runners: OrderedDict[str, tuple[Runner, Signature | None]] = OrderedDict()

    def get(self, path: str) -> Runner:
        """The runner at `path`, as `read_runner`."""
        signature = _sign(path, self._root)
        known = self._runners.get(path)
        if known is not None and known[1] == signature:
            self._runners.move_to_end(path)
            return known[0]
        runner = read_runner(path, root=self._root)
        if runner.definition is not None:
            self._runners[path] = runner, signature
            if len(self._runners) > self._size:
                self._runners.popitem(last=False)
        return runner


def _sign(path: str, root: Path) -> Signature | None:
    """Another one when the runner's bin/microvm-run is, or where there is none its directory; None in the store, and
    where nothing is."""
    if path.startswith(_STORE) and ".." not in path:
        return None
    files = RootedFiles(root)
    for place in (f"{path}/bin/microvm-run", path):
        try:
            status = files.stat(place)
        except (OSError, ValueError):
            continue
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    return None


class _Reader:
    """One package while it is read."""

    def __init__(self, path: str, files: RootedFiles) -> None:
        self._path = path
        self._files = files
        self._problems: list[str] = []
        self._kernel_params = ""

    def read(self) -> Runner:
        if not self._path.startswith("/"):
            return Runner(self._path, None, problems=(f"{self._path or 'the path'} is not absolute",))
        run = self._text("bin/microvm-run")
        if run is None:
            try:
                self._files.names(self._path, 1)
            except (OSError, ValueError) as error:
                return Runner(self._path, None, problems=(_sentence(self._path, error),))
        self._kernel_params = run or ""
        virtiofsd_run = self._text("bin/virtiofsd-run", _SMALL, optional=True)
        definition = self._definition(run, virtiofsd_run)
        system = self._system()
        if definition is not None:
            definition = self._with_mounts(definition, system)
        return Runner(
            path=self._path,
            definition=definition,
            system=system,
            can_shutdown=self._has("bin/microvm-shutdown"),
            has_virtiofsd_run=virtiofsd_run is not None or self._has("bin/virtiofsd-run"),
            problems=tuple(self._problems),
        )

    def _definition(self, run: str | None, virtiofsd_run: str | None) -> Definition | None:
        named = self._hypervisor()
        listed = self._virtiofs_shares(virtiofsd_run)
        if run is None and named is None and not listed:
            return None
        line = read_exec(run) if run is not None else ExecLine()
        if line.problem is not None:
            self._problems.append(f"{self._path}/bin/microvm-run {line.problem}")
        definition = read_command_line(
            line.argv, read_file=self._firecracker_config, exe=line.program, hypervisor=named
        )
        if line.argv and definition.hypervisor is None:
            self._problems.append(f"{self._path}/bin/microvm-run starts no hypervisor that is known: {line.program}")
        if definition.hypervisor is Hypervisor.FIRECRACKER and definition.mem is None and line.argv:
            self._problems.append(f"{self._path}: firecracker's configuration tells nothing")
        shares = completed_shares(definition.shares, listed)
        known = {share.tag for share in shares}
        shares = (*shares, *(share for share in listed if share.tag not in known))
        cid = self._text("share/microvm/vsock-cid", _SMALL, optional=True)
        return definition._replace(
            hypervisor=named or definition.hypervisor,
            shares=shares,
            volumes=_with_created(definition.volumes, run),
            vsock_cid=int(cid) if cid is not None and re.fullmatch(r"[0-9]{1,10}\n?", cid) else definition.vsock_cid,
        )

    def _hypervisor(self) -> Hypervisor | None:
        word = self._text("share/microvm/hypervisor", _SMALL, optional=True)
        if word is None:
            return None
        try:
            return Hypervisor(word.strip())
        except ValueError:
            self._problems.append(f"{self._path}/share/microvm/hypervisor names none that is known")
            return None

    def _virtiofs_shares(self, virtiofsd_run: str | None) -> list[Share]:
        """The shares that the package lists, as the scripts that serve them say; where these can't be read, as the list
        itself says."""
        directory = "share/microvm/virtiofs"
        tags = self._attempt(directory, self._files.names, _MAX_SHARES, optional=True) or []
        served = dict(self._virtiofsd_shares(virtiofsd_run)) if virtiofsd_run is not None else {}
        shares = []
        for tag in sorted({*tags, *served}):
            share = served.get(tag)
            if share is None or share.source is None or share.socket is None:
                source, socket = (self._text(f"{directory}/{tag}/{name}", _SMALL) for name in ("source", "socket"))
                share = Share(tag=tag, proto=ShareProto.VIRTIOFS, source=_line(source), socket=_line(socket))
            shares.append(share)
        return shares

    def _virtiofsd_shares(self, run: str) -> Iterator[tuple[str, Share]]:
        """What the scripts say that supervisord starts, by tag: one virtiofsd for each share."""
        words = read_exec(run).argv
        config = next((value for option, value in pairwise(words) if option == "--configuration"), None)
        text = self._text(config) if config is not None else None
        for tag, command in islice(_virtiofsd_programs(text or ""), _MAX_SHARES):
            program = read_words(command)
            script = self._text(program[0], _SMALL) if program else None
            share = read_virtiofsd(read_exec(script).argv, tag) if script is not None else None
            if share is not None:
                yield tag, share

    def _system(self) -> str | None:
        """What share/microvm/system links to, as written there."""

        def target(path: str) -> str:
            directory, _, name = path.rpartition("/")
            return os.readlink(f"{self._files.resolve(directory)}/{name}")

        return self._attempt("share/microvm/system", target, optional=True)

    def _with_mounts(self, definition: Definition, system: str | None) -> Definition:
        if system is not None:
            fstab = self._text("share/microvm/system/etc/fstab")
        else:
            # With the store on disk the guest's system is on the host only where it was built there.
            found = _INIT.findall(self._kernel_params)
            fstab = self._text(f"{found[-1]}/etc/fstab", optional=True) if found else None
        if fstab is None:
            return definition
        mounts, problems = read_fstab(fstab)
        self._problems.extend(f"{self._path}: the guest's /etc/fstab: {problem}" for problem in problems)
        return with_mounts(definition, mounts)

    def _firecracker_config(self, path: str) -> str | None:
        text = self._text(path)
        self._kernel_params = text or ""
        return text

    def _has(self, name: str) -> bool:
        return bool(self._attempt(name, self._files.exists, optional=True))

    def _text(self, name: str, limit: int = _MAX_BYTES, *, optional: bool = False) -> str | None:
        return self._attempt(name, self._files.read, limit, optional=optional)

    def _attempt(self, name: str, look: Callable[..., T], *limit: int, optional: bool) -> T | None:
        """What `look` finds at `name`, relative to the package; else None and a problem, but for what is optional and
        not there."""
        path = name if name.startswith("/") else f"{self._path}/{name}"
        try:
            return look(path, *limit)
        except (OSError, ValueError) as error:
            if not (optional and isinstance(error, FileNotFoundError)):
                self._problems.append(_sentence(path, error))
            return None


def _virtiofsd_programs(config: str) -> Iterator[tuple[str, str]]:
    """The tag and the command of every program `virtiofsd-TAG` in supervisord's configuration."""
    section = None
    for match in _SECTION_OR_COMMAND.finditer(config):
        tag, other, command = match.groups()
        if command is None:
            section = None if other else tag
        elif section is not None:
            yield section, command


def _line(text: str | None) -> str | None:
    """A file's content without the newline at its end."""
    return text.removesuffix("\n") if text is not None else None


def _with_created(volumes: tuple[Volume, ...], run: str | None) -> tuple[Volume, ...]:
    """The command line's volumes with what the script says of those that it makes; where there is no command line,
    the ones that it makes alone."""
    created = {volume.image: volume for volume in read_created_volumes(run)} if run is not None else {}
    if not volumes:
        return tuple(created.values())
    joined = []
    for volume in volumes:
        made = created.get(volume.image)
        if made is None:
            joined.append(volume._replace(auto_create=False) if run is not None else volume)
            continue
        joined.append(
            volume._replace(
                size=made.size,
                fs_type=made.fs_type,
                label=made.label,
                auto_create=True,
                mkfs_extra_args=made.mkfs_extra_args,
            )
        )
    return tuple(joined)


def _sentence(path: str, error: OSError | ValueError) -> str:
    return f"{path}: {error.strerror if isinstance(error, OSError) and error.strerror else error}"
