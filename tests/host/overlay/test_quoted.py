"""Paths in commands that a person may copy."""

import shlex

from hypothesis import given
from hypothesis import strategies as st

from mvtui.host.overlay.stop import quoted


@given(st.text(alphabet="a/.-_ '\"$;\\\n(é\x1b") | st.text())
def test_as_a_shell_reads_it(path: str) -> None:
    assert quoted(path) == shlex.quote(path)
