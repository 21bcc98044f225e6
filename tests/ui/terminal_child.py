"""A program for tests behind a pty: `PIPE` opens a driven panel, `scenes:NAME,… PIPE` one after the other for these
scenes, `DIRECTORY PIPE` paints the directory's names first and then waits for a line on the pipe: `open` opens the
panel, `open, wait` one that sees nothing before a `tick`, `end` ends with exit code 3, `fail` with an error."""

import fcntl
import os
import sys
import termios

from mvtui import first_names


def main(*, pipe: int, directory: str | None) -> int:
    """The exit code of the panel."""
    if os.getsid(0) == os.getpid():  # no shell has begun it
        # /dev/tty is the pty from here on, and its end is a SIGHUP.
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    wanted, scenes = b"", [""]
    if directory is not None and directory.startswith("scenes:"):
        scenes = directory.removeprefix("scenes:").split(",")
    elif directory is not None:
        first_names.paint(directory)
        while not wanted.endswith(b"\n"):  # what comes behind the line is the panel's
            wanted += os.read(pipe, 1)
        if wanted == b"fail\n":
            raise ValueError("something went wrong")
        if wanted == b"end\n":
            return 3
    from tests.ui.driven_panel import MARK, DrivenPanel

    code = 0
    for scene in scenes:
        code = DrivenPanel(pipe, waits=wanted == b"open, wait\n", scene=scene).run()
        if scene:
            os.write(1, MARK.encode())
    return code


if __name__ == "__main__":
    raise SystemExit(main(pipe=int(sys.argv[-1]), directory=sys.argv[1] if len(sys.argv) > 2 else None))
