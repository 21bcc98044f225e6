"""The real stack once for all tests; where it can't run they skip, and in CI they fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.host import RealHost, required_host

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these in one process (pytest-xdist), first since they take longest, with time for downloads and for guests
    without KVM."""
    items.sort(key=lambda item: not item.path.is_relative_to(HERE))
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.real)
            item.add_marker(pytest.mark.xdist_group("real"))
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def host() -> Iterator[RealHost]:
    """A host without microVMs; each test adds its own, under a name of its own."""
    yield from required_host()


@pytest.fixture
def ending(host: RealHost) -> Iterator[list[str]]:
    """Names of microVMs that are ended with the test."""
    names: list[str] = []
    yield names
    for name in names:
        host.end(name)
