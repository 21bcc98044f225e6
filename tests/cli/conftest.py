"""What is put on record here is not this machine's."""

from pathlib import Path

import pytest

from mvtui.host import records, records_place


@pytest.fixture
def own_records(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where root's records are for this process, for tests that start no other."""
    place = tmp_path_factory.mktemp("records")
    monkeypatch.setattr(records_place, "ROOTS_RECORDS", place)
    monkeypatch.setattr(records, "ROOTS_RECORDS", place)
    return place
