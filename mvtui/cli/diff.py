"""`mvtui diff NAME` and `mvtui show NAME --stage STAGE`: what is defined, built and booted, and where they differ."""

from collections.abc import Iterator

from mvtui.cli.columns import aligned
from mvtui.cli.drift_report import drift_documents
from mvtui.cli.output import Json
from mvtui.cli.report import SCHEMA, definition_document
from mvtui.model.definition import Definition, Share, Volume
from mvtui.model.drift import FieldDrift, Follow
from mvtui.model.drift_fields import Fields, Stage, Value, share_fields, tells, top_fields, volume_fields
from mvtui.model.drift_words import place_words, value_words
from mvtui.model.finding import Finding
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.own_command import own_command
from mvtui.model.text import clean
from mvtui.operations.checks.check import rebuild_command


def diff_document(snapshot: Snapshot, microvm: MicroVM) -> Json:
    """`diff --json`."""
    return {
        "schema": SCHEMA,
        "host": snapshot.host,
        "name": microvm.name,
        "stages": {
            str(stage): {"known": _definition(microvm, stage) is not None, "words": _where(microvm, stage)}
            for stage in Stage
        },
        "drift": drift_documents(microvm),
    }


def diff_lines(microvm: MicroVM) -> list[str]:
    """A line for each field that differs, and what must follow; then where each stage is read from."""
    stages = [(f"  {stage}", clean(_where(microvm, stage))) for stage in Stage]
    if not microvm.drift:
        known = [str(stage) for stage in Stage if _definition(microvm, stage) is not None]
        words = f"nothing differs between {' and '.join(known)}" if len(known) > 1 else "there is nothing to compare"
        return [f"{clean(microvm.name)}: {words}", *aligned(stages)]
    head = ("", *(str(stage).upper() for stage in Stage), "TO FOLLOW")
    return [*aligned([head, *map(_row, microvm.drift)]), "", *aligned([*stages, *_to_follow(microvm)])]


def _row(one: FieldDrift) -> tuple[str, ...]:
    values = dict(one.values)
    told = [clean(value_words(one.field, values[stage])) if stage in values else "unknown" for stage in Stage]
    return (clean(place_words(one)), *told, ", ".join(one.follows))


def _to_follow(microvm: MicroVM) -> Iterator[tuple[str, str]]:
    follows = {follow for one in microvm.drift for follow in one.follows}
    if Follow.REBUILD in follows and microvm.entry is not None:
        yield "  rebuild", clean(rebuild_command(microvm.name, microvm.entry))
    if Follow.RESTART in follows:
        yield "  restart", clean(own_command("restart", microvm.name))


def stage_document(snapshot: Snapshot, microvm: MicroVM, stage: Stage) -> Json:
    """`show --stage --json`: `definition` is null where the stage is not there, or not known."""
    definition = _definition(microvm, stage)
    return {
        "schema": SCHEMA,
        "host": snapshot.host,
        "name": microvm.name,
        "stage": str(stage),
        "words": _where(microvm, stage),
        "definition": definition_document(definition) if definition is not None else None,
    }


def stage_lines(microvm: MicroVM, stage: Stage) -> list[str]:
    """What that stage knows, under the options' names."""
    definition = _definition(microvm, stage)
    lines = [f"{clean(microvm.name)}  {stage}: {clean(_where(microvm, stage))}"]
    if definition is None:
        return lines
    known = microvm.definition.hypervisor if microvm.definition is not None else None
    hypervisor = definition.hypervisor or known
    lines += _fields(top_fields(definition, stage), "")
    for option, items in (("shares", definition.shares), ("volumes", definition.volumes)):
        if not tells(definition, stage, option):
            lines.append(f"{option}  not told")
        for item in items:
            lines += _item(item, definition, stage, hypervisor)
    return lines


def _item(item: Share | Volume, definition: Definition, stage: Stage, hypervisor: Hypervisor | None) -> Iterator[str]:
    if isinstance(item, Share):
        yield clean(f"share {item.tag or '?'}")
        yield from _fields(share_fields(item, hypervisor), "  ")
    else:
        letter = f"  vd{item.letter}" if item.letter else ""
        yield clean(f"volume {item.image}{letter}")
        yield from _fields(volume_fields(item, definition, stage, hypervisor), "  ")


def _fields(fields: Fields, indent: str) -> list[str]:
    def words(name: str, value: Value) -> str:
        return clean(value_words(name, value))

    return aligned([(f"{indent}{name}", words(name, value)) for name, value in fields.items()])


def _definition(microvm: MicroVM, stage: Stage) -> Definition | None:
    if stage is Stage.DEFINED:
        return microvm.defined
    if stage is Stage.BUILT:
        return microvm.built.definition if microvm.built is not None else None
    return microvm.booted


def _where(microvm: MicroVM, stage: Stage) -> str:
    """Where that stage is read from, or why it is not known."""
    entry = microvm.entry
    if stage is Stage.DEFINED:
        wrong: Finding | None = next((one for one in microvm.findings if one.subject == "definition"), None)
        return wrong.why if wrong is not None else microvm.document or "by no file of its own"
    if stage is Stage.BUILT:
        unread = microvm.built is None or microvm.built.definition is None
        problem = next(iter(microvm.built.problems), "can't be read") if microvm.built is not None else ""
        current = entry.current if entry is not None else None
        return f"{current}: {problem}" if current and unread else current or "nothing"
    if microvm.booted is None:
        return "nothing runs" if not microvm.state.word.is_up else "what runs can't be seen"
    booted = entry.booted if entry is not None else None
    pid = f"pid {microvm.hypervisor.pid}" if microvm.hypervisor is not None else ""
    return ", ".join(part for part in (booted, pid) if part)
