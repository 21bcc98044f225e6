"""What follows from where the stages of a microVM differ: the notes `≠ rebuild` and `≠ restart`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mvtui.model.definition import Definition
from mvtui.model.drift import FieldDrift, Follow, drift
from mvtui.model.drift_fields import Stage
from mvtui.model.drift_words import place_words, stage_words
from mvtui.model.finding import Finding, Severity
from mvtui.operations.checks.check import rebuild_command, verb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mvtui.model.microvm import MicroVM
    from mvtui.operations.defined import DefinedDocument

REBUILD, RESTART = "≠ rebuild", "≠ restart"


def with_drift(microvm: MicroVM, document: DefinedDocument | None, last: MicroVM | None) -> MicroVM:
    """`microvm` with what its definition file says, and where its stages differ; that is taken over from `last` where
    no stage is another one."""
    defined = document.definition if document is not None else None
    path = document.path if document is not None else None
    known = last is not None and defined is last.defined and _stages(microvm) == _stages(last)
    found = last.drift if last is not None and known else _drift(microvm, defined)
    return microvm._replace(document=path, defined=defined, drift=found)


def _stages(microvm: MicroVM) -> tuple[object, ...]:
    return microvm.built, microvm.booted, _same_runner(microvm)


def _same_runner(microvm: MicroVM) -> bool:
    """What runs is what is built: that they do not differ needs no look."""
    entry = microvm.entry
    return entry is not None and entry.booted is not None and entry.booted == entry.current


def _drift(microvm: MicroVM, defined: Definition | None) -> tuple[FieldDrift, ...]:
    built = microvm.built.definition if microvm.built is not None else None
    booted = microvm.booted
    if booted is not None and built is not None and _same_runner(microvm):
        if defined is None:
            return ()
        booted = built
    return drift(defined, built, booted, directory=microvm.path)


def findings(microvm: MicroVM, document: DefinedDocument | None) -> Iterator[Finding]:
    """That its definition file is wrong, that it must be restarted, that it must be rebuilt."""
    if document is not None and document.problem is not None:
        problem = document.problem
        what = "Its definition file can't be read."
        fix = problem.hint or f"edit {document.path}"
        yield Finding(Severity.WARNING, "definition", "definition", what, f"{problem.message}.", fix)
    yield from another_runner(microvm)
    yield from another_definition(microvm)


def another_runner(microvm: MicroVM) -> Iterator[Finding]:
    """What was rebuilt is not there: a new share, more memory.

    Cause: a hypervisor keeps what it was started with. Seen: the link `current` is not `booted`, or the live command
    lines have something else than the runner behind `current`. Source: table 5, #200 #283.
    """
    entry = microvm.entry
    late = [one for one in microvm.drift if one.unbooted]
    if not microvm.state.word.is_up or not (late or (entry is not None and entry.stale)):
        return
    why = _first(late, (Stage.BUILT, Stage.BOOTED))
    if not late and entry is not None:
        why = f"It booted {entry.booted}; current is {entry.current}."
    what = "What runs differs from what is built."
    yield Finding(Severity.INFO, "booted", RESTART, what, why, verb("restart", microvm))


def another_definition(microvm: MicroVM) -> Iterator[Finding]:
    """What was edited has no effect, also after a restart.

    Cause: Nix has not read the definition file since. Seen: the file, against the runner behind `current`. Source: as
    above.
    """
    wanting = [one for one in microvm.drift if Follow.REBUILD in one.follows]
    if not wanting or microvm.entry is None:
        return
    unbuilt = any(one.unbuilt for one in wanting)
    what = f"What is defined differs from what {'is built' if unbuilt else 'runs'}."
    why = _first(wanting, (Stage.DEFINED, Stage.BUILT) if unbuilt else (Stage.DEFINED, Stage.BOOTED))
    then = f", then {verb('restart', microvm)}" if any(Follow.RESTART in one.follows for one in wanting) else ""
    fix = f"rebuild it: {rebuild_command(microvm.name, microvm.entry)}{then}"
    yield Finding(Severity.INFO, "defined", REBUILD, what, why, fix)


def _first(found: Sequence[FieldDrift], stages: Sequence[Stage]) -> str:
    """The first that differs, and how many do beside it."""
    if not found:
        return ""
    more = f" ({len(found) - 1} more differ{'s' if len(found) == 2 else ''})" if len(found) > 1 else ""
    return f"{place_words(found[0])}: {stage_words(found[0], stages)}{more}."
