"""The tabs of a page: what they say, and that every line has room, whatever a host has put into names and paths."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rich.cells import cell_len

from mvtui.model.definition import Share, ShareProto
from mvtui.model.facts import Holder
from mvtui.model.microvm import ImageFacts, MicroVM, ShareHealth
from mvtui.model.state import StateWord
from mvtui.ui.glyphs import share_glyph
from mvtui.ui.lines import Line, width_of
from mvtui.ui.tabs import overview, processes, shares, volumes
from mvtui.ui.tabs.page import Entry, Page, Tab
from mvtui.ui.trends import Trends
from tests.ui.full_samples import DEGRADED, DRIFTED, HEALTHY, LIFE, LOOPING, STARTING, STOPPED
from tests.ui.history_samples import past
from tests.ui.samples import GIT, HOSTILE, NOW, STATES, ago

TABS = {
    "overview": overview.entries,
    "shares": shares.entries,
    "volumes": volumes.entries,
    "processes": processes.entries,
}
WIDTHS = (*range(20, 79, 3), *range(79, 82), 99, 119, 120, 200)
BARS = set("▁▂▃▄▅▆▇█")
TEXTS = {
    "markup": "[/red][@click=app.quit]x",
    "escapes": "a\x1b[2J\x1b]0;owned\x07b\n\r\tc",
    "wide": "仮想マシン一号機の共有フォルダ" * 4,
    "long": "/srv/" + "very-long-path/" * 40,
    "bytes": "\udcff\udc80",
    "directions": "\u202eltr\u2066\u200b\u2028",
    "combining": "e\u0301" * 200,
    "empty": "",
}


def hostile(one: MicroVM, text: str) -> MicroVM:
    """The same with `text` in the place of all that others may choose."""

    def renamed(status: MicroVM) -> MicroVM:
        return status._replace(
            name=text,
            state=status.state._replace(why=text, detail=text),
            findings=tuple(finding._replace(what=text, why=text, fix=text) for finding in status.findings),
            units=tuple(unit._replace(name=f"microvm@{text}.service", sub_state=text) for unit in status.units),
            entry=status.entry._replace(current=text, booted=f"{text}2") if status.entry is not None else None,
        )

    return renamed(one)._replace(
        processes=tuple(process._replace(argv=(text, *process.argv, text), unit=text) for process in one.processes),
        shares=tuple(
            status._replace(
                share=status.share._replace(tag=text, source=text, mount_point=text, socket=text, cache=text), why=text
            )
            for status in one.shares
        ),
        volumes=tuple(
            status._replace(
                volume=status.volume._replace(image=text, mount_point=text, label=text),
                image=status.image._replace(label=text, problem=status.image.problem and text)
                if status.image is not None
                else None,
                holders=(Holder(1, text, text, "open"),),
            )
            for status in one.volumes
        ),
        document=text,
        drift=tuple(
            each._replace(item=text, values=tuple((stage, text) for stage, _ in each.values)) for each in one.drift
        ),
        defined=one.defined._replace(shares=(Share(text, ShareProto.VIRTIOFS, text, text, extra_args=(text,)),))
        if one.defined is not None
        else None,
    )


def page(one: MicroVM, *, ascii_only: bool = False, cursor: str | None = None, trends: Trends | None = None) -> Page:
    return Page(one, NOW, trends or Trends(), ascii_only, cursor)


def all_lines(entries: list[Entry]) -> Iterator[Line]:
    for entry in entries:
        yield from entry.lines


def told(tab: Tab, one: MicroVM, width: int = 100, cursor: str | None = None) -> list[str]:
    trends = Trends()
    past(trends, one)
    lines = all_lines(tab(page(one, cursor=cursor, trends=trends), width))
    return ["".join(text for text, _ in line).rstrip() for line in lines]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("tab", TABS)
def test_every_line_has_room_whatever_the_names_are(tab: str, text: str) -> None:
    trends = Trends()
    past(trends, HEALTHY)
    for one in (*LIFE.values(), STARTING, DRIFTED):
        bad = hostile(one, text)
        keys = {entry.key for entry in TABS[tab](page(bad), 80)} | {None}
        for width in WIDTHS:
            for cursor in sorted(keys, key=str)[:3]:
                for line in all_lines(TABS[tab](page(bad, cursor=cursor, trends=trends), width)):
                    assert width_of(line) <= width
                    assert all(piece.isprintable() for piece, _ in line), line


@pytest.mark.parametrize("tab", TABS)
def test_every_microvm_has_its_tabs(tab: str) -> None:
    for one in (*STATES.microvms, *HOSTILE.microvms):
        for width in (20, 60, 80, 200):
            for line in all_lines(TABS[tab](page(one, ascii_only=True), width)):
                assert width_of(line) <= width
                assert all(piece.isprintable() for piece, _ in line)


@pytest.mark.parametrize(
    "argument", ["x" * 100_000, "仮" * 50_000, "a b " * 25_000, "'\"\\$" * 25_000, "\x1b" * 30_000]
)
def test_a_command_line_of_100_kb_is_cut_and_costs_nothing(argument: str) -> None:
    hypervisor = HEALTHY.processes[0]._replace(argv=("qemu", argument, "end"))
    one = HEALTHY._replace(processes=(hypervisor,), hypervisor=hypervisor)
    began = time.process_time()
    entries = processes.entries(replace(page(one, cursor="2100"), unfolded="2100"), 80)
    assert time.process_time() - began < 1.0  # it was minutes
    assert 100 < len(entries[-1].lines) <= 203
    assert all(width_of(line) <= 80 for line in all_lines(entries))
    assert "".join(text for text, _ in entries[-1].lines[-3]).endswith("…")


def test_the_overview_says_all_parts() -> None:
    lines = told(overview.entries, HEALTHY, 110)
    text = "\n".join(lines)
    for part in ("qemu   pid 2100   up  2d   vcpu 4   vsock 7   restarts 0", "● microvm-virtiofsd@wiki", "● ro-store"):
        assert part in text
    assert any(line.startswith("CPU") and BARS & set(line) for line in lines)
    assert any(line.startswith("Memory") and "2.6G of 4.0G" in line for line in lines)
    assert "vdb" in text
    assert "overlay" in text


def test_what_is_down_stands_out_in_the_overview() -> None:
    lines = list(all_lines(overview.entries(page(DEGRADED), 110)))
    (share,) = [line for line in lines if ("  no source", "error") in line]
    assert ("× ", "failed") in share
    assert any(("▲ ", "degraded") in line and "microvm-virtiofsd@wiki" in str(line) for line in lines)
    assert any(line[0][0].startswith("Booted") and line[1][1] == "warning" for line in lines if len(line) > 1)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_overview_says_what_is_wrong_with_an_image_however_long_its_path(width: int) -> None:
    path = "/var/lib/microvms/wiki/a-directory/of-its-own/nix-rw.img"
    image = ImageFacts(path, problem=f"{path}: does not exist")
    lines = told(overview.entries, HEALTHY._replace(volumes=(HEALTHY.volumes[0]._replace(image=image),)), width)
    assert sum("does not exist" in line for line in lines) == 1


def test_the_overview_says_since_when_of_each_finding() -> None:
    one = GIT._replace(findings=(GIT.findings[0]._replace(since=ago(hours=2)),))
    assert "Since 10:04." in " ".join(" ".join(told(overview.entries, one)).split())


def test_shares_show_stages_daemon_socket_and_source() -> None:
    lines = told(shares.entries, DEGRADED)
    home = lines[next(n for n, line in enumerate(lines) if line.startswith("× home")) :]
    assert home[0] == "× home         down    virtiofs  /srv/wiki-old/home → /home"
    assert home[1].split() == [
        "why",
        *["/srv/wiki-old/home", "does", "not", "exist.", "The", "guest's", "/home", "hangs."],
    ]
    assert home[2] == "    built    /srv/wiki/home → /home, writable, cache auto, posixAcl"
    assert home[3] == "    booted   /srv/wiki-old/home → /home, writable, cache auto, no posixAcl"
    assert home[4] == "    daemon   no virtiofsd of it lives"
    assert home[5] == "    socket   wiki-virtiofs-home.sock  not there"
    assert home[6].startswith("    source   /srv/wiki-old/home  ")
    drifted = [line for line in all_lines(shares.entries(page(DEGRADED), 100)) if line and "built" in line[0][0]]
    assert [line[1][1] for line in drifted] == ["text", "warning", "text"]


def test_shares_name_each_daemon() -> None:
    lines = told(shares.entries, HEALTHY)
    first = next(line for line in lines if "virtiofsd 2210" in line)
    assert first.startswith("    daemon   virtiofsd 2210  cpu  0.0%")
    assert any(
        line.startswith("             child 2211  cpu  0.3%   41M  threads 9  files 612/1048576") for line in lines
    )
    assert "    socket   wiki-virtiofs-ro-store.sock  there, the hypervisor is connected" in lines
    frozen = HEALTHY.shares[0]._replace(daemons=tuple(one._replace(frozen=True) for one in HEALTHY.shares[0].daemons))
    assert "frozen by a signal" in "\n".join(told(shares.entries, HEALTHY._replace(shares=(frozen,))))


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (
            "nix-rw.img",
            ["/dev/vda → /nix/.rw-store", "2.0G, of it 400M allocated", "ext4, no label", "14%  300M of 2.0G"],
        ),
        ("postgres.img", ["/dev/vdb → /var/lib/postgresql", 'xfs, label "pgdata"', "97%  39G of 40G"]),
        ("/srv/images/wiki-media.btrfs", ["/dev/vdc → /srv/media", 'btrfs, label "media"', "12%"]),
        ("boot.img", ["/dev/vdd → /boot", 'vfat, label "BOOT"']),
        ("scratch.img", ["/dev/vde not mounted", "none: it was never formatted"]),
        ("lost.img", ["/dev/vdf → /lost", "lost.img does not exist"]),
    ],
)
def test_volumes_show_the_image_as_it_is_on_disk(image: str, said: list[str]) -> None:
    (entry,) = [entry for entry in volumes.entries(page(HEALTHY), 100) if entry.key == image]
    text = "\n".join("".join(piece for piece, _ in line) for line in entry.lines)
    for part in said:
        assert part in text
    assert ("writable store overlay" in text) is (image == "nix-rw.img")


def test_what_can_not_be_told_says_so() -> None:
    nothing = STOPPED._replace(built=None, booted=None, shares=(), volumes=())
    assert told(shares.entries, nothing) == ["", "  What it has can't be told: no runner was read."]
    assert told(volumes.entries, nothing) == ["", "  What it has can't be told: no runner was read."]
    assert told(shares.entries, STOPPED._replace(shares=())) == ["", "  It has no shares."]
    assert told(volumes.entries, STOPPED._replace(volumes=())) == ["", "  It has no volumes."]
    assert told(processes.entries, LOOPING) == ["", "  No process of it runs."]


def test_processes_are_a_tree_under_their_units() -> None:
    lines = told(processes.entries, HEALTHY, 130)
    rows = [line for line in lines if line and line.split()[0].isdigit()]
    assert [line[11:38].rstrip() for line in rows] == [
        "hypervisor",
        "supervisord",
        "  virtiofsd ro-store",
        "    child ro-store",
        "  virtiofsd home",
        "    child home",
    ]
    assert lines[1].startswith("● microvm@wiki.service  active")
    assert rows[0][38:72].split() == ["37.4", "2.6G", "9", "87/1024", "2d"]
    assert set(rows[0][72:]) <= BARS | {" "}
    assert "  " in rows[0][72:].strip(), "nobody looked: a gap"


def test_a_long_command_line_is_folded_until_it_is_asked_for() -> None:
    path = "/nix/store/0c9xz3lq6v7w1b2k4m5n8p0r1s2d3f4g-qemu/bin/qemu"
    hypervisor = HEALTHY.processes[0]._replace(
        argv=(path, *(f"argument-{number:02}" for number in range(20)), "the end")
    )
    one = HEALTHY._replace(processes=(hypervisor,), hypervisor=hypervisor)

    def shown(one: MicroVM, unfolded: str | None = None, **keys: tuple[str, ...]) -> list[str]:
        lines = processes.entries(replace(page(one, cursor="2100"), unfolded=unfolded, keys=keys), 80)[-1].lines
        return ["".join(text for text, _ in line).strip() for line in lines][1:-1]  # without numbers and memory

    words = "qemu/bin/qemu argument-00 argument-01 argument-02 argument-03"
    assert shown(one)[0] == words
    assert len(shown(one)) == 4
    assert shown(one)[-2].endswith("…")
    assert shown(one)[-1] == "Enter shows all 5 lines"
    assert shown(one, unfold=("f4",))[-1] == "F4 shows all 5 lines"
    assert shown(one, unfold=())[-1] == ":unfold shows all 5 lines"
    assert shown(one, "2200") == shown(one), "another one is unfolded"
    *whole, last = shown(one, "2100")
    assert " ".join(whole).replace("- ", "-") == f"{path} {' '.join(hypervisor.argv[1:-1])} 'the end'"
    assert last == "Enter folds it"
    short = hypervisor._replace(argv=("qemu", *("a" * 69 for _ in range(3))))
    assert shown(one._replace(processes=(short,))) == ["qemu", *["a" * 69] * 3], "its offer would take as much room"
    hashed = hypervisor._replace(argv=(path,))
    assert shown(one._replace(processes=(hashed,))) == ["qemu/bin/qemu", "Enter shows all of it"]
    elsewhere = hypervisor._replace(argv=(f"/srv/demo{path}", f"--with={path}"))
    *lines, _ = shown(one._replace(processes=(elsewhere,)))
    assert "".join(lines) == f"/srv/demo{path}--with=qemu/bin/qemu", "what is left of a path must be one"


def test_no_process_is_left_out_of_the_tree() -> None:
    first, second, *others = HEALTHY.processes
    round_about = (first._replace(ppid=second.pid, unit=None), second._replace(ppid=first.pid, unit=None), *others)
    pids = {entry.key for entry in processes.entries(page(HEALTHY._replace(processes=round_about)), 80)}
    assert pids >= {str(process.pid) for process in round_about}


def test_units_in_ascii() -> None:
    lines = [
        "".join(text for text, _ in line) for line in all_lines(overview.entries(page(HEALTHY, ascii_only=True), 100))
    ]
    assert any(f"{StateWord.RUNNING.ascii_glyph} microvm@wiki" in line for line in lines)
    assert all(share_glyph(health, ascii_only=True)[0].isascii() for health in ShareHealth)
    assert all(cell_len(line) <= 100 for line in lines)
