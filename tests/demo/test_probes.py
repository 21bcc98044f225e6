"""Whether what is installed works is tried while images are made."""

import os
import threading
from pathlib import Path

from mvtui.demo.probes import _try


def test_a_program_that_is_still_open_for_writing(tmp_path: Path) -> None:
    """As in a child that another thread has just forked."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho it works\n")
    program.chmod(0o755)
    written = os.open(program, os.O_WRONLY)
    timer = threading.Timer(0.1, os.close, (written,))
    timer.start()
    assert _try(str(program), tmp_path, b"it works", None) == ""
    timer.join()
