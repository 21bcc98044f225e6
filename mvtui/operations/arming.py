"""Arming: the overlay is reset by itself before the microVM's next start, or before each, whoever starts it."""

import shlex
import time
from contextlib import suppress

from mvtui.errors import MvtuiError
from mvtui.host import drop_ins
from mvtui.host.armed import new_arming, read_arming, remove_arming, write_arming
from mvtui.host.own_program import lasting_argv
from mvtui.host.ports import Host
from mvtui.model.arming import Arming
from mvtui.model.overlay import Armed, OverlayKind
from mvtui.model.overlay_plan import plan_reset
from mvtui.model.own_command import own_command
from mvtui.model.text import clean
from mvtui.model.unit import UnitKind, unit_name
from mvtui.operations.armed_start import AtStart, give_up_later, leave, reset_if_armed
from mvtui.operations.armed_states import host_runs_it
from mvtui.operations.kept import Kept
from mvtui.operations.lifecycle import refuse_what_is_no_name
from mvtui.operations.overlay_evidence import look, targeted
from mvtui.operations.overlay_outcome import ResetOutcome, of_plan, recorded
from mvtui.operations.uninterrupted import in_thread

__all__ = ["AtStart", "arm", "give_up_later", "leave", "reset_if_armed"]

_WHEN = {Armed.ONCE: "before its next start", Armed.ALWAYS: "before every start"}


async def arm(
    host: Host, name: str, how: Armed | None, *, persistent: bool = False, strict: bool = False
) -> ResetOutcome:
    """Arm the microVM, arm it otherwise, or, where `how` is None, disarm it. The outcome's `action` is `arm` or
    `disarm`; `words` says what will happen at its next start, `hint` what ends that (the next boot of the host, where
    it is not `persistent`). To disarm what is not armed is done, and said.

    `strict`: a reset that is refused then keeps the microVM from starting. With systemd this writes a drop-in of
    `microvm@NAME.service` below /run/systemd/system, with `persistent` below /etc/systemd/system, and lets systemd read
    it; where the host's own configuration runs `reset --if-armed` for every microVM (NixOS), the record alone. Without
    systemd the keeper does it, and the record is all.

    `nothing` where it has no overlay that outlives a start, `refused` where nobody can tell which it is. Raises
    RightsMissingError, and MvtuiError: there is no such microVM, its name can't be a unit's, others than root can
    change the program, the place can't be written (on NixOS with `persistent`: the hint has the lines of configuration
    that do it), systemd does not answer. Then everything is as it was.
    """
    refuse_what_is_no_name(name)
    began = time.monotonic()
    action = "disarm" if how is None else "arm"
    try:
        if how is None:
            outcome = await _disarm(host, name)
        else:
            outcome = await _arm(host, name, how, persistent=persistent, strict=strict)
    except MvtuiError as error:
        recorded(host, ResetOutcome(name, action, False, f"{name}: {error.message}"))
        raise
    return recorded(host, outcome._replace(seconds=time.monotonic() - began))


async def _arm(host: Host, name: str, how: Armed, *, persistent: bool, strict: bool) -> ResetOutcome:
    evidence = await in_thread(targeted, host, await look(host, Kept(host, inline=False)), name)
    if evidence.target.kind not in (OverlayKind.VOLUME, OverlayKind.SHARE):
        return of_plan(name, "arm", plan_reset(evidence))
    program = await in_thread(lasting_argv)
    by_host = False
    if host.units.manager == "systemd":
        drop_ins.refuse_what_is_no_instance(name)
        by_host = await host_runs_it(host, name)
    arming = new_arming(how, strict=strict, persistent=persistent, by_host=by_host)
    before = await in_thread(_known, host, name)
    try:
        await in_thread(write_arming, host.records, name, arming)
        if host.units.manager == "systemd" and not by_host:
            await _hook(host, name, program, arming)
    except MvtuiError:
        with suppress(MvtuiError):
            await in_thread(_put_back, host, name, before)
        raise
    words = f"{name}: its overlay is reset {_WHEN[how]}"
    if strict:
        words += "; a reset that is refused keeps it from starting"
    return ResetOutcome(name, "arm", True, words, _how_long(host, name, arming))


def _known(host: Host, name: str) -> Arming | None:
    with suppress(MvtuiError):
        return read_arming(host.records, name)
    return None


def _put_back(host: Host, name: str, before: Arming | None) -> None:
    if before is None:
        remove_arming(host.records, name)
    else:
        write_arming(host.records, name, before)


async def _hook(host: Host, name: str, program: list[str], arming: Arming) -> None:
    """Let systemd run it. Where that fails, a drop-in that was not there before is not there after."""
    persistent = arming.persistent
    new = not await in_thread(drop_ins.has, host, name, persistent=persistent)
    await in_thread(drop_ins.write, host, name, program, persistent=persistent, strict=arming.strict)
    try:
        await in_thread(drop_ins.remove, host, name, persistent=not persistent)
        await host.units.reload()
        await _refuse_what_does_not_run(host, name, drop_ins.path_of(name, persistent=persistent))
    except MvtuiError:
        if new:
            with suppress(MvtuiError):
                await in_thread(drop_ins.remove, host, name, persistent=persistent)
        raise


async def _refuse_what_does_not_run(host: Host, name: str, path: str) -> None:
    """systemd may not look there (SYSTEMD_UNIT_PATH), or have a drop-in that takes all commands back."""
    if not any(drop_ins.is_armed_reset(command) for command in await host.units.before_start(name)):
        unit = unit_name(UnitKind.HYPERVISOR, name)
        raise MvtuiError(f"systemd does not run what is in {path}", f"systemctl cat {shlex.quote(unit)} shows why")


def _how_long(host: Host, name: str, arming: Arming) -> str:
    off = f"{own_command('arm', clean(name), option='--off')} undoes that"
    if host.units.manager != "systemd":
        return off
    if arming.by_host:
        return f"the host's own configuration runs it, also after a boot of the host; {off}"
    if arming.persistent:
        return f"also after a boot of the host; {off}"
    return f"until the host boots again, --persistent lasts longer; {off}"


async def _disarm(host: Host, name: str) -> ResetOutcome:
    had = await in_thread(remove_arming, host.records, name)
    removed = []
    if host.units.manager == "systemd":
        removed = [await in_thread(drop_ins.remove, host, name, persistent=persistent) for persistent in (False, True)]
    hint = ""
    if any(removed):
        try:
            await host.units.reload()
        except MvtuiError as error:
            hint = f"systemd still runs a command that does nothing now, until systemctl daemon-reload: {error.message}"
    if not had and not any(removed):
        return ResetOutcome(name, "disarm", True, f"{name}: it is not armed")
    return ResetOutcome(name, "disarm", True, f"{name}: it is not armed any more: no start resets its overlay", hint)
