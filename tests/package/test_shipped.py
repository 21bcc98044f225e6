"""What is installed beside the program: it is what the parser gives, and works where it is installed to."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from mvtui.cli.arguments import SHELLS, VERBS, build_parser, options
from tests.cli.shells import complete
from tests.host.living import found, missing
from tests.package.renew import SHARE, made

CHECKOUT = SHARE.parents[1]


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The share/ of a wheel that was built from this checkout."""
    place = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(argv, cwd=CHECKOUT, check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        data = [name for name in archive.namelist() if ".data/data/" in name]
        archive.extractall(place, data)
        assert not any(name.startswith(("mvtui/share/", "mvtui/nix/")) for name in archive.namelist())
    (found,) = place.glob("*.data/data/share")
    return found


def _texts(folder: Path) -> Mapping[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_is_shipped_is_what_the_parser_gives(share: Path) -> None:
    assert _texts(SHARE) == made(), "renew it: .venv/bin/python -m tests.package.renew"
    assert _texts(share) == made()


def test_the_manual_has_no_mistakes() -> None:
    page = str(SHARE / "man/man1/mvtui.1")
    linted = subprocess.run([found("mandoc"), "-Tlint", "-Wwarning", page], capture_output=True, text=True, check=False)
    assert (linted.stdout, linted.returncode) == ("", 0)
    # groff's own words are in its standard error, whose exit code is 0.
    argv = [found("man"), "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stderr == ""


def test_the_manual_names_every_verb_and_every_option(share: Path) -> None:
    argv = [found("mandoc"), "-Tascii", str(share / "man/man1/mvtui.1")]
    text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    text = re.sub(".\b", "", text)
    words = set(re.split(r"[\s,\[\]]+", text))
    parser = build_parser()
    for verb in VERBS:
        own = text.split(f"   mvtui {verb}\n")[1].split("\n   mvtui ")[0]
        common = set(options(parser, None))
        assert [
            option for option in options(parser, verb) if option not in common | set(re.split(r"[\s,\[\]]+", own))
        ] == []
    assert set(options(parser, None)) <= words


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_finds_the_script_where_it_is_installed(shell: str, share: Path, tmp_path: Path) -> None:
    if shell == "bash" and not Path("/usr/share/bash-completion/bash_completion").exists():
        missing("bash-completion is missing: apt-get install bash-completion")
    states, home, own = tmp_path / "states", tmp_path / "home", tmp_path / "share"
    for name in ("web", "wiki", "mail"):
        (states / name).mkdir(parents=True)
    home.mkdir()
    for name, text in _texts(share).items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(text.replace("/var/lib/microvms", str(states)))
    assert sorted(complete(shell, states, "mvtui restart w", home, own)) == ["web", "wiki"]
    assert complete(shell, states, "mvtui sto", home, own) == ["stop"]
    assert sorted(complete(shell, states, "mvtui arm web --o", home, own)) == ["--off", "--once"]
