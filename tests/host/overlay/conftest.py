"""A host with one microVM that has an overlay."""

from collections.abc import Iterator

import pytest

from tests.host.overlay.overlay_host import OverlayHost, overlay_host


@pytest.fixture
def overlay() -> Iterator[OverlayHost]:
    """Its image holds `old`."""
    with overlay_host() as made:
        made.write(made.image, "old")
        yield made
