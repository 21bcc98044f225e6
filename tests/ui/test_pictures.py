"""The panel as a picture. A new or changed one is looked at before it is accepted (pytest --snapshot-update)."""

from collections.abc import Callable

import pytest

from tests.ui.scenes import SCENES, SIZES, THEMES, open_scene

# At one size alone: what differs is the theme, or the microVM on a page.
ONCE = tuple(name for name in SCENES if name.startswith((*THEMES, "ascii", "looping-", "stopped-")))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", [name for name in SCENES if name not in ONCE])
def test_picture(snap_compare: Callable[..., bool], name: str, size: tuple[int, int]) -> None:
    app, play = open_scene(SCENES[name])
    assert snap_compare(app, terminal_size=size, run_before=play)


@pytest.mark.parametrize("name", ONCE)
def test_theme(snap_compare: Callable[..., bool], name: str) -> None:
    app, play = open_scene(SCENES[name])
    assert snap_compare(app, terminal_size=(80, 24), run_before=play)
