"""Completion as people see it: in each shell itself, with the words that mvtui gets once the line is run."""

from pathlib import Path

import pytest

from mvtui.cli.arguments import SHELLS, VERBS, build_parser, options
from mvtui.model.settings import MANAGERS
from tests.cli.shells import complete

PLAIN = ("web", "wiki", "mail")
HOSTILE = (
    "a b",
    "it's",
    'say "hi"',
    "$(touch mark)",
    "`touch mark`",
    "; touch mark",
    "& touch mark",
    "(touch mark)",
    "> mark",
    "$HOME",
    "${HOME}",
    "~",
    "~root",
    "[x]",
    "*",
    "?",
    "{a,b}",
    "!!",
    "#c",
    "=ls",
    "back\\slash",
    "new\nline",
    "new\n$(touch mark)",
    "%s",
    "%self",
    "^a",
    "a:b",
    "trailing ",
    "ünï",
)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def states(tmp_path: Path) -> Path:
    """A state directory with what is no microVM beside microVMs."""
    states = tmp_path / "states"
    for name in (*PLAIN, ".hidden", "lost+found"):
        (states / name).mkdir(parents=True)
    (states / "will-be-a-link").symlink_to(states / "web")
    (states / "waste").touch()
    return states


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("mvtui ", sorted(VERBS)),
        ("mvtui sto", ["stop"]),
        ("mvtui --state-dir / --read-only sto", ["stop"]),
        ("mvtui --", options(build_parser(), None)),
        ("mvtui --int", ["--interval"]),
        ("mvtui list --int", ["--interval"]),
        ("mvtui list --", options(build_parser(), "list")),
        ("mvtui demo --", ["--down", "--help", "--up"]),
        ("mvtui completion ", sorted(SHELLS)),
        ("mvtui completion --", ["--help"]),
        ("mvtui --manager ", sorted(MANAGERS)),
        ("mvtui --theme con", ["contrast"]),
        ("mvtui --mouse o", ["off", "on"]),
        ("mvtui list --manager d", ["direct"]),
        ("mvtui validate --", options(build_parser(), "validate")),
        ("mvtui validate --hypervisor c", ["cloud-hypervisor", "crosvm"]),
        ("mvtui start w", ["web", "wiki"]),
        ("mvtui stop web ma", ["mail"]),
        ("mvtui --manager direct --interval 1 show wi", ["wiki"]),
        ("mvtui --interval=1 show wi", ["wiki"]),
        ("mvtui reset --", options(build_parser(), "reset")),
        ("mvtui start --f", ["--fresh"]),
        ("mvtui arm web --o", ["--off", "--once"]),
        ("mvtui arm wi", ["wiki"]),
        ("mvtui restore ma", ["mail"]),
        ("mvtui make-writable --s", ["--size", "--state-dir"]),
        ("mvtui make-writable --size 64 wi", ["wiki"]),
        ("mvtui share-store --y", ["--yes"]),
        ("mvtui share-store ma", ["mail"]),
        ("mvtui adopt --p", ["--print"]),
        ("mvtui adopt --definitions / wi", ["wiki"]),
        ("mvtui reset --dry-run web ma", ["mail"]),
        ("mvtui list --json web ma", ["mail"]),
        ("mvtui reset --image rw.img w", ["web", "wiki"]),
    ],
)
def test_words(shell: str, states: Path, home: Path, line: str, offered: list[str]) -> None:
    assert sorted(complete(shell, states, line, home)) == offered


@pytest.mark.parametrize(
    "line",
    [
        "mvtui show --int",
        "mvtui make-writable --size ",
        "mvtui --interval ",
        "mvtui nonsense ",
        "mvtui x",
        "mvtui reset --image ",
        "mvtui show web ",
        "mvtui grow --dry-run web ",
        "mvtui --state-dir / ssh -l root web w",
    ],
)
def test_nothing_is_offered(shell: str, states: Path, home: Path, line: str) -> None:
    typed = [line.rpartition(" ")[2]]
    assert complete(shell, states, line, home) in ([], typed, [""])


def test_every_microvm(shell: str, states: Path, home: Path) -> None:
    assert sorted(complete(shell, states, "mvtui restart ", home)) == sorted(PLAIN)


