"""What is wrong with the host itself: one fact each that is otherwise than on a healthy one."""

import os
import threading
from pathlib import Path

import pytest

from mvtui.host.patience import NoAnswerError, Patience
from mvtui.model.definition import Definition
from mvtui.model.finding import Severity
from mvtui.model.host_facts import Device, HostFacts, Space, Terminal
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.rights import Account
from mvtui.model.state import State, StateWord
from mvtui.operations import doctor
from mvtui.operations.checks.host import check_host, told_host
from tests.fakes import fake_host, unit

GIB = 2**30
KVM, TUN = Device("/dev/kvm", True, True, 0o666, "root:kvm"), Device("/dev/net/tun", True, True, 0o666, "root:root")
VSOCK = Device("/dev/vhost-vsock", True, True, 0o660, "root:kvm")
HEALTHY = HostFacts(
    uid=1000,
    account=Account(993, frozenset({994}), "microvm"),
    kvm=KVM,
    tun=TUN,
    vsock=VSOCK,
    net=Device("/dev/vhost-net", False),
    spaces=(Space("/var/lib/microvms", 100 * GIB, 40 * GIB, 1000, 900),),
    files_open=5000,
    files_most=100_000,
    journal="",
    polkit=True,
    terminal=Terminal("xterm-256color", True, "256 colours"),
)
WEB = MicroVM(
    "web",
    "/var/lib/microvms/web",
    State(StateWord.RUNNING, None, "It runs."),
    booted=Definition(Hypervisor.QEMU, vsock_cid=3),
    units=(unit("microvm-tap-interfaces@web.service"),),
)
SNAPSHOT = Snapshot("hv01", "/var/lib/microvms", "systemd", (WEB,))


def test_a_healthy_host_has_no_finding() -> None:
    assert check_host(HEALTHY, SNAPSHOT) == ()
    assert check_host(HEALTHY._replace(journal=None, polkit=None, terminal=None), SNAPSHOT) == ()


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"kvm": KVM._replace(exists=False)}, "no KVM"),
        ({"kvm": KVM._replace(usable=False, mode=0o600)}, "no KVM"),
        ({"tun": TUN._replace(exists=False)}, "no tun"),
        ({"tun": TUN._replace(usable=False, mode=0o600)}, "no tun"),
        ({"vsock": VSOCK._replace(exists=False)}, "no vsock"),
        ({"vsock": VSOCK._replace(usable=False)}, "no vsock"),
        ({"spaces": (Space("/nix/store", 100 * GIB, 3 * GIB),)}, "disk 97%"),
        ({"spaces": (Space("/var/lib/microvms", 100 * GIB, 50 * GIB, 1000, 10),)}, "disk 99%"),
        ({"files_open": 95_000}, "files 95%"),
        ({"journal": "/var/log/journal/x may not be read"}, "no journal"),
        ({"polkit": False}, "no polkit"),
        ({"terminal": Terminal("xterm", False, "16 colours")}, "no UTF-8"),
    ],
)
def test_each_has_its_finding_and_no_other(changes: dict[str, object], note: str) -> None:
    (finding,) = check_host(HEALTHY._replace(**changes), SNAPSHOT)  # type: ignore[arg-type]
    assert finding.note == note
    assert finding.severity is not Severity.INFO
    assert finding.fix
    assert finding.why


def test_what_no_microvm_needs_is_not_missed() -> None:
    facts = HEALTHY._replace(tun=TUN._replace(exists=False), vsock=VSOCK._replace(exists=False))
    without = WEB._replace(booted=Definition(Hypervisor.CLOUD_HYPERVISOR, vsock_cid=3), units=())
    assert check_host(facts, SNAPSHOT._replace(microvms=(without,))) == ()
    barred = facts._replace(tun=TUN._replace(usable=False, mode=0o600))
    assert check_host(barred, SNAPSHOT._replace(microvms=(without,))) == ()


def test_what_was_looked_at_is_told() -> None:
    told = dict(told_host(HEALTHY))
    assert told["KVM"] == "/dev/kvm can be used (root:kvm 0666)"
    assert told["space"] == "/var/lib/microvms: 40G of 100G free, 60% full"
    assert told["journal"] == "can be read"


def test_a_host_that_does_not_answer_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    monkeypatch.setattr(doctor, "look_at_host", lambda _: answers.wait(60))
    monkeypatch.setattr(doctor, "Patience", lambda: Patience(0.01))
    report = doctor.examine(fake_host(tmp_path), SNAPSHOT)
    answers.set()
    assert [finding.note for finding in report.findings] == ["no answer"]


def test_a_read_that_never_ends_is_left_behind_and_what_is_beside_it_not_asked_again() -> None:
    patience = Patience(0.05)
    answers = threading.Event()
    asked: list[str] = []

    def hang() -> str:
        asked.append("hang")
        answers.wait(60)
        return "late"

    for _ in range(2):
        with pytest.raises(NoAnswerError):
            patience.ask("/srv/dead", hang)
    assert asked == ["hang"]
    assert patience.ask("/srv/alive", lambda: "here") == "here"
    answers.set()
    while True:  # until it has answered after all
        try:
            assert patience.ask("/srv/dead", lambda: "again") == "again"
            break
        except NoAnswerError:
            continue
    patience.end()


def test_what_fails_fails_where_it_was_asked() -> None:
    patience = Patience(60)
    with pytest.raises(FileNotFoundError):
        patience.ask("/", lambda: os.stat("/nowhere/at/all"))
    patience.end()
