"""`mvtui bundle NAME`: one archive for who helps, and what is in it."""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from mvtui.cli.check import check_document
from mvtui.cli.looking import host_of, look_at_one
from mvtui.cli.output import Json, write_json, write_lines
from mvtui.cli.report import SCHEMA, show_document
from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.ports import Host
from mvtui.model.format import size
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.text import clean
from mvtui.operations.bundle import Written, collect, default_path, promises, write
from mvtui.operations.doctor import examine
from mvtui.operations.timeline import read_timeline


def run_bundle(args: argparse.Namespace) -> int:
    """Write it to `args.output`, or here. Raises RightsMissingError, MvtuiError."""
    if args.output == "":
        raise MvtuiError("-o takes the name of a file", "mvtui bundle web -o web.tar.gz", ExitCode.USAGE)
    path = Path(os.path.abspath(args.output)) if args.output is not None else None
    if path is not None and os.path.lexists(path):
        raise MvtuiError(f"{path} is there already", "nothing is written over: -o names another file", ExitCode.REFUSED)
    host = host_of(args)
    snapshot, microvm = look_at_one(args, host=host)
    written = make_bundle(host, snapshot, microvm, path)
    if args.json:
        write_json(bundle_document(written))
    else:
        write_lines(bundle_lines(written))
    return ExitCode.OK


def make_bundle(host: Host, snapshot: Snapshot, microvm: MicroVM, path: Path | None = None) -> Written:
    """Collect and write it; `path` None: here. Blocking. Raises RightsMissingError, MvtuiError."""
    now = datetime.now(UTC)
    alone = snapshot._replace(microvms=(microvm,))
    documents: dict[str, object] = {
        "show.json": show_document(snapshot, microvm, read_timeline(host, microvm.name)),
        "check.json": check_document(alone, examine(host, alone)),
    }
    return write(collect(host, microvm, documents, now), path or default_path(microvm.name, now))


def bundle_document(written: Written) -> Json:
    """`bundle --json`."""
    bundle = written.bundle
    return {
        "schema": SCHEMA,
        "name": bundle.microvm,
        "path": os.fspath(written.path),
        "size": written.size,
        "members": [{"name": name, "size": len(content)} for name, content in bundle.files.items()],
        "missing": [one._asdict() for one in bundle.missing],
        "leftOut": bundle.left_out,
    }


def bundle_lines(written: Written) -> list[str]:
    """What is in it, for people."""
    bundle = written.bundle
    return [
        f"{clean(os.fspath(written.path))}  {size(written.size)}, readable for you alone",
        *(f"  {name:<16} {size(len(content)):>7}" for name, content in bundle.files.items()),
        *(f"  {one.part:<16} not in it: {one.why}" for one in bundle.missing),
        *promises(bundle.left_out),
    ]
