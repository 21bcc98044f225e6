"""The microVMs' names on the terminal before anything that takes long is imported.

They stand where the panel's list will paint them; the panel takes the alternate screen over as it is.
"""

import os

# The list stands below the header and the columns' titles; its names behind the glyph.
FIRST_ROW = 3
FIRST_COLUMN = 3

# Where there is no alternate screen (the Linux console, screen as it comes), what stood there would stay among the
# names, and the panel's last picture, which is soon no longer true, among what the shell writes.
CLEAR = "\x1b[H\x1b[J"
_ENTER = f"\x1b[?1049h{CLEAR}\x1b[?25l\x1b[?7l"
_LEAVE = f"\x1b[?7h\x1b[?25h{CLEAR}\x1b[?1049l"

names: list[str] = []
_painted = False


def paint(state_dir: str) -> None:
    """Enter the alternate screen and write the names of the directories in `state_dir`, as many as there is room for.

    Does nothing where the terminal or the directory can't be read: the panel says why. Whoever ends without a panel
    calls `leave`; until the panel takes over, so does the end of the program, also by SIGTERM, SIGHUP, SIGINT and
    SIGQUIT, and a stop by ^Z.
    """
    global _painted  # noqa: PLW0603
    try:
        height = os.get_terminal_size(1).lines
        with os.scandir(state_dir) as entries:
            found = sorted(entry.name for entry in entries if _is_microvm(entry))
    except (OSError, ValueError):
        return
    names[:] = found
    room = max(0, height - FIRST_ROW + 1)
    lines = [f"\x1b[{FIRST_ROW + row};{FIRST_COLUMN}H{_safe(name)}" for row, name in enumerate(found[:room])]
    _leave_at_the_end()
    _painted = True
    _write(_ENTER + "".join(lines))


def leave() -> None:
    """Leave the alternate screen, unless the panel has taken it over or nothing was painted."""
    if take_over():
        _write(_LEAVE)


def take_over() -> bool:
    """True once, if the names stand in the alternate screen; from then on it is the caller's to leave."""
    global _painted
    was, _painted = _painted, False
    return was


def _is_microvm(entry: "os.DirEntry[str]") -> bool:
    hidden = entry.name.startswith(".") or entry.name == "lost+found"
    return not hidden and entry.is_dir(follow_symlinks=False)


def _safe(name: str) -> str:
    """The name on one line, without what a terminal would obey; `model.text.clean` takes longer to import."""
    return name if name.isprintable() else name.encode("unicode_escape").decode("ascii")


def _write(text: str) -> None:
    try:
        os.write(1, text.encode(errors="replace"))
    except OSError:
        return


def _leave_at_the_end() -> None:
    import atexit  # noqa: PLC0415
    import signal  # noqa: PLC0415

    atexit.register(leave)

    def end(number: int, _frame: object) -> None:
        leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    # One that is stopped comes back in the middle of its imports: the panel then enters the screen by itself.
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, end)
