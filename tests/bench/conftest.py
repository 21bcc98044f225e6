"""Prints the table of aims at the end of a benchmark run."""

import pytest

from tests.bench.scoreboard import table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = table()
    if lines:
        terminalreporter.section("aims and what was measured")
        for line in lines:
            terminalreporter.write_line(line)
