import time
from contextlib import closing

import pytest

from mvtui.host.journal_child import ChildEntries

SECONDS = 0.2


def _read(child: ChildEntries) -> None:
    until = time.monotonic() + 20 * SECONDS
    for _ in child.all_within(SECONDS):
        assert time.monotonic() < until


def test_one_that_never_pauses_is_not_read_for_longer_than_it_may() -> None:
    with closing(ChildEntries(["yes", "MESSAGE=hello\n"])) as child, pytest.raises(TimeoutError):
        _read(child)


def test_one_that_says_nothing_is_not_waited_for_longer_than_it_may() -> None:
    with closing(ChildEntries(["sleep", "60"])) as child, pytest.raises(TimeoutError):
        _read(child)


def test_what_ends_in_time_is_read_whole() -> None:
    with closing(ChildEntries(["printf", "MESSAGE=one\\n\\nMESSAGE=two\\n\\n"])) as child:
        assert list(child.all_within(60)) == [b"MESSAGE=one", b"MESSAGE=two"]
