"""A support bundle from a key: asked first, then what is in it."""

from datetime import UTC, datetime
from pathlib import Path

from mvtui.cli.arguments import VERBS
from mvtui.operations.bundle import Bundle, Missing, Written, promises
from tests.package.readme import README
from tests.ui.conftest import Open
from tests.ui.full_samples import HEALTHY
from tests.ui.samples import snapshot
from tests.ui.test_definitions import shows


async def test_asked_then_told(open_panel: Open) -> None:
    async with open_panel(snapshot(HEALTHY), size=(120, 30)) as panel:
        files = {"CONTENTS.txt": b"x" * 300, "logs.txt": b"y" * 5000}
        missing = (Missing("units.txt", "there are [none]"),)
        bundle = Bundle("web", datetime(2026, 8, 1, tzinfo=UTC), files, missing, 3)
        panel.host.written = Written(bundle, Path("/root/mvtui-web\x1b.tar.gz"), 2048)
        await panel.press("b")
        await shows(panel, "write a support bundle of wiki on hv01 to a file here?")
        # What its own list of contents says, and no more.
        said = "no credentials, no environment"
        assert f"· {said}\n" in panel.text
        assert promises(3)[0].lower().startswith(said)
        assert said in VERBS["bundle"]
        assert f"**{said.capitalize()}.**" in README.read_text()
        await panel.press("y")
        await shows(panel, "/root/mvtui-web\\x1b.tar.gz: 2.0K, readable for its owner alone")
        for words in ("CONTENTS.txt", "4.9K", "there are [none]", "3 values that look like"):
            assert words in panel.text
        await panel.press("escape")
        assert "written: /root/mvtui-web" in panel.text


async def test_one_that_can_t_be_written(open_panel: Open) -> None:
    async with open_panel(snapshot(HEALTHY), size=(80, 24)) as panel:
        await panel.press("b")
        assert "no credentials, no environment" in panel.text, "there is room for it everywhere"
        await panel.press("escape", "b", "y")
        await shows(panel, "/root/a.tar.gz can't be written: no space left on device")
