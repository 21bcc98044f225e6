"""The text of bin/microvm-run and of the wrapper scripts, and text that is nothing of the kind."""

import shlex
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvtui.demo.runner_tools import quoted
from mvtui.host.shell_script import read_created_volumes, read_exec, read_tool_path, read_words
from mvtui.model.definition import Volume

WORDS = {
    "one two": ["one", "two"],
    "  a \t b  ": ["a", "b"],
    "'two words' 'it'\\''s'": ["two words", "it's"],
    "''": [""],
    "'' a": ["", "a"],
    "a'b'\"c\"d": ["abcd"],
    "'many\nlines' x": ["many\nlines", "x"],
    '"\\$ \\" \\\\ \\n"': ['$ " \\ \\n'],
    "a\\ b": ["a b"],
    "one \\\n  two \\\n   \\\n three": ["one", "two", "three"],
    "one\ntwo": ["one"],
    "one;two": ["one"],
    "one # two": ["one", "#", "two"],
    "a ${runtime_args:-} b": ["a", "b"],
    'a $OPT_RLIMIT "$@" b': ["a", "b"],
    "--pool `nproc` b": ["--pool", "`nproc`", "b"],
    "x=/dev/tap$(< /sys/class/net/mv/ifindex),mac=2": ["x=/dev/tap$(< /sys/class/net/mv/ifindex),mac=2"],
    "größe 'naïve ☃'": ["größe", "naïve ☃"],
    "": [],
}


@pytest.mark.parametrize("text", WORDS, ids=repr)
def test_words_are_what_bash_makes_of_them(text: str) -> None:
    assert read_words(text) == WORDS[text]


@pytest.mark.parametrize("text", ["'", "a 'b", 'a "b', "a `b", "a ${b", "a $(b", "a \\"])
def test_unbalanced_words_are_none(text: str) -> None:
    assert read_words(text) is None


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_whatever_is_quoted_comes_back(words: list[str]) -> None:
    assert read_words(" ".join(quoted(word) for word in words)) == words
    assert read_words(" ".join(shlex.quote(word) for word in words) + "\n") == words


SHELL = st.text(st.sampled_from(list("ab'\"\\$`{}()<>;&|# \t\n=-\0é")), max_size=80)


@settings(deadline=None)
@given(SHELL)
def test_no_text_raises(text: str) -> None:
    read_words(text)
    line = read_exec("exec " + text)
    assert (line.problem is None) == bool(line.argv)
    read_created_volumes(f"  truncate -s 5M x\n  mkfs.ext4 {text}")


def test_the_exec_line_is_the_one_after_runtime_args() -> None:
    text = (
        "exec 3<>/dev/tap7\nexec early\n\nruntime_args=$(/bin/more\n)\n\nexec -a \"microvm@h 1\" /bin/q 'x\nexec no' \n"
    )

    line = read_exec(text)

    assert (line.program, line.argv, line.problem) == ("/bin/q", ("microvm@h 1", "x\nexec no"), None)


def test_the_exec_line_without_a_name_or_a_mark() -> None:
    line = read_exec("#!/bin/bash\nexec first\nif true; then\n  exec /bin/q --a=b $@\nfi\n")

    assert (line.program, line.argv) == ("/bin/q", ("/bin/q", "--a=b"))


PROBLEMS = {
    "": "has no exec line",
    "executable\n": "has no exec line",
    "exec 'a\n": "has an exec line with unbalanced quotes",
    "exec -a": "has an exec line without a program",
    "exec -a x\n": "has an exec line without a program",
    "exec \n": "has an exec line without a program",
}


@pytest.mark.parametrize("text", PROBLEMS, ids=repr)
def test_why_there_is_no_command(text: str) -> None:
    line = read_exec(text)

    assert (line.program, line.argv, line.problem) == ("", (), PROBLEMS[text])


