"""The check of this host in the panel."""

from rich.cells import cell_len

from mvtui.model.finding import Finding, Severity
from mvtui.operations.doctor import HostReport
from mvtui.ui.picture import Picture
from mvtui.ui.widgets.doctor_panel import doctor_entries
from tests.ui.conftest import Open
from tests.ui.fake_host import REPORT
from tests.ui.samples import EMPTY, HOSTILE, NOW, PRODUCT

QUIET = PRODUCT._replace(microvms=tuple(one._replace(findings=()) for one in PRODUCT.microvms))


async def test_it_shows_the_host_and_its_microvms_and_opens_one(open_panel: Open) -> None:
    async with open_panel(size=(100, 36)) as panel:
        await panel.press("D")
        assert "─ hv01: 2 errors, 2 warnings; Enter opens, Esc leaves" in panel.text
        assert "The disk under /var/lib/microvms is 96% full." in panel.text
        assert "/dev/kvm can be used" in panel.text
        await panel.press("j", "enter")
        assert "hv01 > git" in panel.text
        assert "Esc leaves" not in panel.text


async def test_it_follows_the_microvms_while_it_is_open(open_panel: Open) -> None:
    async with open_panel(size=(100, 36)) as panel:
        await panel.press("D")
        await panel.tell(QUIET)
        assert "─ hv01: 1 warning; Enter opens, Esc leaves" in panel.text
        await panel.press("D")
        assert "Esc leaves" not in panel.text


async def test_nothing_is_wrong(open_panel: Open) -> None:
    async with open_panel(EMPTY, size=(100, 36)) as panel:
        panel.host.report = HostReport((), REPORT.told)
        await panel.press("D")
        assert "─ hv01: nothing wrong" in panel.text
        assert "Nothing is wrong." in panel.text


def test_text_of_the_host_stays_text_and_within_the_width() -> None:
    bad = Finding(Severity.ERROR, "x", "x", "\x1b[2J[red]x" * 40, "a\nb", "界" * 200, NOW)
    report = HostReport((bad,), (("space", "\x1b[1m" * 50),))
    for width in (20, 60, 120):
        for entry in doctor_entries(Picture("hv01", NOW, HOSTILE), report, width):
            for one in entry.lines:
                assert all(piece.isprintable() for piece, _ in one)
                assert sum(cell_len(piece) for piece, _ in one) <= width
