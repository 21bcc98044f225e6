"""What happened to a microVM, with what hostile names may be made of."""

from mvtui.model.timeline import Event, EventKind, Timeline
from tests.ui.samples import ago

_CURRENT = "/nix/store/0000000000000000000000000000000b-microvm-qemu-git"

PAST = Timeline(
    (
        Event(ago(minutes=2), EventKind.MENDED, "Its disk under /srv/git is 96% full."),
        Event(ago(minutes=12), EventKind.VIRTIOFSD, "virtiofsd of share home ended", "terminated by SIGKILL"),
        Event(ago(minutes=12), EventKind.FINDING, "Share home is down.", "Its virtiofsd ended; the guest hangs on it."),
        Event(ago(hours=2), EventKind.RESTART, "systemd restarted it, for the 3rd time", "exit 1, result exit-code"),
        Event(ago(hours=2, seconds=5), EventKind.FAILED, "the hypervisor failed", "exit 1, result exit-code", ok=False),
        Event(ago(hours=3), EventKind.START, "git is running (1.2 s)", "start", "ada", True, 1.2),
        Event(ago(hours=3, seconds=1), EventKind.START, "the hypervisor was started"),
        Event(ago(days=1), EventKind.RESET, "git: its overlay is new; the old one is kept", "reset", "root", True, 0.4),
        Event(ago(days=1, seconds=9), EventKind.STOP, "the hypervisor was stopped"),
        Event(ago(days=1, hours=2), EventKind.SAVE, "git: 2 settings saved", "edit", "ada", True, 0.1),
        Event(ago(days=1, hours=3), EventKind.GROW, "git: logs.img has 8.0G now", "grow", "root", True, 2.5),
        Event(ago(days=2), EventKind.COMMAND, "git: nothing is under way", "cancel", "uid 1000", False, 0.1),
        Event(ago(days=300), EventKind.REBUILD, f"current became {_CURRENT}", key=_CURRENT),
        Event(ago(days=500), EventKind.FINDING, "[b]bold[/b] \x1b]0;title\x07\n", "\u202e[@click=app.quit]x[/]"),
    )
)
