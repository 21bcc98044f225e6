"""Arming and disarming: the record, what runs it, and that a failure leaves all as it was."""

import os
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host import drop_ins
from mvtui.host.armed import read_arming, write_arming
from mvtui.host.ports import Host
from mvtui.host.record_of_changes import read_changes
from mvtui.model.finding import Finding, Severity
from mvtui.model.overlay import Armed
from mvtui.operations.arming import arm
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.operations.armable import HOSTS_OWN, PROGRAM, armable, drop_in, units_of
from tests.operations.sample import WEB


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return armable(tmp_path, monkeypatch)


async def findings(host: Host, kept: Kept | None = None) -> dict[str, Finding]:
    microvm = (await take_snapshot(host, kept)).find("web")
    assert microvm is not None
    return {finding.note: finding for finding in microvm.findings if finding.subject == "arming"}


async def test_armed_once(host: Host) -> None:
    outcome = await arm(host, "web", Armed.ONCE)
    assert (outcome.ok, outcome.action) == (True, "arm")
    assert outcome.words == "web: its overlay is reset before its next start"
    assert "until the host boots again" in outcome.hint
    assert "-+/usr/bin/mvtui reset --if-armed --manager systemd" in drop_in(host).read_text()
    assert not drop_in(host, persistent=True).exists()
    assert units_of(host).reloads == 1
    arming = read_arming(host.records, "web")
    assert arming is not None
    assert (arming.how, arming.strict, arming.persistent, arming.by_host) == (Armed.ONCE, False, False, False)
    assert [(change.action, change.ok) for change in read_changes(host.records)] == [("arm", True)]


async def test_it_is_seen_in_the_list(host: Host) -> None:
    kept = Kept(host)
    assert await findings(host, kept) == {}
    await arm(host, "web", Armed.ALWAYS, strict=True)
    microvm = (await take_snapshot(host, kept)).find("web")
    assert microvm is not None
    assert microvm.armed is Armed.ALWAYS
    found = await findings(host, kept)
    assert found["armed"].severity is Severity.INFO
    assert found["armed"].what == "It is armed: its overlay is reset before every start."
    assert found["armed"].why == "A reset that is refused keeps it from starting."
    await arm(host, "web", None)
    assert await findings(host, kept) == {}


async def test_armed_otherwise(host: Host) -> None:
    await arm(host, "web", Armed.ONCE)
    first = read_arming(host.records, "web")
    outcome = await arm(host, "web", Armed.ALWAYS, persistent=True, strict=True)
    assert outcome.words.endswith("reset before every start; a reset that is refused keeps it from starting")
    assert "ExecStartPre=+/usr/bin/mvtui" in drop_in(host, persistent=True).read_text()
    assert not drop_in(host).exists(), "only one runs it"
    second = read_arming(host.records, "web")
    assert first is not None
    assert second is not None
    assert first.key != second.key


async def test_disarmed(host: Host) -> None:
    await arm(host, "web", Armed.ALWAYS, persistent=True)
    outcome = await arm(host, "web", None)
    assert (outcome.ok, outcome.action) == (True, "disarm")
    assert read_arming(host.records, "web") is None
    assert not drop_in(host, persistent=True).parent.exists()
    assert units_of(host).reloads == 2


async def test_what_is_not_armed_is_not_armed_any_more(host: Host) -> None:
    outcome = await arm(host, "web", None)
    assert (outcome.ok, outcome.words) == (True, "web: it is not armed")
    assert units_of(host).reloads == 0


async def test_what_was_spent_leaves_a_drop_in_that_goes(host: Host) -> None:
    await arm(host, "web", Armed.ONCE)
    (host.records / "armed/web").unlink()
    outcome = await arm(host, "web", None)
    assert outcome.ok
    assert not drop_in(host).exists()


async def test_a_damaged_record_is_said_and_goes(host: Host) -> None:
    await arm(host, "web", Armed.ONCE)
    (host.records / "armed/web").write_text('{"how": "twice"}')
    found = await findings(host)
    assert found["armed ?"].severity is Severity.WARNING
    assert "is no record that this mvtui understands" in found["armed ?"].why
    assert (await arm(host, "web", None)).ok
    assert await findings(host) == {}


async def test_the_hosts_own_configuration_needs_no_drop_in(host: Host) -> None:
    units_of(host).hosts_own = (("/bin/true",), HOSTS_OWN)
    outcome = await arm(host, "web", Armed.ALWAYS, persistent=True)
    assert "the host's own configuration runs it" in outcome.hint
    assert not drop_in(host, persistent=True).exists()
    assert units_of(host).reloads == 0
    assert list(await findings(host)) == ["armed"]
    units_of(host).hosts_own = ()
    found = await findings(host)
    assert found["arm again"].why == "the host's own configuration does not run it any more."


async def test_mvtuis_own_drop_in_is_not_the_hosts_configuration(host: Host) -> None:
    await arm(host, "web", Armed.ONCE)
    assert len(await host.units.before_start("web")) == 1
    await arm(host, "web", Armed.ALWAYS)
    assert drop_in(host).exists()


