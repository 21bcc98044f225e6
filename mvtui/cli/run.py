"""Runs what the arguments ask for and turns every outcome into an exit code and, for people, a sentence."""

import argparse
import gc
import os
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

from mvtui.cli import arguments, early
from mvtui.cli.glyphs import of_stdout
from mvtui.cli.looking import host_of, look, look_at_one, look_closely, only, put_on_record, say_findings
from mvtui.cli.loops import in_loop
from mvtui.cli.output import complain, say, terminal_columns, write_json, write_lines
from mvtui.cli.settled import chosen_of, refuse_read_only, settings_of
from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.ports import Host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mvtui.model.timeline import Timeline

# 128 + SIGPIPE, 128 + SIGINT: what a shell reports of a program that these ended.
CLOSED_PIPE = 141
INTERRUPTED = 130


def run(argv: Sequence[str]) -> int:
    """The exit code of `argv`; errors are sentences on standard error."""
    try:
        args = arguments.parse(argv)
        code = _VERBS[args.verb](args)
    except MvtuiError as error:
        early.leave_names()
        return complain(error)
    except BrokenPipeError:
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _panel(args: argparse.Namespace) -> int:
    if not early.can_show_panel():
        term = os.environ.get("TERM", "")
        why = f"TERM is {term or 'not set'}" if os.isatty(0) and os.isatty(1) else "this is no terminal"
        say(f"mvtui: no panel, because {why}; the list instead (mvtui list)")
        return _list(args)
    from mvtui.cli.chosen_keys import keys_of
    from mvtui.cli.panel import open_panel

    keys = keys_of(chosen_of(args))
    gc.enable()
    return open_panel(host_of(args), settings_of(args), keys)


def _list(args: argparse.Namespace) -> int:
    if args.verb == "list" and args.watch:
        return _watch(args)
    from mvtui.cli.plain import list_lines

    names, cpu = getattr(args, "names", []), getattr(args, "cpu", False)
    if getattr(args, "closer", False):
        _, snapshot = look_closely(args, names, cpu=cpu)
    else:
        snapshot = only(look(args, cpu=cpu), names)
    if getattr(args, "json", False):
        from mvtui.cli.report import list_document

        write_json(list_document(snapshot))
    else:
        write_lines(list_lines(snapshot, of_stdout(settings_of(args).ascii), datetime.now(UTC), terminal_columns()))
    return say_findings(snapshot.findings)


def _watch(args: argparse.Namespace) -> int:
    from mvtui.cli.watch import run_watch
    from mvtui.operations.armed_start import leave

    async def until_it_ends() -> int:
        leave(await run_watch(host_of(args), args))  # no thread that hangs on a dead mount is waited for
        return ExitCode.OK

    gc.enable()
    return in_loop(until_it_ends())


def _show(args: argparse.Namespace) -> int:
    if args.events is not None:
        from mvtui.cli.events import run_events

        return run_events(args)
    host = host_of(args)
    snapshot, microvm = look_at_one(args, cpu=args.stage is None, host=host)
    put_on_record(args, host, snapshot._replace(microvms=(microvm,)))
    if args.stage is not None:
        from mvtui.cli.diff import stage_document, stage_lines
        from mvtui.model.drift_fields import Stage

        stage = Stage(args.stage)
        if args.json:
            write_json(stage_document(snapshot, microvm, stage))
        else:
            write_lines(stage_lines(microvm, stage))
    elif args.json:
        from mvtui.cli.report import show_document

        write_json(show_document(snapshot, microvm, _timeline(args)))
    else:
        from mvtui.cli.show import show_lines

        write_lines(show_lines(microvm, of_stdout(settings_of(args).ascii), datetime.now(UTC), _timeline(args)))
    return ExitCode.OK


def _timeline(args: argparse.Namespace) -> "Timeline":
    from mvtui.operations.timeline import read_timeline

    return read_timeline(host_of(args), args.name)


def _diff(args: argparse.Namespace) -> int:
    from mvtui.cli.diff import diff_document, diff_lines

    snapshot, microvm = look_at_one(args)
    if args.json:
        write_json(diff_document(snapshot, microvm))
    else:
        write_lines(diff_lines(microvm))
    return ExitCode.OK


