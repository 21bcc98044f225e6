"""What definition files define, read again only when they were changed."""

import os
from contextlib import suppress
from typing import NamedTuple

from mvtui.host.documents import DocumentError, read_definition
from mvtui.host.ports import Host
from mvtui.model.definition import Definition
from mvtui.model.microvm import MicroVM
from mvtui.operations.definition_place import find_document

# What tells that a file was written, or another one was put in its place: nobody can set the time of the last change.
_Stamp = tuple[int, int, int, int, int]


class DefinedDocument(NamedTuple):
    """The definition file of a microVM at `path` (of this process). `definition` is None where it can't be read, or is
    wrong: `problem` says where and why."""

    path: str
    definition: Definition | None
    problem: DocumentError | None = None


class DefinedDocuments:
    """The definition files of a host. Blocking."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._read: dict[str, tuple[_Stamp, DefinedDocument]] = {}

    def read(self, microvm: MicroVM) -> DefinedDocument | None:
        """That of `microvm`, None where it has none. The same value as long as the file was not changed. Never raises
        for what stands in it."""
        path = find_document(self._host, microvm)
        if path is None:
            return None
        key = str(path)
        stamp: _Stamp | None = None
        with suppress(OSError, ValueError):
            status = os.stat(path)
            stamp = status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev
        known = self._read.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            definition = read_definition(path)
        except DocumentError as problem:
            document = DefinedDocument(key, None, problem)
        else:
            if definition is None:
                return None
            document = DefinedDocument(key, definition)
        if stamp is not None:
            self._read[key] = stamp, document
        return document