def test_created_volumes() -> None:
    text = """\
PATH=$PATH:/nix/store/coreutils/bin
if [ ! -e 'rw.img' ]; then
  touch 'rw.img'
  # Mark NOCOW
  chattr +C 'rw.img' || true
  truncate -s 512M 'rw.img'
  mkfs.ext4 -L 'my store' -O '^has_journal' -E 'it'\\''s' 'rw.img'
fi

if [ ! -e '/data/ö 1.img' ]; then
  touch '/data/ö 1.img'
  # Mark NOCOW
  chattr +C '/data/ö 1.img' || true
  truncate -s 40000M '/data/ö 1.img'
  mkfs.xfs   '/data/ö 1.img'
fi

if [ ! -e 'esp.img' ]; then
  touch 'esp.img'
  truncate -s 64M 'esp.img'
  mkfs.vfat -n 'ESP' -F 32 'esp.img'
fi

if [ ! -e 'own.img' ]; then
  truncate -s 1M 'own.img'
  mkfs.btrfs  -L 'of the arguments' 'own.img'
fi
exec /bin/q
"""
    assert read_created_volumes(text) == (
        created("rw.img", 512, "ext4", "my store", "-O", "^has_journal", "-E", "it's"),
        created("/data/ö 1.img", 40000, "xfs", None),
        created("esp.img", 64, "vfat", "ESP", "-F", "32"),
        created("own.img", 1, "btrfs", None, "-L", "of the arguments"),
    )


NIX_DIRECTORIES = ("/nix/store/1-coreutils/bin", "/nix/store/2-xfs/bin")


@pytest.mark.parametrize(
    ("text", "directories"),
    [
        (
            "PATH=$PATH:/nix/store/1-coreutils/bin:/nix/store/2-xfs/bin\n",
            ("/nix/store/1-coreutils/bin", "/nix/store/2-xfs/bin"),
        ),
        ('set -e\n  export PATH="/a:$PATH:/b"; mkfs x\n', ("/a", "/b")),
        ("PATH=$PATH:/a\nPATH=$PATH:/b:/a\n", ("/a", "/b")),
        ("PATH=relative:.:$HOME/bin\n", ()),
        ("echo PATH=/a\nMYPATH=/b\n", ()),
        ("", ()),
    ],
)
def test_where_a_script_finds_its_tools(text: str, directories: tuple[str, ...]) -> None:
    assert read_tool_path(text) == directories


def test_a_path_without_end_costs_no_time() -> None:
    assert len(read_tool_path(f"PATH={':'.join(f'/{number}' for number in range(100_000))}\n")) == 64


def created(image: str, size: int, fs_type: str, label: str | None, *arguments: str) -> Volume:
    return Volume(image, size=size, fs_type=fs_type, label=label, auto_create=True, mkfs_extra_args=arguments)


def test_no_size_is_too_long_for_a_number() -> None:
    assert read_created_volumes(f"truncate -s {'9' * 5000}M x\nmkfs.ext4 x\n") == ()


HOSTILE = {
    "one quote": "'",
    "quotes": "'" * 1_000_000,
    "double quotes with escapes": '"' + "\\a" * 500_000,
    "backslashes": "\\" * 1_000_000,
    "dollars": "$" * 1_000_000,
    "open braces": "${" * 500_000,
    "blanks": " " * 1_000_000,
    "continued lines": "\\\n" * 500_000,
    "words": "a " * 500_000,
    "quoted words": "'a' " * 250_000,
    "one word of pieces": "a'b'" * 250_000,
    "exec lines": "exec a\n" * 140_000,
    "volumes": "truncate -s 1M x \\\nmkfs.a ' \\\n" * 30_000,
    "continued volumes": "truncate -s 1M x \\\nmkfs.a b \\\n" * 30_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_of_anything_takes_no_time(name: str) -> None:
    text = HOSTILE[name]
    started = time.process_time()

    read_words(text)
    read_exec("exec " + text)
    read_created_volumes(text)
    read_created_volumes("truncate -s 1M x\nmkfs.ext4 " + text)

    assert time.process_time() - started < 2
