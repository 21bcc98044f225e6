"""Looks at the host that the arguments name."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from mvtui.cli.loops import at_once, in_loop
from mvtui.cli.output import complain
from mvtui.cli.settled import bypass_of, chosen_of
from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.ports import Host
from mvtui.model.finding import NO_RIGHTS, Finding, Severity
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.operations.hosts import open_host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mvtui.operations.kept import Kept

# CPU % is what a process has used between two samples; ProcFs takes none that are less than 0.2 s apart.
CPU_SECONDS = 0.25


def host_of(args: argparse.Namespace) -> Host:
    """The host that `args` names. Raises MvtuiError."""
    chosen = chosen_of(args)
    settings = chosen.settings
    definitions = Path(settings.definitions) if settings.definitions is not None else None
    return open_host(
        Path(settings.state_dir), settings.manager, definitions, Path(chosen.host_state_dir), bypass_of(args)
    )


def look(
    args: argparse.Namespace, closer_at: str | None = None, *, cpu: bool = False, host: Host | None = None
) -> Snapshot:
    """One look at the host that `args` names, and a closer one at its microVM `closer_at`; with `cpu` CPU_SECONDS
    later, and it knows how busy processes are."""
    from mvtui.operations.kept import Kept

    host = host or host_of(args)
    kept = Kept(host, inline=closer_at is None, closer=closer_at)
    snapshot = look_once(host, kept, cpu=cpu)
    if closer_at is None:
        return snapshot
    from mvtui.operations.closer import look_closer

    return look_closer(host, kept, (closer_at,))


def look_once(host: Host, kept: "Kept", *, cpu: bool = False) -> Snapshot:
    """One look at `host`, which is closed after it; what was seen is in `kept`. With `cpu` as `look`."""
    from mvtui.operations.inventory import take_snapshot

    if cpu and host.processes.sample():
        time.sleep(CPU_SECONDS)

    async def once() -> Snapshot:
        try:
            return await take_snapshot(host, kept)
        finally:
            await host.units.close()
            host.processes.close()

    return in_loop(once()) if host.units.manager == "systemd" else at_once(once())


def look_closely(args: argparse.Namespace, names: Sequence[str], *, cpu: bool = False) -> tuple[Host, Snapshot]:
    """The host that `args` names, and a close look at its microVMs `names`, or at all where there are none: what the
    panel finds. Raises MvtuiError where one is no microVM, and where the state directory can't be read."""
    from mvtui.operations.closer import look_closer
    from mvtui.operations.kept import Kept

    host = host_of(args)
    kept = Kept(host, inline=False)
    must_be_known(look_once(host, kept, cpu=cpu), names)
    snapshot = only(look_closer(host, kept, names or None), names)
    put_on_record(args, host, snapshot)
    return host, snapshot


def put_on_record(args: argparse.Namespace, host: Host, snapshot: Snapshot) -> None:
    """What a close look at its microVMs has found, for the timeline, unless nothing may be written."""
    if not chosen_of(args).settings.read_only:
        from mvtui.operations.event_watch import record_close_look

        record_close_look(host, snapshot)


def only(snapshot: Snapshot, names: Sequence[str]) -> Snapshot:
    """The snapshot with the microVMs `names` alone; with all where there are none. Raises MvtuiError where one is no
    microVM."""
    if not names:
        return snapshot
    must_be_known(snapshot, names)
    return snapshot._replace(microvms=tuple(one for one in snapshot.microvms if one.name in names))


def must_be_known(snapshot: Snapshot, names: Sequence[str]) -> None:
    """Raises MvtuiError for a name that no microVM has, or where the names can't be read."""
    denied = next((finding for finding in snapshot.findings if finding.note == NO_RIGHTS), None)
    if denied is not None and not snapshot.microvms:
        raise MvtuiError(denied.what, denied.fix, ExitCode.NO_RIGHTS)
    for name in names:
        if snapshot.find(name) is None:
            from mvtui.cli.names import no_such_microvm

            error = no_such_microvm(snapshot, name)
            raise MvtuiError(error.message, error.hint, ExitCode.USAGE)


def look_at_one(args: argparse.Namespace, *, cpu: bool = False, host: Host | None = None) -> tuple[Snapshot, MicroVM]:
    """A closer look at `args.name`; `host` is what `args` names, where it was opened. Raises MvtuiError where it is no
    microVM."""
    snapshot = look(args, args.name, cpu=cpu, host=host)
    return snapshot, must_find(snapshot, args.name)


def must_find(snapshot: Snapshot, name: str) -> MicroVM:
    """The microVM of that name. Raises MvtuiError; what is wrong with the host is then said first."""
    microvm = snapshot.find(name)
    if microvm is None:
        from mvtui.cli.names import no_such_microvm

        say_findings(snapshot.findings)
        raise no_such_microvm(snapshot, name)
    return microvm


def say_findings(findings: Sequence[Finding]) -> int:
    """What is wrong with the host as a whole, on standard error; exit code 1 or 77 where a list can't be whole."""
    for finding in findings:
        if finding.severity is Severity.INFO:
            continue  # the list shows it as unknown, `--json` has it
        why = f" {finding.why}" if finding.why else ""
        complain(MvtuiError(finding.what + why, finding.fix))
    if any(finding.note == NO_RIGHTS for finding in findings):
        return ExitCode.NO_RIGHTS
    return ExitCode.FAILED if any(finding.severity is Severity.ERROR for finding in findings) else ExitCode.OK
