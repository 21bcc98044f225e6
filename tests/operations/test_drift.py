"""Definition files beside what is built and booted, as the looks see them: notes, why, what mends it."""

import os
from pathlib import Path

import pytest

from mvtui.host.documents import read_definition
from mvtui.host.ports import Host
from mvtui.model import drift
from mvtui.model.definition import Definition
from mvtui.model.drift import FieldDrift
from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import MicroVM
from mvtui.operations import defined
from mvtui.operations import drift as operations_drift
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.operations.sample import WEB, build_web, run_web

DOCUMENT = """\
mem = 512
vcpu = 2
writableStoreOverlay = "/nix/.rw-store"

[[shares]]
proto = "virtiofs"
tag = "ro-store"
source = "/nix/store"
mountPoint = "/nix/.ro-store"
posixAcl = false

[[shares]]
tag = "docs"
source = "docs"
mountPoint = "/docs/"

[[volumes]]
image = "./nix-store-overlay.img"
mountPoint = "/nix/.rw-store"
size = 64
"""


STORE, DOCS = WEB.shares
# As the virtiofsd runs that serves it.
BUILT = WEB._replace(shares=(STORE._replace(posix_acl=False), DOCS))


@pytest.fixture
def web(tmp_path: Path) -> Host:
    host = build_web(tmp_path, BUILT)
    host.definitions = tmp_path / "definitions"
    host.definitions.mkdir()
    return host


def write(host: Host, text: str = DOCUMENT) -> Path:
    path = host.definitions / "web.toml"
    path.write_text(text)
    return path


def build_newer(host: Host, folder: Path) -> None:
    """What is built now has more memory and other documents than what runs."""
    shares = (BUILT.shares[0], DOCS._replace(source="/srv/docs"))
    build_web(folder, BUILT._replace(mem=1024, shares=shares))
    current = host.state_dir / "web" / "current"
    current.unlink()
    current.symlink_to((folder / "microvms" / "web" / "current").readlink())


async def look(host: Host, kept: Kept) -> MicroVM:
    (microvm,) = (await take_snapshot(host, kept)).microvms
    # The machine of the tests may have no /nix/store, a source of the sample is relative, and nobody makes its image.
    of_sample = ("no source", "rel source", "no image")
    return microvm._replace(findings=tuple(one for one in microvm.findings if one.note not in of_sample))


async def closer(host: Host) -> MicroVM:
    return await look(host, Kept(host, closer="web"))


async def test_the_same_is_no_drift(web: Host) -> None:
    path = write(web)
    run_web(web)
    microvm = await closer(web)
    assert microvm.document == str(path)
    assert microvm.defined is not None
    assert microvm.drift == ()
    assert microvm.note == ""


async def test_what_is_defined_must_be_built(web: Host) -> None:
    write(web, DOCUMENT.replace("512", "768").replace('"docs"\nmountPoint', '"/srv/docs"\nmountPoint'))
    microvm = await closer(web)
    (finding,) = microvm.findings
    assert finding == Finding(
        Severity.INFO,
        "defined",
        "≠ rebuild",
        "What is defined differs from what is built.",
        "mem: defined 768 MiB, built 512 MiB (1 more differs).",
        "rebuild it: microvm -u web",
        None,
    )
    run_web(web)
    assert (await closer(web)).findings[0].fix == "rebuild it: microvm -u web, then mvtui restart web"
    (web.state_dir / "web" / "toplevel").symlink_to("/")
    assert (await closer(web)).findings[0].fix == "rebuild it: nixos-rebuild switch, then mvtui restart web"


async def test_what_is_built_must_be_booted(web: Host, tmp_path: Path) -> None:
    run_web(web)
    build_newer(web, tmp_path / "newer")
    (finding,) = (await look(web, Kept(web))).findings
    assert (finding.note, finding.fix) == ("≠ restart", "mvtui restart web")
    assert finding.why == "mem: built 1024 MiB, booted 512 MiB (1 more differs)."
    write(web)
    microvm = await closer(web)
    assert [one.note for one in microvm.findings] == ["≠ restart", "≠ rebuild"]
    assert {one.place: one.follows for one in microvm.drift} == {
        "mem": ("rebuild",),
        "shares docs source": ("rebuild",),
    }


