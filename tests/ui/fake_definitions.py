"""Definition files that are not there, and a host that says of them what the test says."""

import asyncio
from pathlib import Path

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.definition import Definition
from mvtui.model.finding import Finding
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.rules.finding import warning
from mvtui.operations.definition_actions import Change, make_writable, share_store
from mvtui.operations.definitions_save import Document, _document
from mvtui.ui.forms.desk import FormSeams, StoreVerb

WEB_TOML = """\
# what web has
writableStoreOverlay = "/nix/.rw-store"

# the store
[[shares]]
proto = "virtiofs"
tag = "ro-store"
source = "/nix/store"
mountPoint = "/nix/.ro-store"

[[shares]]
proto = "virtiofs"
tag = "home"
source = "/srv/git-home"
mountPoint = "/home"
cache = "always"

[[volumes]]
image = "nix-rw.img"
mountPoint = "/nix/.rw-store"
size = 2048

[[volumes]]
image = "data.img"
mountPoint = "/data"
size = 512
label = "data"
"""

WRONG_TOML = (
    WEB_TOML.replace('"home"', f'"{"home-of-git" * 4}"')
    .replace("/home", "/nix/.ro-store/")
    .replace("/srv/git-home", "~/git")
    .replace('"data.img"', '"nix-rw.img"')
    .replace("512", "0")
    .replace('"data"', '"data-of-the-database"')
)
IMAGE_FINDINGS = (
    warning(
        "volumes[1].size",
        "The image has 1G: size has no effect on an image that exists.",
        "It is given to mkfs when the image is made.",
        "grow it, with the microVM stopped",
    ),
)


PLAIN_TOML = "mem = 512  # MiB\n"
ROOM = (
    "nix-store-overlay.img is made at the next start, with 2048 MiB: 40G are free for "
    "/var/lib/microvms/web/nix-store-overlay.img. It is sparse, and takes what is written to it."
)


class FakeDefinitions:
    """`texts` are the files, by microVM (or the error that reading one gives); where there is none, `text`. `fields` is
    what the host says of any, once `looking` is set; `paths` are those that are on the host. `looked` and `opened`
    count."""

    def __init__(self) -> None:
        self.text: str | None = WEB_TOML
        self.texts: dict[str, str | MvtuiError] = {}
        self.fields: tuple[Finding, ...] = ()
        self.paths: tuple[str, ...] = ()
        self.looking, self.reading = asyncio.Event(), asyncio.Event()
        self.looking.set()
        self.reading.set()
        self.looked = self.opened = 0

    @property
    def seams(self) -> FormSeams:
        return FormSeams(self.open, self.check, self.complete, self.change)

    async def open(self, host: Host, microvm: MicroVM) -> Document:
        await self.reading.wait()
        self.opened += 1
        text = self.texts.get(microvm.name, self.text)
        if isinstance(text, MvtuiError):
            raise text
        path = Path(f"/etc/nixos/microvms/{microvm.name}.toml")
        return _document(microvm, path, text or "", exists=text is not None)

    async def check(
        self, host: Host, microvm: MicroVM, definition: Definition, others: Snapshot
    ) -> tuple[Finding, ...]:
        await self.looking.wait()
        self.looked += 1
        return self.fields

    async def complete(self, host: Host, microvm: MicroVM, typed: str, *, directories: bool) -> tuple[str, ...]:
        return tuple(path for path in self.paths if path.startswith(typed))

    async def change(self, host: Host, microvm: MicroVM, document: Document, verb: StoreVerb) -> Change:
        """As on a host with room."""
        if verb is StoreVerb.SHARE_STORE:
            return share_store(host, microvm, document)
        change = make_writable(host, microvm, document, size=2048)
        return change._replace(words=(ROOM, *change.words[1:]))
