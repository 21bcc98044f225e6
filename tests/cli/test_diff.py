"""`mvtui diff` and `mvtui show --stage`: the texts for people, and the JSON documents."""

import json
from pathlib import Path
from typing import Any

import pytest

from mvtui.cli.run import run
from mvtui.host.ports import Host
from tests.operations.sample import WEB, build_web, run_web

# Another source for docs, a share more; of volumes it says nothing.
DOCUMENT = """\
mem = 768

[[shares]]
proto = "virtiofs"
tag = "ro-store"
source = "/nix/store"
mountPoint = "/nix/.ro-store"
posixAcl = false

[[shares]]
tag = "docs"
source = "/srv/docs"
mountPoint = "/docs"

[[shares]]
proto = "virtiofs"
tag = "home"
source = "/srv/\\u001b[31mhome"
mountPoint = "/home"
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    web = build_web(tmp_path, WEB._replace(shares=(WEB.shares[0]._replace(posix_acl=False), WEB.shares[1])))
    web.definitions = tmp_path / "definitions"
    web.definitions.mkdir()
    monkeypatch.setattr("mvtui.cli.looking.open_host", lambda *_: web)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return web


def write(host: Host, text: str = DOCUMENT) -> Path:
    path = host.definitions / "web.toml"
    path.write_text(text)
    return path


def lines(capsys: pytest.CaptureFixture[str], *argv: str) -> list[str]:
    assert run(argv) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert run([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_diff(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(host)
    run_web(host)
    runner = (host.state_dir / "web" / "current").readlink()
    assert lines(capsys, "diff", "web") == [
        "                   DEFINED    BUILT      BOOTED     TO FOLLOW",
        "mem                768 MiB    512 MiB    512 MiB    rebuild, restart",
        "share docs source  /srv/docs  docs       docs       rebuild, restart",
        "share home         there      not there  not there  rebuild, restart",
        "",
        f"  defined  {path}",
        f"  built    {runner}",
        f"  booted   {runner}, pid 100",
        "  rebuild  microvm -u web",
        "  restart  mvtui restart web",
    ]


def test_diff_json(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(host)
    shown = document(capsys, "diff", "web")
    assert (shown["schema"], shown["host"], shown["name"]) == (1, "hv01", "web")
    assert shown["stages"]["defined"] == {"known": True, "words": str(path)}
    assert shown["stages"]["booted"] == {"known": False, "words": "nothing runs"}
    assert shown["drift"] == [
        {
            "place": "mem",
            "kind": None,
            "item": None,
            "field": "mem",
            "values": {"defined": 768 << 20, "built": 512 << 20},
            "follows": ["rebuild"],
        },
        {
            "place": "shares docs source",
            "kind": "shares",
            "item": "docs",
            "field": "source",
            "values": {"defined": "/srv/docs", "built": "docs"},
            "follows": ["rebuild"],
        },
        {
            "place": "shares home",
            "kind": "shares",
            "item": "home",
            "field": None,
            "values": {"defined": True, "built": False},
            "follows": ["rebuild"],
        },
    ]
    assert document(capsys, "show", "web")["drift"] == shown["drift"]


def test_nothing_differs(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(capsys, "diff", "web")[0] == "web: there is nothing to compare"
    write(host, "mem = 512")
    assert lines(capsys, "diff", "web")[0] == "web: nothing differs between defined and built"
    run_web(host)
    assert lines(capsys, "diff", "web")[0] == "web: nothing differs between defined and built and booted"


def test_a_broken_file_is_said_and_is_no_failure(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(host, "mem 512")
    assert f"{path}:1:5: Expected '='" in lines(capsys, "diff", "web")[1]
    assert document(capsys, "diff", "web")["drift"] == []
    shown = "\n".join(lines(capsys, "show", "web"))
    assert f"{path}:1:5: Expected '='" in shown


def test_show_has_the_drift(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(host)
    shown = lines(capsys, "show", "web")
    (drift,) = (line for line in shown if line.startswith("Drift"))
    assert drift.split() == ["Drift", "mem", "defined", "768", "MiB,", "built", "512", "MiB", "(rebuild)"]
    assert f"Stages      defined {path}" in shown
    assert any(line.startswith("  info: What is defined differs") for line in shown)


def test_a_stage_alone(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(host)
    shown = lines(capsys, "show", "web", "--stage", "defined")
    assert shown[:3] == [f"web  defined: {path}", "mem  768 MiB", "share ro-store"]
    assert "  source      /srv/\\x1b[31mhome" in shown
    assert shown[-1] == "volumes  not told"
    built = lines(capsys, "show", "web", "--stage", "built")
    assert "volume nix-store-overlay.img  vda" in built
    assert "  size           64 MiB" in built
    assert lines(capsys, "show", "web", "--stage", "booted") == ["web  booted: nothing runs"]
    write(host, "[[shares]")
    assert "expected" in lines(capsys, "show", "web", "--stage", "defined")[0].lower()


def test_a_stage_in_json(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    write(host)
    shown = document(capsys, "show", "web", "--stage", "defined")
    assert (shown["schema"], shown["name"], shown["stage"]) == (1, "web", "defined")
    assert shown["definition"]["volumes"] is None
    assert shown["definition"]["storeOnDisk"] is None
    assert [share["tag"] for share in shown["definition"]["shares"]] == ["ro-store", "docs", "home"]
    assert document(capsys, "show", "web", "--stage", "built")["definition"]["volumes"][0]["definedSize"] == 64 << 20
    assert document(capsys, "show", "web", "--stage", "booted")["definition"] is None


@pytest.mark.parametrize("argv", [["diff", "wbe"], ["show", "wbe", "--stage", "built"]])
def test_a_name_that_is_none(host: Host, capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    assert run(argv) == 1
    assert 'did you mean "web"?' in capsys.readouterr().err