async def test_another_runner_that_tells_the_same_is_said_by_its_paths(web: Host, tmp_path: Path) -> None:
    run_web(web)
    booted = (web.state_dir / "web" / "booted").readlink()
    build_web(tmp_path / "newer", BUILT)
    current = web.state_dir / "web" / "current"
    current.unlink()
    current.symlink_to((tmp_path / "newer" / "microvms" / "web" / "current").readlink())
    microvm = await look(web, Kept(web))
    assert microvm.drift == ()
    assert microvm.findings[0].why == f"It booted {booted}; current is {current.readlink()}."


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mem 512\n", "1:5: Expected '=' after a key in a key/value pair."),
        ("[[shares\n[[volumes]]\n", "1:9: Expected ']]' at the end of an array declaration."),
        ('vcpu = 1\nmem = "512"\n', "2:1: mem: expected an integer."),
        ("[[shares]]\ntag = 'a'\nsource = 1\n", "3:1: shares[0].source: expected a string."),
    ],
)
async def test_a_broken_file_is_a_finding_with_its_place(web: Host, text: str, why: str) -> None:
    path = write(web, text)
    microvm = await closer(web)
    assert (microvm.document, microvm.defined, microvm.drift) == (str(path), None, ())
    (finding,) = microvm.findings
    assert (finding.severity, finding.subject, finding.note) == (Severity.WARNING, "definition", "definition")
    assert finding.why == f"{path}:{why}"
    assert finding.fix in (
        "a key is followed by = and its value",
        f"edit {path}",
        f"mvtui validate {path} names all that is wrong",
    )


async def test_one_look_for_a_list_reads_no_definition(web: Host) -> None:
    write(web, "mem = 768")
    microvm = await look(web, Kept(web))
    assert (microvm.document, microvm.defined, microvm.note) == (None, None, "")


async def test_a_file_is_parsed_again_only_when_it_was_changed(web: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Path] = []

    def read(path: Path) -> Definition | None:
        parsed.append(path)
        return read_definition(path)

    monkeypatch.setattr(defined, "read_definition", read)
    kept = Kept(web, inline=False)

    async def after_slow_lane() -> MicroVM:
        kept.renew()
        return await look(web, kept)

    assert (await look(web, kept)).document is None
    path = write(web)
    before = await after_slow_lane()
    assert before.drift == ()
    again = await after_slow_lane()
    assert again.defined is before.defined
    assert len(parsed) == 1
    status = path.stat()
    path.write_text(DOCUMENT.replace("512", "513"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (await after_slow_lane()).note == "≠ rebuild"
    other = path.with_name("other")
    other.write_text(DOCUMENT)
    other.rename(path)
    assert (await after_slow_lane()).note == ""
    assert len(parsed) == 3
    path.write_text("mem = ")
    assert (await after_slow_lane()).note == "definition"
    assert (await after_slow_lane()).note == "definition"
    assert len(parsed) == 4
    path.unlink()
    gone = await after_slow_lane()
    assert (gone.document, gone.defined, gone.findings) == (None, None, ())


async def test_where_nothing_changed_the_comparison_is_kept(web: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Definition | None] = []

    def compare(*stages: Definition | None, directory: str) -> tuple[FieldDrift, ...]:
        compared.append(stages[0])
        return drift.drift(*stages, directory=directory)

    monkeypatch.setattr(operations_drift, "drift", compare)
    write(web, "mem = 768")
    run_web(web)
    kept = Kept(web, inline=False)
    await look(web, kept)
    for _ in range(3):
        kept.renew()
        assert (await look(web, kept)).note == "≠ rebuild"
    assert len(compared) == 1
