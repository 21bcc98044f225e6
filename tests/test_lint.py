"""The linters, as tests: style, types, and which room may import which."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent


@pytest.mark.timeout(600)
@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "mypy", "lint-imports"])
def test_linter_finds_nothing(command: str) -> None:
    name, *arguments = command.split()
    beside_python = Path(sys.executable).with_name(name)
    result = subprocess.run(
        [str(beside_python), *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert result.returncode == 0, result.stdout + result.stderr
