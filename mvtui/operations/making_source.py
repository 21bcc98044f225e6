"""Makes the missing source directory of a share, where root alone decides what stands on the way to it."""

import os
import shlex
from functools import partial

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host import source_directory
from mvtui.host.field_looks import account_of
from mvtui.host.own_program import root_decides
from mvtui.host.ports import Host
from mvtui.model.call import CallKind
from mvtui.model.definition import Share
from mvtui.model.microvm import MicroVM
from mvtui.model.own_command import own_command
from mvtui.model.rights import Account
from mvtui.model.source_plan import MODE, SourcePlan, is_served_by_owner
from mvtui.model.text import clean
from mvtui.operations.definition_place import is_in_definitions
from mvtui.operations.in_time import LOOKS
from mvtui.operations.overlay_outcome import Attempt, Progress, ResetOutcome, recorded
from mvtui.operations.uninterrupted import in_thread, to_its_end

ACTION = "make source"
# What has not answered by then is behind a dead mount.
LOOK_SECONDS = 4.0


async def plan_source(host: Host, microvm: MicroVM, share: Share, *, typed: bool = False) -> SourcePlan:
    """What making the source of `share` of `microvm` would do. `typed`: a person has just written the source; else its
    definition file, or a runner that root alone can change, has to name it. Nothing is changed, nothing raised."""
    path = share.source or ""
    plan = SourcePlan(microvm.name, share.tag or "?", path)
    key = (ACTION, host.root, microvm.path, share, typed)
    work = partial(_plan, host, microvm, share, plan, typed=typed)
    try:
        found = await LOOKS.gather({key: work}, LOOK_SECONDS)
    except MvtuiError as error:
        return plan._replace(refusal=error.message, fix=error.hint)
    if key not in found:
        return plan._replace(
            refusal=f"what {path} is on does not answer", fix="mount it anew, or end what it waits for"
        )
    return found[key]


async def run_source(host: Host, plan: SourcePlan, on_progress: Progress | None = None) -> ResetOutcome:
    """Do what is planned. Raises RightsMissingError; all else that stands against it is an outcome. Cancelled, it goes
    on to its end."""
    attempt = Attempt(host, plan.microvm, ACTION, on_progress)
    return await attempt.run(to_its_end(_make(host, plan)))


def record_made(host: Host, plan: SourcePlan, words: str, *, ok: bool) -> ResetOutcome:
    """What came of `plan.argv` behind sudo, once it is on record."""
    said = told(plan) if ok else f"{plan.microvm}: {plan.path} is not made: {words}"
    return recorded(host, ResetOutcome(plan.microvm, ACTION, ok, said))


def told(plan: SourcePlan) -> str:
    """That it is there now, in a sentence."""
    return f"{plan.microvm}: {plan.path} is there now, {plan.owner} {MODE:04o}"


def _plan(host: Host, microvm: MicroVM, share: Share, plan: SourcePlan, *, typed: bool) -> SourcePlan:
    account = account_of(host, microvm.path)
    if not typed:
        _check_who_names_it(host, microvm, plan.path)
    place = source_directory.find_place(plan.path, account, host.root)
    if not place.makes:
        return plan._replace(nothing=f"{plan.path} is there already")
    (uid, gid), serves = _owner(host, microvm, share, account)
    as_others = (uid, gid) != (os.geteuid(), os.getegid()) and os.geteuid() != 0
    return plan._replace(
        makes=place.makes,
        uid=uid,
        gid=gid,
        owner=source_directory.owner_words(uid, gid),
        serves=serves,
        mount_point=place.mount_point,
        fs_type=place.fs_type,
        needs_root=as_others or not place.may_write,
    )


def _check_who_names_it(host: Host, microvm: MicroVM, path: str) -> None:
    """`current` belongs to the microVM's user, who can let it lead to a runner that names any directory of the host:
    none is made there with rights that are not his. Raises MvtuiError."""
    defined = microvm.defined.shares if microvm.defined is not None else ()
    if any(share.source == path for share in defined) and is_in_definitions(host, microvm):
        return
    built = microvm.built
    shares = built.definition.shares if built is not None and built.definition is not None else ()
    if built is None or not any(share.source == path for share in shares):
        raise MvtuiError(
            f"what is built of {microvm.name} does not name {path}: the next start needs another source",
            own_command("restart", microvm.name),
            ExitCode.REFUSED,
        )
    if not root_decides(str(host.on_disk(built.path))) and not _is_own(host, microvm):
        raise MvtuiError(
            f"others than root can change the runner that names {path}",
            f"name it in {clean(str(host.definitions))}/NAME.toml, or, if it is right: mkdir -p {shlex.quote(path)}",
            ExitCode.REFUSED,
        )


def _is_own(host: Host, microvm: MicroVM) -> bool:
    """Whether this process has no more rights than whoever chose the runner."""
    account = account_of(host, microvm.path)
    return os.geteuid() != 0 and account is not None and account.uid == os.geteuid()


def _owner(host: Host, microvm: MicroVM, share: Share, account: Account | None) -> tuple[tuple[int, int], str]:
    """Uid and gid of whoever serves the share, and that in words. Raises MvtuiError."""
    if not is_served_by_owner(share) and host.root_serves:
        return (0, 0), "virtiofsd, which serves it, runs as root"
    if not is_served_by_owner(share):
        return (os.geteuid(), os.getegid()), "virtiofsd, which serves it, runs as this user"
    owner = microvm.entry.owner if microvm.entry is not None else None
    if account is None or account.uid == 0:
        raise MvtuiError(
            f"nobody can tell as whom {microvm.name} runs, and its hypervisor serves the share",
            "chown its state directory",
            ExitCode.REFUSED,
        )
    gid = owner[1] if owner is not None and owner[1] else min(account.gids, default=0)
    return (account.uid, gid), f"the hypervisor, which serves it, runs as {account.name}"


async def _make(host: Host, plan: SourcePlan) -> ResetOutcome:
    if not plan.ok or not plan.makes:
        refusal = plan.nothing or plan.refusal
        words = f"{plan.microvm}: {plan.path} is not made: {refusal}"
        refused = not plan.nothing
        return ResetOutcome(plan.microvm, ACTION, False, words, plan.fix, refused=refused, nothing=not refused)
    if plan.needs_root:
        raise RightsMissingError(f"{plan.path} can't be made: permission denied", "root can do that")
    account = await in_thread(account_of, host, f"{host.state_dir}/{plan.microvm}")
    owner = plan.uid, plan.gid
    with host.calls.call(CallKind.COMMAND, shlex.join(plan.argv)):
        await in_thread(source_directory.make, plan.path, account, plan.makes, owner, host.root)
    return ResetOutcome(plan.microvm, ACTION, True, told(plan))
