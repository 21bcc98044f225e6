"""Fixtures of the tests of resets, and of what goes wrong."""

from collections.abc import Iterator

import pytest

from tests.operations.overlay_worker import workers as workers  # noqa: PLC0414 (pytest finds it here)
from tests.operations.sick_host import SickHost, sick_host


@pytest.fixture
def sick() -> Iterator[SickHost]:
    """A host that is healthy until something is changed."""
    with sick_host() as host:
        yield host
