"""Whether the names on the command line are microVMs: all of them, before anything is done to one."""

from collections.abc import Sequence

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.microvm import Snapshot
from mvtui.model.nearest import did_you_mean
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept


async def check_names(host: Host, names: Sequence[str]) -> None:
    """Raises MvtuiError for one that is no microVM's."""
    # The names are all that is needed of it: what takes long, the journal's answer, is not waited for.
    snapshot = await take_snapshot(host, Kept(host, inline=False), slow=False)
    for name in names:
        if snapshot.find(name) is None:
            raise no_such_microvm(snapshot, name)


def no_such_microvm(snapshot: Snapshot, name: str) -> MvtuiError:
    """The error for a name that no microVM has, with the nearest one that has."""
    hint = did_you_mean(name, [microvm.name for microvm in snapshot.microvms])
    stray = next((stray for stray in snapshot.strays if stray.name == name), None)
    if stray is not None:
        return MvtuiError(f"{name} in {snapshot.state_dir} is no microVM: {stray.what}", hint)
    return MvtuiError(
        f"there is no microVM {name!r} in {snapshot.state_dir}", hint or "mvtui list shows those there are"
    )
