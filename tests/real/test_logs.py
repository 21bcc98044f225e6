"""`mvtui logs` of a real journal: units that say what they like, systemd's word on them, and mvtui's own."""

import json
import os

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


def test_who_lacks_rights_is_told_what_gives_them(host: RealHost) -> None:
    speak(host, "microvm@loud.service", "echo hello")
    refused = host.nested.run(
        "setpriv",
        "--reuid=65534",
        "--clear-groups",
        "--regid=65534",
        "--",
        "sh",
        "-c",
        f'PYTHONPATH="{os.getcwd()}" PYTHONDONTWRITEBYTECODE=1 python3 -m mvtui logs loud',
        check=False,
    )
    print(refused)
