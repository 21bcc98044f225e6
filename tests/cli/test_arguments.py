"""The command line's words: what is wrong is named, with the nearest right word."""

import os
import shlex
from pathlib import Path
from threading import Event, Thread

import pytest

from mvtui.cli.arguments import VERBS, build_parser, parse
from mvtui.cli.early import panel_state_dir
from mvtui.cli.settled import flags_of
from mvtui.errors import ExitCode, MvtuiError
from mvtui.model.own_command import own_command


@pytest.mark.parametrize(
    ("argv", "message", "hint"),
    [
        (["lst"], "there is no verb 'lst'", 'did you mean "list"?'),
        (["--state-dir", "/x", "strat", "web"], "there is no verb 'strat'", 'did you mean "start"?'),
        (["zzz"], "there is no verb 'zzz'", "see mvtui --help"),
        (["start"], "the following arguments are required: NAME", "see mvtui start --help"),
        (["list", "--jsno"], "unrecognized arguments: --jsno", 'did you mean "--json"?'),
        (["--qqq"], "unrecognized arguments: --qqq", "see mvtui --help"),
        (["list", "--interval", "1"], "--interval is for the panel and for --watch", "mvtui list --watch --interval "),
        (["list", "--closer", "--interval=1"], "--interval is for the panel and for --watch", "mvtui list --watch "),
        (["list", "--watch", "--interval", "0"], "--interval: takes 0.1 to 3600 seconds", "see mvtui list --help"),
        (["show", "--interval", "1", "web"], "unrecognized arguments: --interval", "--interval is for the panel; "),
        (["--manager", "docker"], "argument --manager: invalid choice", "see mvtui --help"),
        (["--interval", "0"], "argument --interval: takes 0.1 to 3600 seconds", "see mvtui --help"),
        (["--interval", "soon"], "argument --interval: takes a number of seconds, not 'soon'", "see mvtui --help"),
        (["rest"], "there is no verb 'rest'", 'did you mean "reset"?'),
        (["reset", "--dryrun", "web"], "unrecognized arguments: --dryrun", 'did you mean "--dry-run"?'),
        (["reset"], "the following arguments are required: NAME", "see mvtui reset --help"),
        (["stop", "--fresh", "web"], "unrecognized arguments: --fresh", "see mvtui stop --help"),
        (["arm", "web", "--once", "--always"], "not allowed with argument", "see mvtui arm --help"),
        (["arm", "web"], "one of the arguments --once --always --off is required", "see mvtui arm --help"),
        (["adopt"], "the following arguments are required: NAME", "see mvtui adopt --help"),
        (["adopt", "web", "git"], "unrecognized arguments: git", "see mvtui adopt --help"),
        (["--definitions", "/x", "adpt", "web"], "there is no verb 'adpt'", 'did you mean "adopt"?'),
        (["demo", "--up", "a", "--down", "b"], "not allowed with argument", "see mvtui demo --help"),
    ],
)
def test_wrong_command_lines_exit_with_64_and_the_nearest_right_word(argv: list[str], message: str, hint: str) -> None:
    with pytest.raises(MvtuiError) as raised:
        parse(argv)
    assert raised.value.exit_code is ExitCode.USAGE
    assert message in raised.value.message
    assert raised.value.hint.startswith(hint)


def test_common_options_stand_before_or_behind_the_verb() -> None:
    for argv in (["--state-dir", "/x", "list"], ["list", "--state-dir", "/x"]):
        assert parse(argv).state_dir == Path("/x")
    assert not hasattr(parse(["list"]), "state_dir")  # what is not said is left to the configuration


def test_the_interval_of_a_watch_stands_before_or_behind_the_verb() -> None:
    for argv in (["--interval", "3", "list", "--watch"], ["list", "--watch", "--interval", "3"]):
        assert flags_of(parse(argv))["interval"] == 3.0
    assert flags_of(parse(["--interval", "3", "list", "--interval=5", "--watch"]))["interval"] == 5.0
    assert flags_of(parse(["--interval", "3", "list"]))["interval"] == 3.0
    assert "interval" not in flags_of(parse(["list", "--watch"]))


def test_names_behind_two_dashes_may_look_like_options() -> None:
    assert parse(["stop", "--", "--odd"]).names == ["--odd"]


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parse([verb, "--help"])
    assert raised.value.code == 0
    assert f"mvtui {verb}" in capsys.readouterr().out.split("examples:")[1]


def test_help_names_every_verb_and_the_exit_codes() -> None:
    text = build_parser().format_help()
    assert all(verb in text for verb in VERBS)
    assert "77 rights are missing" in text


@pytest.mark.parametrize(
    ("argv", "state_dir"),
    [
        ([], "/var/lib/microvms"),
        (["--read-only"], "/var/lib/microvms"),
        (["--state-dir", "/x", "--interval=1"], "/x"),
        (["--state-dir=/x"], "/x"),
        (["list"], None),
        (["--state-dir"], None),
        (["--help"], None),
        (["--state-dir", "/x", "demo"], None),
    ],
)
def test_names_are_painted_early_only_for_the_panel(argv: list[str], state_dir: str | None) -> None:
    assert panel_state_dir(argv) == state_dir


def test_a_configuration_file_that_is_none_is_not_opened_for_a_first_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only opening a device can already be a command to it (a watchdog starts). A fifo tells whether it was opened."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("MVTUI_STATE_DIR", raising=False)
    fifo = tmp_path / "mvtui/config.toml"
    fifo.parent.mkdir()
    os.mkfifo(fifo)
    is_open = Event()

    def write() -> None:
        os.close(os.open(fifo, os.O_WRONLY))  # waits for who reads
        is_open.set()

    writer = Thread(target=write, daemon=True)
    writer.start()
    assert panel_state_dir([]) is None
    assert not is_open.wait(0.2)
    os.close(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))  # the writer ends
    writer.join()


@pytest.mark.parametrize(
    ("verb", "option"),
    [
        *((verb, "") for verb in ("start", "stop", "restart", "kill", "show", "logs", "adopt", "bundle", "rebuild")),
        *(("restore", ""), ("reset", ""), ("reset --dry-run", ""), ("reset --discard", "")),
        *(("reset", "--image IMAGE"), ("reset", "--dry-run"), ("arm", "--off"), ("arm", "--once")),
    ],
)
def test_a_command_to_copy_is_taken_whatever_the_name_begins_with(verb: str, option: str) -> None:
    assert own_command(verb, "web", option=option) == f"mvtui {verb} web {option}".rstrip()
    for name in ("-x", "--json", "-h", "--", "a b", "-it's"):
        args = parse(shlex.split(own_command(verb, name, option=option))[1:])
        assert args.verb == verb.split(maxsplit=1)[0]
        assert (args.names if "names" in args else [args.name]) == [name]
        assert getattr(args, "dry_run", False) is ("--dry-run" in verb + option)


def test_a_command_to_grow_and_to_validate_is_taken_whatever_they_begin_with() -> None:
    for name, image in (("-x", "a.img"), ("web", "-a.img"), ("-x", "-a.img")):
        args = parse(shlex.split(own_command("grow", name, image, "4G", option="--dry-run"))[1:])
        assert (args.name, args.image, args.size, args.dry_run) == (name, image, "4G", True)
        assert parse(shlex.split(own_command("grow", name, image, option="--defined"))[1:]).defined
    assert parse(shlex.split(own_command("validate", "-web.toml"))[1:]).files == ["-web.toml"]
