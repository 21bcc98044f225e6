"""The parser of the command line: its help is as wide as the terminal, its mistakes are MvtuiErrors."""

import argparse
import os
from typing import Any, NoReturn

from mvtui.errors import ExitCode, MvtuiError


class _Help(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal. argparse makes one for every argument; by itself it asks shutil for the width, and to
    import that takes longer than to parse."""

    def __init__(self, prog: str) -> None:
        try:
            columns = int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size().columns
        except (OSError, ValueError):
            columns = 0
        super().__init__(prog, width=(columns or 80) - 2)


class Parser(argparse.ArgumentParser):
    """Mistakes become an MvtuiError with exit code 64."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=_Help, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        raise MvtuiError(message, f"see {self.prog} --help", ExitCode.USAGE)
