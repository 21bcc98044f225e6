"""Where the records of a host are: see mvtui.host.records, which the list does without."""

import os
from contextlib import suppress
from pathlib import Path

DEFAULT_STATE_DIR = Path("/var/lib/microvms")
ROOTS_RECORDS = Path("/var/lib/mvtui")

_DIGEST_LENGTH = 16


def records_of(state_dir: Path) -> Path:
    """Where the records of the host under `state_dir` are for this process: below that directory for its owner, where
    that is not root; else what root keeps."""
    if os.geteuid() != 0:
        with suppress(OSError):
            if os.stat(state_dir).st_uid == os.geteuid():
                return state_dir / ".mvtui" / "records"
    if state_dir == DEFAULT_STATE_DIR:
        return ROOTS_RECORDS
    import hashlib  # noqa: PLC0415 (takes time, and is seldom needed)

    return ROOTS_RECORDS / hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:_DIGEST_LENGTH]
