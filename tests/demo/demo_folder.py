"""A folder that every user can reach, and a demo in it that ends however the tests do."""

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mvtui.demo.building import Layout
from mvtui.demo.ending import running
from mvtui.demo.guard import Guard


@contextlib.contextmanager
def open_folder(parent: str | None = None) -> Iterator[Path]:
    """`folder` is empty; what lies at `folder`/demo afterwards is ended as a demo, also when the tests are killed."""
    # No end of a name that is cut on a screen is that of another: each begins and ends with a digit.
    folder = Path(os.path.realpath(parent or tempfile.gettempdir()), f"mvtui-test-0{secrets.token_hex(3)}0")
    folder.mkdir()
    folder.chmod(0o755)
    guard = Guard(folder / "demo")
    try:
        yield folder
    finally:
        assert guard.end()
        shutil.rmtree(folder)


def until(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def nothing_runs(root: Path) -> bool:
    """Whether no process of the demo in `root` is left."""
    return not running(Layout(root))


def need(program: str) -> None:
    """Skip where `program` is not installed; CI has it."""
    if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed")
