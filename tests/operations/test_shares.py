"""A share is up when its daemon lives and is connected, whatever its unit says."""

import pytest

from mvtui.model.definition import Definition, Share, ShareProto
from mvtui.model.facts import SourceFacts
from mvtui.model.microvm import ShareHealth, ShareStatus
from mvtui.model.process import ProcessSample
from mvtui.model.state import State, StateWord
from mvtui.operations.shares import share_statuses
from tests.fakes import process
from tests.operations.test_health import found

DIRECTORY = "/var/lib/microvms/web"
HOME = Share("home", ShareProto.VIRTIOFS, source="/srv/home", mount_point="/home", socket="web-home.sock")
DOCS = Share("docs", ShareProto.NINE_P, source="docs")
QEMU = process(100, "web", "microvm@web")
PARENT = process(90, "web", "virtiofsd")
CHILD = process(91, "web", "virtiofsd", ppid=90)


def statuses(
    *daemons: ProcessSample,
    socket: str = "web-home.sock",
    hypervisor: ProcessSample | None = QEMU,
    sources: bool | None = True,
    visible: bool = True,
) -> tuple[ShareStatus, ...]:
    pairs = [(HOME._replace(socket=socket), daemon) for daemon in daemons]
    definition = Definition(shares=(HOME, DOCS))
    source_of = lambda path: SourceFacts(path, sources)  # noqa: E731
    return share_statuses(
        definition, DIRECTORY, hypervisor, pairs, lambda path: True, source_of, daemons_visible=visible
    )


def test_daemon_lives() -> None:
    home = statuses(CHILD, PARENT._replace(connected_sockets=frozenset({"web-home.sock"})))[0]
    assert home.health is ShareHealth.UP
    assert [daemon.pid for daemon in home.daemons] == [90, 91], "parent first"


def test_socket_may_be_absolute_on_one_side() -> None:
    parent = PARENT._replace(connected_sockets=frozenset({"web-home.sock"}))
    assert statuses(parent, socket=f"{DIRECTORY}/web-home.sock")[0].health is ShareHealth.UP


def test_a_daemon_of_another_share_does_not_count() -> None:
    assert statuses(PARENT, socket="web-other.sock")[0].health is ShareHealth.DOWN


def test_daemon_died() -> None:
    home = statuses()[0]
    assert home.health is ShareHealth.DOWN
    assert home.why == "its virtiofsd has ended. The guest's /home hangs."


def test_daemon_died_since_its_source_is_missing() -> None:
    assert statuses(sources=False)[0].why.startswith("/srv/home does not exist.")


@pytest.mark.parametrize(
    ("sockets", "connected", "health"),
    [
        (None, None, ShareHealth.UNKNOWN),
        (frozenset({"web-home.sock"}), True, ShareHealth.UP),
        (frozenset({f"{DIRECTORY}/web-home.sock"}), True, ShareHealth.UP),
        (frozenset(), False, ShareHealth.DOWN),
    ],
)
def test_connection(sockets: frozenset[str] | None, connected: bool | None, health: ShareHealth) -> None:
    home = statuses(PARENT._replace(connected_sockets=sockets))[0]
    assert (home.connected, home.health) == (connected, health)


def test_a_frozen_daemon_serves_nobody() -> None:
    home = statuses(CHILD._replace(connected_sockets=frozenset({"web-home.sock"}), frozen=True), PARENT)[0]
    assert home.health is ShareHealth.DOWN
    assert "kill -CONT 91 lets" in home.why


def test_the_command_lets_all_of_a_frozen_daemon_go_on() -> None:
    """virtiofsd is two processes, and it serves nobody while one of them is stopped."""
    home = statuses(CHILD._replace(frozen=True), PARENT._replace(frozen=True))[0]
    assert f"kill -CONT {PARENT.pid} {CHILD.pid} lets" in home.why
    (finding,) = found(state=State(StateWord.DEGRADED, None, ""), shares=(home,))
    assert finding.fix == f"kill -CONT {PARENT.pid} {CHILD.pid}"


def test_nothing_is_down_while_nothing_runs() -> None:
    assert {status.health for status in statuses(hypervisor=None)} == {ShareHealth.OFF}


def test_daemons_that_we_may_not_see_are_unknown() -> None:
    assert statuses(visible=False)[0].health is ShareHealth.UNKNOWN


def test_daemons_of_a_hypervisor_that_we_may_not_see_either_are_unknown() -> None:
    assert [status.health for status in statuses(hypervisor=None, visible=False)] == [ShareHealth.UNKNOWN] * 2


def test_9p_is_served_by_the_hypervisor() -> None:
    assert statuses()[1].health is ShareHealth.UP
    assert statuses()[1].daemons == ()


def test_relative_paths_are_looked_up_in_the_state_directory() -> None:
    asked: list[str] = []

    def exists(path: str) -> bool:
        asked.append(path)
        return True

    def source_of(path: str) -> SourceFacts:
        asked.append(path)
        return SourceFacts(path)

    share_statuses(Definition(shares=(HOME, DOCS)), DIRECTORY, None, [], exists, source_of)
    assert set(asked) == {"/srv/home", f"{DIRECTORY}/web-home.sock", f"{DIRECTORY}/docs"}
