"""A panel whose logs are a flood, or those of the journal in a directory that is named; for tests behind a pty."""

import sys
from dataclasses import replace
from pathlib import Path

from mvtui.host.journal_logs import JournalLogs
from mvtui.ui.run import run_panel
from tests.ui import flood
from tests.ui.fake_host import FakeHost
from tests.ui.full_samples import DEGRADED
from tests.ui.samples import snapshot


def main() -> int:
    """The exit code of the panel."""
    fake = FakeHost(snapshot(DEGRADED))

    def logs(_host: object, microvm: str) -> JournalLogs:
        if len(sys.argv) > 1:
            return JournalLogs([microvm], options=["-D", sys.argv[1]])
        return JournalLogs([microvm], program=sys.executable, options=[str(Path(flood.__file__))])

    return run_panel(fake.host, seams=replace(fake.seams, logs=logs))


if __name__ == "__main__":
    raise SystemExit(main())
