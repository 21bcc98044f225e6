"""What is chosen reaches the panel."""

from typing import Any

import pytest

from mvtui.host.ports import Host
from mvtui.model.settings import DEFAULTS, Settings
from mvtui.operations import into
from mvtui.ui import run
from mvtui.ui.seams import look, only_look
from mvtui.ui.terminal import Terminal
from tests.ui.fake_host import FakeHost
from tests.ui.samples import DB

PLAIN = Terminal("terminal", ascii_only=True, mouse=False)
RICH = Terminal("dark", ascii_only=False, mouse=True)


@pytest.mark.parametrize("terminal", [PLAIN, RICH])
def test_a_terminal_is_as_it_is_unless_something_is_chosen(terminal: Terminal) -> None:
    assert terminal.with_settings(DEFAULTS) == terminal
    for value in (True, False):
        chosen = terminal.with_settings(DEFAULTS._replace(ascii="on" if value else "off"))
        assert (chosen.ascii_only, chosen.mouse) == (value, terminal.mouse)
        chosen = terminal.with_settings(DEFAULTS._replace(mouse="on" if value else "off"))
        assert (chosen.ascii_only, chosen.mouse) == (terminal.ascii_only, value)


def test_the_panel_is_made_as_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}

    class App:
        return_code = 7

        def __init__(self, host: Host, **given: Any) -> None:
            made.update(given)

        def run(self, *, mouse: bool) -> None:
            made["reports"] = mouse

        def last_words(self) -> list[str]:
            return []

    monkeypatch.setattr(run, "MvtuiApp", App)
    monkeypatch.setenv("LANG", "C.UTF-8")
    settings = Settings(interval=5.0, read_only=True, theme="contrast", ascii="on", mouse="off")
    assert run.run_panel(FakeHost().host, settings, keys={"stop": ("X",)}) == 7
    assert {
        name: made[name] for name in ("interval", "read_only", "theme", "ascii_only", "mouse", "reports", "keys")
    } == {
        "interval": 5.0,
        "read_only": True,
        "theme": "contrast",
        "ascii_only": True,
        "mouse": False,
        "reports": False,
        "keys": {"stop": ("X",)},
    }
    assert made["seams"].source is only_look
    assert run.seams_of(DEFAULTS).source is look


async def test_the_user_who_logs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    users: list[str] = []
    monkeypatch.setattr(into, "find_login", lambda _host, _microvm, user: users.append(user))
    for user in ("root", "ann"):
        await run.seams_of(DEFAULTS._replace(ssh_user=user)).find_login(FakeHost().host, DB)
    assert users == ["root", "ann"]
