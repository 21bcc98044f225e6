"""What systemd says of units, without their environments."""

from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.host.unit_texts import unit_texts, without_environment

UNIT = """# /etc/systemd/system/microvm@.service
[Service]
Environment=A=secret "B=x"
  Environment=C=secret \\
    D=secret \\
    E=secret
ExecStart=/bin/x \\
    --more
SetCredential=login: \\
        secret
LoadCredential=login:/run/x
EnvironmentFile=/run/env
User=microvm
"""
LEFT = """# /etc/systemd/system/microvm@.service
[Service]
Environment=[left out]
Environment=[left out]
ExecStart=/bin/x \\
    --more
SetCredential=[left out]
LoadCredential=login:/run/x
EnvironmentFile=/run/env
User=microvm
"""


def test_no_environment() -> None:
    assert without_environment(UNIT) == LEFT
    assert without_environment("") == ""


def systemctl(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "systemctl").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_both_verbs_with_what_is_said_of_one_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl(tmp_path, 'echo "$@"; echo "Environment=A=secret"; echo "No files found for x." >&2; exit 1', monkeypatch)
    calls = CallLog()
    text = unit_texts(["microvm@a.service", "-x"], calls)
    assert "--no-pager cat -- microvm@a.service -x" in text
    assert "--no-pager show -- microvm@a.service -x" in text
    assert "No files found for x." in text
    assert "secret" not in text
    assert [call.ok for call in calls.calls] == [False, False]


def test_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl(tmp_path, "echo 'Failed to connect to bus' >&2; exit 1", monkeypatch)
    with pytest.raises(MvtuiError, match="Failed to connect to bus"):
        unit_texts(["microvm@a.service"], CallLog())
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    with pytest.raises(MvtuiError, match="gives no answer"):
        unit_texts(["microvm@a.service"], CallLog())
    with pytest.raises(MvtuiError, match="none of its units"):
        unit_texts([], CallLog())
