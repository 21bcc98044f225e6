"""Makes screenshots/*.svg: `python -m tests.ui.screenshots`."""

import asyncio
import sys
from pathlib import Path

from tests.ui.scenes import SCENES, open_scene

FOLDER = Path(__file__).resolve().parents[2] / "screenshots"
# File, scene, size.
PICTURES = (
    ("list", "list", (120, 24)),
    ("states", "states", (100, 24)),
    ("overview", "degraded-overview", (100, 30)),
    ("drift", "drift", (100, 30)),
    ("shares", "degraded-shares", (100, 26)),
    ("volumes", "healthy-volumes", (100, 30)),
    ("processes", "healthy-processes", (100, 30)),
    ("logs", "degraded-logs", (100, 26)),
    ("timeline", "healthy-timeline", (100, 26)),
    ("guest", "guest-emergency", (100, 26)),
    ("palette", "palette", (100, 26)),
    ("doctor", "doctor", (100, 30)),
    ("calls", "calls", (100, 24)),
    ("copy", "copy", (100, 26)),
    ("question", "question", (100, 24)),
    ("several", "several", (100, 24)),
    ("reset", "reset", (100, 26)),
    ("grow", "grow-mounted", (100, 26)),
    ("form", "share-errors", (100, 26)),
    ("definition", "definition-findings", (100, 28)),
    ("store-writable", "store-writable", (100, 30)),
    ("review", "review", (100, 34)),
    ("rebuild", "rebuild", (100, 26)),
    ("help", "help", (100, 36)),
    *((name, name, (100, 24)) for name in ("light", "contrast", "colour-blind", "terminal")),
)


async def take(name: str, scene: str, size: tuple[int, int]) -> None:
    """Write one."""
    app, play = open_scene(SCENES[scene])
    async with app.run_test(size=size) as pilot:
        await play(pilot)
        (FOLDER / f"{name}.svg").write_text(app.export_screenshot(title="mvtui"), encoding="utf-8")


def main() -> int:
    """All of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, scene, size in PICTURES:
        asyncio.run(take(name, scene, size))
        sys.stdout.write(f"{FOLDER.name}/{name}.svg\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
