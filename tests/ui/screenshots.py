"""Makes screenshots/*.svg: `python -m tests.ui.screenshots`."""

import asyncio
import sys
from pathlib import Path

from tests.ui.scenes import SCENES, open_scene

FOLDER = Path(__file__).resolve().parents[2] / "screenshots"
PICTURES = {"list": (100, 24), "states": (100, 24), "question": (100, 24), "help": (100, 26), "light": (100, 24)}


async def take(name: str, size: tuple[int, int]) -> None:
    """Write one."""
    app, play = open_scene(SCENES[name])
    async with app.run_test(size=size) as pilot:
        await play(pilot)
        (FOLDER / f"{name}.svg").write_text(app.export_screenshot(title="mvtui"), encoding="utf-8")


def main() -> int:
    """All of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, size in PICTURES.items():
        asyncio.run(take(name, size))
        sys.stdout.write(f"{FOLDER.name}/{name}.svg\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
