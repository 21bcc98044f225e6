"""`mvtui logs` of a real journal: units that say what they like, systemd's word on them, and mvtui's own."""

import json

from tests.real.host import Json, RealHost, wait_until

SAYS = r"""
printf 'plain\n\033[31mred\033[0m [bold]markup[/] \033]0;title\a\n'
printf 'no utf-8: \377\376\n'
printf '<3>a level of its own\n'
head -c 1000000 /dev/zero | tr '\0' x; echo
echo the end
"""


def speak(host: RealHost, unit: str, script: str) -> None:
    """Run it as that unit, to its end; the unit is only that from then on."""
    folder = host.nested.path("/run/systemd/system")
    (folder / f"{unit}.sh").write_text(script)
    (folder / unit).write_text(f"[Service]\nType=oneshot\nExecStart=/bin/sh '/run/systemd/system/{unit}.sh'\n")
    host.systemctl("daemon-reload")
    host.systemctl("start", unit)


def logged(host: RealHost, *words: str) -> list[Json]:
    return [json.loads(line) for line in host.mvtui("logs", "--json", *words).stdout.splitlines()]


def test_units_are_merged_and_hostile_text_is_text(host: RealHost) -> None:
    speak(host, "microvm-tap-interfaces@loud.service", "echo tap up")
    speak(
        host, "microvm-virtiofsd@loud.service", "echo '2026-11-26 01:00:00,000 INFO gave up: virtiofsd-home entered F'"
    )
    speak(host, "microvm@loud.service", SAYS)
    speak(host, "microvm@loud2.service", "echo of another")
    wait_until(lambda: "the end" in {one["message"] for one in logged(host, "loud")}, "it is not logged")
    found = logged(host, "loud", "-n", "1000")
    said = [one["message"] for one in found if one["source"] == "guest"]
    assert said[:4] == [
        "plain",
        "\x1b[31mred\x1b[0m [bold]markup[/] \x1b]0;title\x07",
        "no utf-8: \udcff\udcfe",
        "a level of its own",
    ]
    assert said[-1] == "the end"
    assert "".join(said[4:-1]) == 1_000_000 * "x"  # in as many pieces as journald makes of it
    assert [one["level"] for one in found if one["message"] == "a level of its own"] == ["err"]
    assert {one["source"] for one in found} >= {"guest", "virtiofsd", "interfaces", "systemd"}
    assert [one["at"] for one in found] == sorted(one["at"] for one in found)
    assert {one["microvm"] for one in found} == {"loud"}

    gave_up = logged(host, "loud", "--level", "err", "--source", "virtiofsd")
    assert [(one["speaker"], one["level"]) for one in gave_up] == [("home", "err")]
    assert [one["message"] for one in logged(host, "loud", "--grep", "LEVEL|level")] == ["a level of its own"]
    assert {one["microvm"] for one in logged(host, "loud", "loud2")} == {"loud", "loud2"}
    plain = host.mvtui("logs", "loud", "--grep", "red").stdout
    assert "\\x1b[31mred\\x1b[0m [bold]markup[/] \\x1b]0;title\\x07" in plain
    assert "\x1b" not in plain


def test_paging_backwards_misses_none_and_follows(host: RealHost) -> None:
    speak(host, "microvm@many.service", "seq 1 12000")
    wait_until(lambda: logged(host, "many", "-n", "1", "--source", "guest")[-1]["message"] == "12000", "not logged")
    numbers = [one["message"] for one in logged(host, "many", "-n", "20000", "--source", "guest", "--grep", "^[0-9]+$")]
    assert numbers == [str(number) for number in range(1, 12001)]
    since = [one["message"] for one in logged(host, "many", "--since", "1h", "--source", "guest")]
    assert since == numbers
    with host.nested.python_running(
        "-m", "mvtui", "logs", "many", "-f", "-n", "1", "--source", "guest", "--json"
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["message"] == "12000"
        speak(host, "microvm@many.service", "echo more")
        assert json.loads(process.stdout.readline())["message"] == "more"


def test_mvtui_s_own_word_is_among_them(host: RealHost) -> None:
    record = "from mvtui.host.journal import record; record('reset of kept: done', MVTUI_MICROVM='kept')"
    host.nested.python("-c", record)
    host.nested.run("logger", "--journald", stdin="SYSLOG_IDENTIFIER=mvtui\nMVTUI_MICROVM=other\nMESSAGE=another\n")
    wait_until(lambda: bool(logged(host, "kept")), "it is not logged")
    assert [(one["source"], one["message"]) for one in logged(host, "kept")] == [("mvtui", "reset of kept: done")]


def test_who_lacks_rights_is_told_what_gives_them(host: RealHost) -> None:
    speak(host, "microvm@loud.service", "echo hello")
    program = (
        "import os, sys; sys.path.insert(0, os.getcwd()); from mvtui.host.journal_logs import JournalLogs\n"
        "from mvtui.errors import RightsMissingError; from mvtui.model.log import LogFilter\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: JournalLogs(['loud']).page(LogFilter(), 9)\n"
        "except RightsMissingError as error: print(error, int(error.exit_code))\n"
    )
    said = host.nested.python("-c", program).stdout
    assert "may not be read (usermod -aG systemd-journal USER" in said
    assert said.strip().endswith("77")


def pids(host: RealHost, pattern: str) -> list[int]:
    """Those inside whose command line reads so."""
    found = host.nested.run("pgrep", "-f", pattern, check=False)
    return [int(pid) for pid in found.stdout.split()]


def test_journalctl_ends_with_who_reads_it(host: RealHost) -> None:
    """Also where that is killed, and nothing more is ever logged."""
    speak(host, "microvm@quiet.service", "echo hello")
    with host.nested.python_running("-m", "mvtui", "logs", "quiet", "-f") as process:
        assert process.stdout is not None
        process.stdout.readline()
        follower = "journalctl .*--follow.*microvm@quiet.service"
        wait_until(lambda: len(pids(host, follower)) == 1, "nobody follows")
        host.kill(*pids(host, "mvtui logs quiet -f"))
        wait_until(lambda: pids(host, follower) == [], "journalctl is left")
