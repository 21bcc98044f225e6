"""`mvtui show NAME --events …`: what happened to a microVM, alone, and as far back as it is known."""

import argparse
from datetime import UTC, datetime

from mvtui.cli.columns import aligned
from mvtui.cli.life_report import timeline_document
from mvtui.cli.looking import host_of, look, must_find
from mvtui.cli.output import write_json, write_lines
from mvtui.cli.report import SCHEMA
from mvtui.cli.show import event_rows
from mvtui.errors import ExitCode
from mvtui.model.text import clean
from mvtui.model.timeline import EventGroup, Timeline
from mvtui.operations.timeline import read_timeline

ALL = "all"


def run_events(args: argparse.Namespace) -> int:
    """Write the events that `args.events` names. Raises MvtuiError where the name is no microVM's."""
    host = host_of(args)
    snapshot = look(args, host=host)
    must_find(snapshot, args.name)
    timeline = read_timeline(host, args.name).only(EventGroup(args.events) if args.events != ALL else None)
    if args.json:
        head = {"schema": SCHEMA, "host": snapshot.host, "name": args.name, "events": args.events}
        write_json({**head, **timeline_document(timeline)})
    else:
        write_lines(_lines(timeline, datetime.now(UTC)))
    return ExitCode.OK


def _lines(timeline: Timeline, now: datetime) -> list[str]:
    lines = aligned(event_rows(timeline, now, len(timeline.events)))
    return [*(lines or ["nothing of that is known to have happened"]), *map(clean, timeline.troubles)]
