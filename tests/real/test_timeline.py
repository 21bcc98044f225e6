"""What a real systemd and its journal tell of a microVM's life."""

import json

from tests.real.host import RealHost, wait_until

READ = """
import json, sys
from mvtui.host.calls import CallLog
from mvtui.host.journal_events import JournalEvents
events, trouble = JournalEvents(CallLog()).read(sys.argv[1])
print(json.dumps([trouble, [[str(one.kind), one.what, one.why] for one in sorted(events, key=lambda one: one.at)]]))
"""
# It fails at its first two starts, then stays.
UNIT = """[Service]
ExecStart=/bin/sh -c 'echo x >>/run/tale; test $(wc -l </run/tale) -gt 2 || exit 3; exec sleep 1000'
Restart=always
RestartSec=0.1
"""


def told(host: RealHost, microvm: str) -> list[tuple[str, str, str]]:
    trouble, events = json.loads(host.nested.python("-c", READ, microvm).stdout)
    assert trouble == ""
    return [(kind, what, why) for kind, what, why in events]


def test_failures_restarts_a_kill_and_a_stop(host: RealHost) -> None:
    unit = "microvm@tale.service"
    (host.nested.path("/run/systemd/system") / unit).write_text(UNIT)
    host.systemctl("daemon-reload")
    host.systemctl("start", unit)
    wait_until(lambda: host.property(unit, "NRestarts") == "2" and host.property(unit, "SubState") == "running", "?")
    host.systemctl("kill", "--signal=SIGKILL", unit)
    wait_until(lambda: host.property(unit, "NRestarts") == "3" and host.property(unit, "SubState") == "running", "?")
    host.systemctl("stop", unit)
    wait_until(lambda: told(host, "tale")[-1:] == [("stop", "the hypervisor was stopped", "")], "it is not logged")
    failed = ("failed", "the hypervisor failed", "exit 3, result exit-code")
    killed = "killed by SIGKILL, result signal"
    assert told(host, "tale") == [
        ("start", "the hypervisor was started", ""),
        failed,
        ("restart", "systemd restarted it", "exit 3, result exit-code"),
        failed,
        ("restart", "systemd restarted it, for the 2nd time", "exit 3, result exit-code"),
        ("failed", "the hypervisor failed", killed),
        ("restart", "systemd restarted it, for the 3rd time", killed),
        ("stop", "the hypervisor was stopped", ""),
    ]


def test_a_virtiofsd_that_ended_and_what_is_forged(host: RealHost) -> None:
    unit = "microvm-virtiofsd@tale2.service"
    folder = host.nested.path("/run/systemd/system")
    says = "2026-11-26 01:00:00,000 WARN exited: virtiofsd-home (terminated by SIGKILL; not expected)"
    (folder / unit).write_text(f"[Service]\nType=oneshot\nExecStart=/bin/echo '{says}'\n")
    host.systemctl("daemon-reload")
    host.systemctl("start", unit)
    forged = "MESSAGE_ID=39f53479d3a045ac8e11786248231fbf\nUNIT=microvm@tale2.service\nMESSAGE=Started\n"
    host.nested.run("logger", "--journald", stdin=forged)
    ended = ("virtiofsd", "virtiofsd of share home ended", "terminated by SIGKILL")
    wait_until(lambda: ended in told(host, "tale2"), "it is not logged")
    assert told(host, "tale2") == [ended]
