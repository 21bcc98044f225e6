"""Makes screenshots/demo-*.svg from the panel on a demo that really runs: `python -m tests.demo.pictures`."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from mvtui.demo.host import temporary
from mvtui.model.settings import DEFAULTS
from mvtui.operations.hosts import open_host
from mvtui.ui.app import MvtuiApp
from mvtui.ui.run import seams_of

FOLDER = Path(__file__).resolve().parents[2] / "screenshots"
SIZE = (100, 30)
SECONDS = 60.0

# Each picture with the keys that lead to it from the one before, and what then stands there; "" is none yet. The cursor
# begins at the top of the list; git is the fifth, lab the sixth.
PICTURES = (
    ("", (), ("looping", "emergency", "fsd home", "ov full", "≠ restart")),
    ("list", ("j", "j", "j", "j"), ("─ git ─", "does not exist")),
    ("page", ("enter",), ("> git", "Guest", "does not exist")),
    ("form", ("2", "down", "e", "down"), ("> share home", "^f creates it")),
    ("reset", ("escape", "escape", "q", "j", "O"), ("o resets",)),
    ("check", ("escape", "D"), ("errors", "db[prod]")),
)


class Demo:
    """The panel, on it."""

    def __init__(self, app: MvtuiApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def text(self) -> str:
        """What stands on its screen."""
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for it. Raises TimeoutError with what stands there instead."""
        try:
            async with asyncio.timeout(SECONDS):
                while not holds():
                    await asyncio.sleep(0.1)
                    await self.pilot.pause()
        except TimeoutError:
            raise TimeoutError(f"{what}:\n{self.text}") from None

    async def take(self, name: str, keys: tuple[str, ...], texts: tuple[str, ...]) -> None:
        """Press the keys, wait for the texts, write the picture."""
        await asyncio.sleep(0.4)  # a question that stands there takes no key before
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()
        await self.until(lambda: all(text in self.text for text in texts), ", ".join(texts))
        if name:
            picture = self.app.export_screenshot(title="mvtui demo")
            (FOLDER / f"demo-{name}.svg").write_text(picture, encoding="utf-8")
            sys.stdout.write(f"{FOLDER.name}/demo-{name}.svg\n")


async def take_all(state_dir: Path) -> None:
    """All of them, of the demo there."""
    app = MvtuiApp(open_host(state_dir, "direct"), seams=seams_of(DEFAULTS))
    async with app.run_test(size=SIZE) as pilot:
        demo = Demo(app, pilot)
        for name, keys, texts in PICTURES:
            await demo.take(name, keys, texts)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """With a demo of its own, which ends."""
    with temporary(_say) as made:
        asyncio.run(take_all(made.state_dir))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