def test_names_come_from_the_state_directory_that_is_configured(shell: str, states: Path, home: Path) -> None:
    other = home / "an other"
    (other / "in it").mkdir(parents=True)
    own = home.with_name(f"{shell}-settings") / "mvtui/config.toml"
    own.parent.mkdir(parents=True)
    for line in (f'state_dir = "{other}"  # here', f"  state_dir='{other}'"):
        own.write_text(f'# state_dir = "/no"\ntheme = "dark"\n{line}\n')
        assert complete(shell, states, "mvtui show ", home)[-1:] == ["in it"]
        assert sorted(complete(shell, states, f"mvtui --state-dir {states} stop ", home)[-3:]) == sorted(PLAIN)


@pytest.mark.parametrize("option", ["--state-dir ", "--state-dir="])
def test_names_come_from_the_state_directory_that_is_named(shell: str, states: Path, home: Path, option: str) -> None:
    for name in ("other", "an other"):
        (home / name / f"in {name}").mkdir(parents=True)
    for typed, name in ((f"{home}/other", "other"), ("other", "other"), ("~/other", "other")):
        assert complete(shell, states, f"mvtui {option}{typed} show ", home)[-1:] == [f"in {name}"]
    assert complete(shell, states, f"mvtui show {option}{home}/an\\ other ", home)[-1:] == ["in an other"]
    assert complete(shell, states, f"mvtui show {option}'an other' ", home)[-1:] == ["in an other"]


@pytest.mark.parametrize("words", ["--state-dir ", "list --state-dir ", "demo --up ", "demo --down "])
def test_directories(shell: str, states: Path, home: Path, words: str) -> None:
    for name in ("dirty", "dir with blank", "$(touch mark)"):
        (home / name).mkdir()
    (home / "diary").touch()
    offered = complete(shell, states, f"mvtui {words}di", home)
    assert sorted(each.rstrip("/") for each in offered) == ["dir with blank", "dirty"]
    assert [each.rstrip("/") for each in complete(shell, states, f"mvtui {words}\\$", home)] == ["$(touch mark)"]
    assert not (home / "mark").exists()


def test_files(shell: str, states: Path, home: Path) -> None:
    for name in ("web.toml", "we b.toml", "$(touch mark).toml"):
        (home / name).touch()
    assert sorted(complete(shell, states, "mvtui validate --json we", home)) == ["we b.toml", "web.toml"]
    assert complete(shell, states, "mvtui validate x.toml \\$", home) == ["$(touch mark).toml"]
    assert not (home / "mark").exists()


def test_nothing_of_a_name_is_expanded(shell: str, states: Path, home: Path) -> None:
    for name in HOSTILE:
        (states / name).mkdir()
    before = sorted(home.parent.rglob("*"))
    # fish would expand a tilde that it inserts
    offered = [name for name in HOSTILE if not (shell == "fish" and name.startswith("~"))]
    assert sorted(complete(shell, states, "mvtui kill ", home)) == sorted((*PLAIN, *offered))
    assert list(home.parent.rglob("mark")) == []
    assert set(before) <= set(home.parent.rglob("*"))


def test_nothing_of_the_line_is_executed(shell: str, states: Path, home: Path) -> None:
    assert complete(shell, states, "mvtui --state-dir '$(touch mark)' show we", home)[-1:] in (["we"], [])
    assert complete(shell, states, "mvtui --state-dir \\`touch\\ mark\\` show we", home)[-1:] in (["we"], [])
    assert list(home.iterdir()) == []


def test_a_name_that_looks_like_an_option(shell: str, states: Path, home: Path) -> None:
    (states / "--help").mkdir()
    assert "--help" not in complete(shell, states, "mvtui kill ", home)
    assert complete(shell, states, "mvtui kill -- --", home) == ["--help"]
    assert sorted(complete(shell, states, "mvtui kill -- ", home)) == sorted((*PLAIN, "--help"))


def test_a_state_directory_that_is_not_there(shell: str, tmp_path: Path, home: Path) -> None:
    assert complete(shell, tmp_path / "nowhere", "mvtui show ", home) in ([], [""])
