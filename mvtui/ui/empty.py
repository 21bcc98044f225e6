"""What stands in the list's place where there is no microVM: what was looked at, and what would mend it. Pure."""

from mvtui.model.microvm import Snapshot
from mvtui.model.text import clean
from mvtui.ui.lines import Line, wrapped
from mvtui.ui.roles import SEVERITY_ROLES


def empty_lines(snapshot: Snapshot, width: int) -> tuple[Line, ...]:
    """Lines of at most `width` cells."""
    lines: list[Line] = [()]

    def say(text: str, role: str) -> None:
        lines.extend([(("  ", "text"), (line, role)) for line in wrapped(clean(text), width - 4, 4)])

    if snapshot.findings:
        for finding in snapshot.findings:
            say(finding.what, SEVERITY_ROLES[finding.severity])
            for more in (finding.why, finding.fix):
                if more:
                    say(more, "text")
            lines.append(())
    else:
        say(f"No microVM in {snapshot.state_dir}.", "strong")
        say(
            "microvm.nix's host module makes a directory there for each of microvm.vms; microvm -c NAME makes one.",
            "text",
        )
        lines.append(())
    if not any("mvtui demo" in finding.fix for finding in snapshot.findings):
        say("mvtui --state-dir DIR looks elsewhere; mvtui demo shows a host of samples.", "dim")
    return tuple(lines)


def filtered_lines(words: str, leave: str, width: int) -> tuple[Line, ...]:
    """What stands there where a filter lets none through; `leave` is the key that drops it."""
    return (
        (),
        *[
            (("  ", "text"), (line, "text"))
            for line in wrapped(f"No microVM matches {clean(words)}. {leave} shows all.", width - 4, 2)
        ],
    )
