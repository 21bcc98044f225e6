"""The child that does the file work of a reset. It gives up root for good, then does what its parent asks, one line
after the other, and ends with its parent."""

from __future__ import annotations

import os
import stat
import sys

from mvtui.host.overlay.effects import Effects, ignore_signals, no_new_privs
from mvtui.host.overlay.freeing import free
from mvtui.host.overlay.image import ImageWork
from mvtui.host.overlay.mkfs import Recipe
from mvtui.host.overlay.names import FREEING
from mvtui.host.overlay.places import look, walk
from mvtui.host.overlay.share import ShareWork
from mvtui.host.overlay.stop import FAILED, Stop
from mvtui.host.overlay.wire import Message, pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from mvtui.host.overlay.growing import GrowWork
    from mvtui.host.overlay.image_facts import Pair

IN, OUT = 0, 1
_READ_BYTES = 1 << 16
# What begins so is asked of one who grows an image.
GROW = "grow "


def main(effects: Effects | None = None) -> None:
    """Do what is asked on standard input until it ends."""
    sys.excepthook = tell
    ignore_signals()
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # what root's shell had open is not for mkfs of somebody else
    os.umask(0o022)
    lines = Lines()
    setup = lines.next()
    if setup is None:
        return
    if "uid" in setup:
        become(int(setup["uid"][0]), int(setup["gid"][0]))
    child: Child | None = None
    while (asked := lines.next()) is not None:
        try:
            if child is None:
                child = Child(effects or Effects(), setup)
            reply([("result", "done"), *child.do(asked)])
        except Stop as stop:
            reply([("result", stop.code), ("message", stop.message), ("hint", stop.hint)])
        if child is not None and child.is_let_go:
            child.free_alone()
            os._exit(0)
    if child is not None:
        child.leave()
    os._exit(0)  # there is nothing to tear down, and somebody waits for it


def become(uid: int, gid: int) -> None:
    """Be that user for good. Raises OSError."""
    os.setgroups([gid])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    no_new_privs()
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid) or os.getgroups() != [gid]:
        raise OSError(f"the rights of {uid}:{gid} were not taken")


