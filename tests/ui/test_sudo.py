"""The command line behind sudo."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.ui import sudo

SUDO = """#!/bin/sh
[ "$1" = -n ] && { shift; without=1; }
[ "$1" = -- ] || exit 99
shift
%s
"""


@pytest.fixture
def lent() -> list[str]:
    return []


async def with_sudo(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    script: str | None,
    lent: list[str],
    *argv: str,
    log: CallLog | None = None,
) -> tuple[bool, str]:
    if script is not None:
        (folder / "sudo").write_text(SUDO % script)
        (folder / "sudo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin" if script is not None else str(folder))

    @contextmanager
    def suspended() -> Iterator[None]:
        lent.append("lent")
        yield
        lent.append("back")

    return await sudo.run(argv, suspended, log)


async def test_sudo_without_a_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lent: list[str]) -> None:
    done = await with_sudo(monkeypatch, tmp_path, '"$@"', lent, "sh", "-c", "echo first; echo 'web: \x1b[1mstarted'")
    assert done == (True, "web: \\x1b[1mstarted")
    assert lent == []


async def test_sudo_of_a_command_that_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lent: list[str]) -> None:
    argv = ("sh", "-c", "echo nothing; echo 'mvtui: web failed' >&2; exit 1")
    assert await with_sudo(monkeypatch, tmp_path, '"$@"', lent, *argv) == (False, "mvtui: web failed")
    assert await with_sudo(monkeypatch, tmp_path, '"$@"', lent, "false") == (False, "sudo ended with exit 1")
    assert lent == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("web: reset\n  mvtui restore web brings it back\n", "web: reset  mvtui restore web brings it back"),
        ("Making it.\nweb: reset\n\n", "web: reset"),
        ("  only a hint", "only a hint"),
        ("\n \n", ""),
    ],
)
def test_the_last_words_are_a_sentence_and_its_hint(said: str, words: str) -> None:
    assert sudo.last_words(said) == words


async def test_sudo_that_asks_gets_the_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lent: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    script = '[ "$without" ] && { echo "sudo: a password is required" >&2; exit 1; }; echo "Sorry." >&2; "$@"'
    assert await with_sudo(monkeypatch, tmp_path, script, lent, "echo", "done") == (True, "done")
    assert lent == ["lent", "back"]
    assert capfd.readouterr().err == "Sorry.\n"


async def test_no_sudo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lent: list[str]) -> None:
    with pytest.raises(MvtuiError, match="sudo can't be run") as caught:
        await with_sudo(monkeypatch, tmp_path, None, lent, "true")
    assert caught.value.hint == "run mvtui as root"


async def test_both_tries_are_on_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lent: list[str]) -> None:
    log = CallLog()
    script = '[ "$without" ] && { echo "sudo: a password is required" >&2; exit 1; }; "$@"'
    await with_sudo(monkeypatch, tmp_path, script, lent, "echo", "two words", log=log)
    assert [(call.what, call.ok, call.result) for call in log.calls] == [
        ("sudo -n -- echo 'two words'", False, "exit 1"),
        ("sudo -- echo 'two words'", True, "exit 0"),
    ]
