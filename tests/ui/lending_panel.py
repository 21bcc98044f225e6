"""A driven panel that lends its terminal to programs of a folder, and copies for real:
`python -m tests.ui.lending_panel FOLDER`. There are its `commands` (a fifo), `definitions`, an `ssh`, maybe a
`journalctl`, and what it copies (`runtime`)."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from mvtui.host.ports import Host
from mvtui.operations.into import Login
from mvtui.ui.run import run_panel
from mvtui.ui.seams import copy_text, open_logs
from tests.ui.driven_panel import DrivenPanel


class LendingPanel(DrivenPanel):
    def __init__(self, folder: Path) -> None:
        super().__init__(os.open(folder / "commands", os.O_RDWR))
        self.folder = folder
        self.fake.login = Login((str(folder / "bin" / "ssh"),), "root@vm00")

    @property
    def host(self) -> Host:
        host = self.fake.host
        host.definitions = self.folder / "definitions"
        return host

    def run(self) -> int:
        seams = replace(self.fake.seams, source=self.source, copy=copy_text)
        if (self.folder / "bin" / "journalctl").exists():
            seams = replace(seams, logs=open_logs)
        return run_panel(self.host, seams=seams)


if __name__ == "__main__":
    (Path(sys.argv[1]) / "panel.pid").write_text(str(os.getpid()))
    raise SystemExit(LendingPanel(Path(sys.argv[1])).run())
