"""Definition files to be judged: what hypothesis makes of shares, volumes and mistakes."""

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.nix.documents import FLAGS, OVERLAY, SHARE, SHARE_VALUES, TOP_VALUES, VOLUME, VOLUME_VALUES, Document

_NAMES = ("a", "b", "c", "ro-store")
_PATHS = ("/a", "/b", "/c", "/var", OVERLAY, OVERLAY, "/nix/.ro-store")
_SOURCES = ("/srv/a", "/srv/b", "/nix/store")


@st.composite
def _documents(draw: st.DrawFn) -> Document:
    """Shares and volumes whose names and mount points sometimes meet, and up to two mistakes."""
    document: Document = {}
    for option, chance in (("hypervisor", 6), ("writableStoreOverlay", 2), ("storeOnDisk", 8)):
        if draw(st.integers(1, chance)) == 1:
            values = (OVERLAY, OVERLAY, "/a") if option == "writableStoreOverlay" else TOP_VALUES[option]
            document[option] = draw(st.sampled_from(values[:7]))
    for key in ("shares", "volumes"):
        document[key] = [draw(_tables(key)) for _ in range(draw(st.integers(0, 3)))]
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        key = draw(st.sampled_from(("shares", "volumes")))
        options = SHARE_VALUES if key == "shares" else VOLUME_VALUES
        if document[key]:
            option = draw(st.sampled_from(sorted(options)))
            draw(st.sampled_from(document[key]))[option] = draw(st.sampled_from(options[option]))
    return document


@st.composite
def _tables(draw: st.DrawFn, key: str) -> Document:
    """One without a mistake of its own."""
    place = {"mountPoint": draw(st.sampled_from(_PATHS))}
    if key == "volumes":
        table = {**VOLUME, **place, "image": f"{draw(st.sampled_from(_NAMES))}.img"}
        table["fsType"] = draw(st.sampled_from(("ext4", "ext4", "ext3", "xfs", "btrfs", "vfat")))
    else:
        table = {**SHARE, **place, "tag": draw(st.sampled_from(_NAMES)), "source": draw(st.sampled_from(_SOURCES))}
        table["proto"] = draw(st.sampled_from(("virtiofs", "virtiofs", "9p")))
    for flag in FLAGS[key]:
        if draw(st.integers(1, 6)) == 1:
            table[flag] = draw(st.booleans())
    return table


def mixed(count: int) -> list[Document]:
    """`count` documents of several shares and volumes each, always the same ones."""
    found: list[Document] = []

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(_documents())
    def collect(document: Document) -> None:
        found.append(document)

    collect()
    return found