def _logs(args: argparse.Namespace) -> int:
    from mvtui.cli.logs import check_options, run_logs

    check_options(args, datetime.now(UTC))
    host = host_of(args)
    gc.enable()
    return run_logs(host, args)


def _check(args: argparse.Namespace) -> int:
    from mvtui.cli.check import run_check

    return run_check(args)


def _act(args: argparse.Namespace) -> int:
    from mvtui.cli.act import act

    return _changing(args, lambda host: act(host, args.verb, args.names, as_json=args.json))


def _start(args: argparse.Namespace) -> int:
    if not args.fresh:
        return _act(args)
    from mvtui.cli.overlay import start_fresh

    return _changing(args, lambda host: start_fresh(host, args.names, as_json=args.json))


def _reset(args: argparse.Namespace) -> int:
    from mvtui.cli.reset import check_options, reset

    check_options(args)
    if not args.if_armed:
        return _changing(args, lambda host: reset(host, args), harmless=args.dry_run)
    from mvtui.operations.arming import give_up_later, leave

    give_up_later()
    leave(_changing(args, lambda host: reset(host, args)))
    return ExitCode.OK


def _restore(args: argparse.Namespace) -> int:
    from mvtui.cli.overlay import restore

    return _changing(args, lambda host: restore(host, args.name, as_json=args.json))


def _arm(args: argparse.Namespace) -> int:
    from mvtui.cli.arm import arm

    return _changing(args, lambda host: arm(host, args))


def _changing(
    args: argparse.Namespace, work: Callable[[Host], Coroutine[Any, Any, int]], *, harmless: bool = False
) -> int:
    """Run what changes the host that `args` names, unless that is refused."""
    if not harmless:
        refuse_read_only(args, chosen_of(args))
    gc.enable()
    return in_loop(work(host_of(args)))


def _grow(args: argparse.Namespace) -> int:
    from mvtui.cli.grow import check_options, grow

    check_options(args)
    return _changing(args, lambda host: grow(host, args), harmless=args.dry_run)


def _store(args: argparse.Namespace) -> int:
    from mvtui.cli.store import check_options, run_store

    check_options(args)
    return _changing(args, lambda host: run_store(host, args), harmless=args.dry_run)


def _rebuild(args: argparse.Namespace) -> int:
    from mvtui.cli.rebuild import check_options, run_rebuild

    check_options(args)
    return _changing(args, lambda host: run_rebuild(host, args))


def _ssh(args: argparse.Namespace) -> int:
    from mvtui.cli.ssh import run_ssh

    return run_ssh(args)


def _bundle(args: argparse.Namespace) -> int:
    from mvtui.cli.bundle import run_bundle

    return run_bundle(args)


def _adopt(args: argparse.Namespace) -> int:
    from mvtui.cli.adopt import run_adopt

    return _changing(args, lambda host: run_adopt(host, args), harmless=args.print)


def _validate(args: argparse.Namespace) -> int:
    from mvtui.cli.validate import run_validate

    return run_validate(args)


def _config(args: argparse.Namespace) -> int:
    from mvtui.cli.config import run_config

    return run_config(args)


def _demo(args: argparse.Namespace) -> int:
    from mvtui.cli.demo import demo

    gc.enable()
    return demo(args)


def _completion(args: argparse.Namespace) -> int:
    from mvtui.cli.completion import script

    write_lines(script(args.shell).splitlines())
    return ExitCode.OK


_VERBS = {
    None: _panel,
    "list": _list,
    "show": _show,
    "diff": _diff,
    "check": _check,
    "logs": _logs,
    "start": _start,
    "stop": _act,
    "restart": _act,
    "kill": _act,
    "reset": _reset,
    "restore": _restore,
    "arm": _arm,
    "grow": _grow,
    "make-writable": _store,
    "share-store": _store,
    "rebuild": _rebuild,
    "ssh": _ssh,
    "bundle": _bundle,
    "adopt": _adopt,
    "validate": _validate,
    "config": _config,
    "demo": _demo,
    "completion": _completion,
}
