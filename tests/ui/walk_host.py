"""What a walk at random may reach beside FakeHost: definition files, rebuilds, the editor, sudo. All of it goes on the
host's record, and nothing on this machine is touched."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.definition import Definition
from mvtui.model.microvm import MicroVM
from mvtui.model.output import OutputLines
from mvtui.model.rules.finding import warning
from mvtui.operations import adopting, definitions, definitions_save, last_change, rebuild
from mvtui.operations.adopting import Adoption, nix_line
from mvtui.operations.definitions import Located, Validation
from mvtui.operations.definitions_save import ConflictError, Document, Saved, _document, empty_document
from mvtui.operations.last_change import LastChange
from mvtui.operations.rebuild import HOST_RECORD, RebuildOutcome, RebuildPlan
from mvtui.ui import editor, sudo
from tests.ui.fake_definitions import PLAIN_TOML, WEB_TOML
from tests.ui.fake_host import FakeHost

NOWHERE = Path("/proc/mvtui")


def is_host_wide(name: str) -> bool:
    """Of the microVMs of a walk, some are built with their host."""
    return len(name) % 3 == 0


def path_of(microvm: MicroVM) -> Path:
    """Its definition file, as FakeDefinitions has it."""
    return Path(f"/etc/nixos/microvms/{microvm.name}.toml")


def _name(path: str | Path) -> str:
    return Path(path).name.removesuffix(".toml")


class WalkRebuild:
    """A rebuild that ends when the walk says so."""

    def __init__(self, host: "WalkHost", plan: RebuildPlan) -> None:
        self.plan, self.here, self.cancelled = plan, True, False
        self.began = datetime.now(UTC)
        self.outcome: RebuildOutcome | None = None
        self.output = OutputLines()
        self._host = host
        self._end: asyncio.Future[RebuildOutcome] = asyncio.get_running_loop().create_future()

    async def follow(self, _on_output: object) -> RebuildOutcome:
        self.outcome = await self._end
        return self.outcome

    def finish(self, words: str, *, ok: bool, new: bool = False) -> None:
        """It ends so."""
        if not self._end.done():
            self._end.set_result(RebuildOutcome(self.plan.microvm, ok, words, 1.0, new, 0 if ok else 1))

    def cancel(self) -> None:
        self._host.did("cancel rebuild", self.plan.microvm)
        self.cancelled = True
        self.finish("the rebuild was cancelled", ok=False)


class WalkHost:
    """Stands in for what acts on this machine; `rebuilds` are those that were begun."""

    def __init__(self, host: FakeHost, dice: random.Random) -> None:
        self.host, self.dice = host, dice
        self.rebuilds: list[WalkRebuild] = []

    def did(self, what: str, name: str) -> None:
        """Put it on record."""
        self.host.deeds.append((what, name))

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on."""
        stands = (
            (sudo, "run", self._sudo),
            (editor, "run", self._edit),
            (editor, "editor_argv", lambda _environ, path, _line: ["editor", str(path)]),
            (definitions, "find_document", lambda _host, one: path_of(one) if self.dice.random() < 0.8 else None),
            (definitions, "validate", self._validate),
            (definitions, "raw_text", lambda _path: str(self.dice.random() < 0.5)),
            (definitions_save, "save", self._save),
            (definitions_save, "track", self._track),
            (definitions_save, "former_version", self._former),
            (last_change, "last_change", self._last_change),
            (adopting, "adopt", self._adopt),
            (adopting, "can_ask_nix", lambda _host, _one: self.dice.random() < 0.5),
            (adopting, "ask_nix", self._ask_nix),
            (rebuild, "record_of", lambda one: HOST_RECORD if is_host_wide(one.name) else one.name),
            (rebuild, "plan_rebuild", self._plan_rebuild),
            (rebuild, "begin_rebuild", self._begin_rebuild),
        )
        for place, name, stand in stands:
            monkeypatch.setattr(place, name, stand)

    async def _sudo(self, argv: Sequence[str], *_: object) -> tuple[bool, str]:
        verb = " ".join(argv[argv.index("mvtui") + 1 : argv.index("--state-dir")])
        self.did(f"sudo {verb}", argv[argv.index("--") + 1])
        return len(self.host.deeds) % 2 == 0, "sudo did what it did"

    # Definition files

    async def _edit(self, argv: Sequence[str], *_: object) -> str:
        self.did("edit", _name(argv[-1]))
        return self.dice.choice(("", "editor ended with exit 1: "))

    def _validate(self, path: Path, _hypervisor: object) -> Validation:
        told = Located(warning("shares[0].tag", "It is \x1b[1modd.", "", "change it"), 3)
        return Validation(path, self.dice.choice(((), (told,))))

    def _document(self, microvm: MicroVM) -> Document:
        text = self.host.definitions.texts.get(microvm.name, self.host.definitions.text)
        assert isinstance(text, str)
        return _document(microvm, path_of(microvm), text, exists=True)

    def _save(self, _host: Host, document: Document, text: str) -> Saved:
        self.did("save", document.microvm.name)
        how = self.dice.random()
        if how < 0.15:
            raise MvtuiError("the \x1b[1mdisk is full", "[free]")
        if how < 0.3:
            now = _document(document.microvm, document.path, PLAIN_TOML, exists=True)
            raise ConflictError(text, now, self.dice.choice((None, text + "\n# both\n")), document.text)
        self.host.definitions.texts[document.microvm.name] = text
        git = (warning("git", "git does not track it.", "Nix does not see it.", "git add -N"),)
        saved = _document(document.microvm, document.path, text, exists=True)
        return Saved(saved, self.dice.random() < 0.5, self.dice.choice(((), git)))

    def _track(self, document: Document) -> str:
        self.did("track", document.microvm.name)
        return "git tracks it"

    def _last_change(self, _host: Host, _microvm: str) -> LastChange | None:
        return LastChange(of_definition=True) if self.dice.random() < 0.3 else None

    def _former(self, _host: Host, microvm: MicroVM) -> tuple[Document, str]:
        if self.dice.random() < 0.2:
            raise MvtuiError("no former \ndefinition is kept", "")
        return self._document(microvm), PLAIN_TOML

    def _adopt(self, _host: Host, microvm: MicroVM, *, evaluated: Definition | None) -> Adoption:
        if evaluated is None and self.dice.random() < 0.3:
            raise MvtuiError("what is built does not tell \x1b[1msize", "ask Nix")
        document = empty_document(microvm, path_of(microvm))
        exists = self.dice.random() < 0.2
        return Adoption(document, WEB_TOML, nix_line(document.path.name), exists, ("Put the line into a module.",))

    async def _ask_nix(self, _host: Host, microvm: MicroVM) -> Definition:
        self.did("ask nix", microvm.name)
        if self.dice.random() < 0.5:
            raise MvtuiError("nix eval ended with exit 1", "")
        return Definition()

    # Rebuilds

    def _plan_rebuild(self, _host: Host, microvm: MicroVM, _others: object) -> RebuildPlan:
        if self.dice.random() < 0.1:
            raise MvtuiError("there is no \x1b[1mmicrovm here", "")
        name, wide, needs_root = microvm.name, is_host_wide(microvm.name), self.dice.random() < 0.2
        argv = ("/nowhere/nixos-rebuild", "switch") if wide else ("/nowhere/microvm", "-u", name)
        record = HOST_RECORD if wide else name
        flake = None if wide else "git+file:///etc/nixos"
        return RebuildPlan(name, argv, flake, wide, ("other",) * wide, record, NOWHERE / "out", needs_root)

    async def _begin_rebuild(self, _host: Host, plan: RebuildPlan) -> WalkRebuild:
        self.did("rebuild", plan.microvm)
        if self.dice.random() < 0.1:
            raise MvtuiError("microvm can't be run", "")
        begun = WalkRebuild(self, plan)
        begun.output.feed(b"building \x1b[1mit\n" * self.dice.choice((1, 40)))
        self.rebuilds.append(begun)
        return begun