async def test_after_a_boot_of_the_host_nothing_runs_it_and_arm_again_mends_that(host: Host) -> None:
    await arm(host, "web", Armed.ALWAYS)
    drop_ins.remove(host, "web", persistent=False)  # /run is empty then
    await host.units.reload()
    found = await findings(host)
    assert list(found) == ["arm again", "armed"]
    assert found["arm again"].severity is Severity.WARNING
    assert found["arm again"].why == "its drop-in in /run/systemd/system went with the last boot of the host."
    assert found["arm again"].fix == "mvtui arm web --always"
    await arm(host, "web", Armed.ALWAYS)
    assert list(await findings(host)) == ["armed"]


async def test_a_program_that_is_gone_runs_nothing(host: Host) -> None:
    await arm(host, "web", Armed.ALWAYS)
    host.on_disk(PROGRAM).unlink()
    assert (await findings(host))["arm again"].why == "/usr/bin/mvtui, which its drop-in runs, is gone."


async def test_nothing_is_claimed_where_systemd_does_not_answer(host: Host) -> None:
    await arm(host, "web", Armed.ALWAYS)
    drop_ins.remove(host, "web", persistent=False)
    units_of(host).error = MvtuiError("no bus")
    assert "arm again" not in await findings(host)


async def test_without_systemd_the_record_is_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = armable(tmp_path, monkeypatch, manager="direct")
    outcome = await arm(host, "web", Armed.ALWAYS, persistent=True)
    assert outcome.ok
    assert "boot" not in outcome.hint
    assert not drop_in(host).exists()
    assert list(await findings(host)) == ["armed"]


@pytest.mark.parametrize("before", [None, Armed.ALWAYS])
@pytest.mark.parametrize("fails", ["reload", "drop-in", "unread"])
async def test_a_failure_leaves_all_as_it_was(
    host: Host, before: Armed | None, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before is not None:
        await arm(host, "web", before)
    was = read_arming(host.records, "web")
    if fails == "reload":
        units_of(host).refusal = RightsMissingError("not allowed to reload systemd", "sudo")
    elif fails == "unread":
        units_of(host).deaf = "run/systemd/system"
    else:

        def fail(*_: object, **__: object) -> None:
            raise RightsMissingError("/run/systemd/system can't be written", "sudo")

        monkeypatch.setattr(drop_ins, "write", fail)
    said = {"reload": "not allowed", "drop-in": "can't be written", "unread": "systemd does not run what is in /run"}
    with pytest.raises(MvtuiError, match=said[fails]):
        await arm(host, "web", Armed.ONCE)
    assert read_arming(host.records, "web") == was
    assert drop_in(host).exists() is (before is not None)
    assert read_changes(host.records)[-1].ok is False


async def test_a_program_that_others_can_change_arms_nothing(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> list[str]:
        raise MvtuiError("others than root can change /home/x/bin/mvtui", "install it")

    monkeypatch.setattr("mvtui.operations.arming.lasting_argv", refuse)
    with pytest.raises(MvtuiError, match="others than root"):
        await arm(host, "web", Armed.ONCE)
    assert not (host.records / "armed").exists()
    assert not drop_in(host).exists()


async def test_an_overlay_in_memory_is_nothing_to_arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = armable(tmp_path, monkeypatch, WEB._replace(volumes=()))
    outcome = await arm(host, "web", Armed.ONCE)
    assert (outcome.ok, outcome.nothing) == (False, True)
    assert not drop_in(host).exists()


async def test_no_such_microvm(host: Host) -> None:
    with pytest.raises(MvtuiError, match="there is no microVM 'git'"):
        await arm(host, "git", Armed.ONCE)


@pytest.mark.parametrize("name", ["..", "../web", "", "a/b"])
async def test_what_is_no_name(host: Host, name: str) -> None:
    for how in (Armed.ONCE, None):
        with pytest.raises(MvtuiError, match="is no name of a microVM"):
            await arm(host, name, how)


async def test_a_name_that_no_unit_can_have(host: Host, tmp_path: Path) -> None:
    os.rename(tmp_path / "microvms/web", tmp_path / "microvms/my web")
    with pytest.raises(MvtuiError, match="can't be the name of a systemd unit"):
        await arm(host, "my web", Armed.ONCE)
    assert (await arm(host, "my web", None)).words == "my web: it is not armed"


async def test_a_refusal_is_shown_with_why_and_since(host: Host) -> None:
    await arm(host, "web", Armed.ONCE)
    arming = read_arming(host.records, "web")
    assert arming is not None
    write_arming(host.records, "web", arming._replace(refused="qemu has it open", refused_at=arming.at))
    found = await findings(host)
    assert list(found) == ["not reset", "armed"]
    assert (found["not reset"].why, found["not reset"].since) == ("qemu has it open.", arming.at)