class Child:
    """One overlay, as `setup` tells; raises Stop where its directory can't be reached."""

    def __init__(self, effects: Effects, setup: Message) -> None:
        self._effects = effects
        self._setup = setup
        self.is_let_go = False
        self._who = setup["who"][0]
        directory = setup["directory"][0]
        # On a share a guest's root makes directories that are root's, and links in them.
        self._at = at = walk(directory, links=bool(setup["name"][0]) or "uid" not in setup)
        self._growth: GrowWork | None = None
        _enter(setup["cwd"][0])
        tools = setup.get("tool", [])
        shown, name = setup["shown"][0], setup["name"][0]
        self._work: ImageWork | ShareWork
        if name:
            self._work = ImageWork(effects, at, directory, shown, name, os.geteuid(), tools)
        else:
            owner, before = os.fstat(at).st_uid, int(setup["owner"][0])
            if owner != before:
                raise Stop(f"{shown} belongs to user {owner}, and belonged to {before} just now")
            self._work = ShareWork(effects, at, directory, shown, os.geteuid())
        self._verbs: dict[str, Callable[[Message], Iterable[Pair]]] = {
            "look": lambda _: self._work.look(),
            "make": self._make,
            "commit": lambda _: self._kept(self._work.commit()),
            "undo": self._undo,
            "restore": self._restore,
            "free": self._free,
        }

    def do(self, asked: Message) -> list[Pair]:
        """What is asked; what there is to tell. Raises Stop."""
        try:
            verb = asked["do"][0]
            if verb.startswith(GROW):
                return list(self._growing().do(verb.removeprefix(GROW), self._who, asked))
            return list(self._verbs[verb](asked))
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise Stop(f"{self._setup['shown'][0]}: {where}{error.strerror}", code=FAILED) from None

    def free_alone(self) -> None:
        """Free what is rubbish, while nobody waits for it."""
        at = self._work.holding.taken()
        _alone(at)
        free(self._effects, at)

    def _growing(self) -> GrowWork:
        from mvtui.host.overlay.growing import GrowWork  # noqa: PLC0415 (a reset goes without it)

        if self._growth is None:
            setup, work = self._setup, self._work
            shown, name, tools = setup["shown"][0], setup["name"][0], setup.get("tool", [])
            self._growth = GrowWork(self._effects, self._at, shown, name, os.geteuid(), work.holding, tools)
        return self._growth

    def leave(self) -> None:
        """Nothing half made stays."""
        try:
            self._work.drop()
        except (Stop, OSError):
            pass

    def _make(self, asked: Message) -> list[Pair]:
        expected = (int(asked["device"][0]), int(asked["inode"][0])) if "inode" in asked else None
        if isinstance(self._work, ShareWork):
            self._work.make(self._who, expected)
        else:
            self._work.make(self._who, expected, _recipe(asked), IN)
        return []

    def _undo(self, _: Message) -> list[Pair]:
        self._work.undo_commit()
        return []

    def _restore(self, asked: Message) -> list[Pair]:
        return self._kept(self._work.restore(self._who, asked["name"][0] if "name" in asked else None))

    def _kept(self, name: str | None) -> list[Pair]:
        if name is None:
            return []
        status = look(name, self._work.holding.taken())
        pairs: list[Pair] = [("kept", name)]
        if status is not None and stat.S_ISREG(status.st_mode):
            pairs += [("size", status.st_size), ("allocated", status.st_blocks * 512)]
        return pairs

    def _free(self, asked: Message) -> list[Pair]:
        """Throw away all kept ones but the newest, which is not `unused`, or all, then free them: before the answer
        (`here`), not now (`later`), or once nobody waits for it. Nothing else is asked then: others can work."""
        holding = self._work.holding
        if holding.find() is None:
            return [("count", 0), ("rubbish", 0)]
        at = holding.take(self._who)
        names = holding.kept()
        if "all" not in asked and names:
            names.remove(next((name for name in names if name not in asked.get("unused", [])), names[0]))
        for name in reversed(names):  # killed in between, it is the newer ones that are still kept
            holding.throw_away(name)
        rubbish = sum(name.startswith(FREEING) for name in holding.names())
        holding.release()
        if "here" in asked:
            _step_back()
            free(self._effects, at)
        elif "later" not in asked:
            self.is_let_go = rubbish > 0
        return [("count", len(names)), ("rubbish", rubbish)]


def _recipe(asked: Message) -> Recipe:
    return Recipe(
        int(asked["size"][0]),
        asked["fs_type"][0],
        asked["label"][0] if "label" in asked else None,
        asked.get("arg", []),
        int(asked["gid"][0]),
        int(asked["mode"][0]),
        float(asked["seconds"][0]),
    )


def _enter(path: str) -> None:
    """Where the runner's mkfs works, so that paths in its arguments mean the same."""
    try:
        at = walk(path)
    except Stop:
        return
    try:
        os.fchdir(at)
    except OSError:
        pass
    finally:
        os.close(at)


def _alone(at: int) -> None:
    """Let go of everything but `at`, and step back."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    os.closerange(3, at)
    os.closerange(at + 1, os.sysconf("SC_OPEN_MAX"))
    _step_back()


def _step_back() -> None:
    """Let others go first, and be in nobody's way: who works in a microVM's directory counts as its process."""
    os.chdir("/")
    os.nice(10)


class Lines:
    """What comes on standard input, line by line."""

    def __init__(self) -> None:
        self._buffer = b""

    def next(self) -> Message | None:
        """The next line; None at the end."""
        while b"\n" not in self._buffer:
            more = os.read(IN, _READ_BYTES)
            if not more:
                return None
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\n")
        return unpack(line)


def reply(pairs: Iterable[Pair]) -> None:
    """Answer the parent."""
    line = pack(pairs)
    while line:
        line = line[os.write(OUT, line) :]


def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A bug: its place goes to the parent, who says it."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})" if trace is not None else ""
    reply([("result", FAILED), ("message", f"{kind.__name__}: {error}{place}")])
