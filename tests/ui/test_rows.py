"""The column of states: what a unit's result is, nothing is cut off."""

from datetime import timedelta

import pytest

from mvtui.model.microvm import MicroVM
from mvtui.model.row import row
from mvtui.model.state import State, StateWord
from mvtui.model.unit import UnitKind
from mvtui.operations.states import Evidence, derive
from mvtui.ui.rows import layout
from tests.fakes import EPOCH, process, unit
from tests.operations.test_health import ENTRY

UNIT = "microvm@web.service"
RESULTS = (
    *("oom-kill", "timeout", "watchdog", "core-dump", "resources", "protocol", "start-limit-hit", "dependency"),
    *("keeper-killed", "exit-code", "exec-condition"),
)


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("width", [39, 60, 80, 120])
def test_how_it_failed_has_room(result: str, width: int) -> None:
    failed = unit(UNIT, "failed", "failed")._replace(result=result, exec_status=255 if result == "signal" else 0)
    state = derive(Evidence("web", ENTRY, {UnitKind.HYPERVISOR: failed}, True, "systemd", None, ()))
    assert state.word is StateWord.FAILED
    columns = layout(width, False)
    shown = {
        column.title: text
        for (column, _), (text, _) in zip(
            columns.columns,
            columns.line(columns.cells(MicroVM("web", "/vms/web", state), EPOCH)),
            strict=True,
        )
    }
    assert "…" not in shown["STATE"]
    assert shown["STATE"].startswith("failed ")


def test_the_word_itself_where_there_is_room() -> None:
    state = State(StateWord.FAILED, None, "why", "dependency")
    one = MicroVM("web", "/vms/web", state)
    texts = [layout(width, False).cells(one, EPOCH)[2][0] for width in (80, 90, 60)]
    assert texts == ["failed depend.", "failed dependency", "failed dependency"]


@pytest.mark.parametrize(
    ("word", "told"), [(StateWord.RUNNING, "5m"), (StateWord.ORPHAN, "5m"), (StateWord.DEGRADED, "-")]
)
def test_what_went_wrong_meanwhile_is_not_as_old_as_its_hypervisor(word: StateWord, told: str) -> None:
    """Frozen a second ago, seen for the first time: nobody knows since when, and the list must not say five minutes."""
    started = EPOCH - timedelta(minutes=5)
    hypervisor = process(1, "web", "qemu")._replace(started=started)
    assert row(MicroVM("web", "/vms/web", State(word, None, "why"), hypervisor=hypervisor), EPOCH).age == told
