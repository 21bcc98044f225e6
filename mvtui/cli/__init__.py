"""The command line: the panel, and every verb of it without the panel. Verbs never import Textual."""

import gc
import os
import sys


def main() -> int:
    """The console script: runs sys.argv, returns the exit code. Names come onto the screen before anything heavy."""
    # Nothing that is imported and seen at one look is garbage: to search it for some, also at the very end, is a sixth
    # of the work of `mvtui list`. What goes on for longer turns the collector on.
    gc.disable()
    for name in ("stdout", "stderr"):  # closed by whoever started us
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    argv = sys.argv[1:]
    from mvtui.cli import early

    early.paint_names(argv)
    try:
        from mvtui.cli.run import run

        return run(argv)
    finally:
        early.leave_names()
        gc.freeze()
