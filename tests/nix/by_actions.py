"""Definition files that mvtui's own actions make: Nix has to accept each of them."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM
from mvtui.model.state import State, StateWord
from mvtui.operations.definition_actions import Change, make_writable, share_store
from mvtui.operations.definitions_save import Document, open_document
from tests.fakes import FakeProcesses, FakeUnits

STARTS = {
    "empty": "",
    "volume": '[[volumes]]\nimage = "a.img"\nmountPoint = "/var"\nsize = 512\n',
    "tag is taken": '[[shares]]\nproto = "virtiofs"\ntag = "ro-store"\nsource = "/srv"\nmountPoint = "/srv"\n',
    "nowhere": 'writableStoreOverlay = "/rw"\n',
    "mounted": '[[volumes]]\nimage = "a.img"\nmountPoint = "/nix/.rw-store"\nsize = 512\n',
}


def by_actions(folder: Path) -> Iterator[str]:
    """The text after each action and after both, for each hypervisor; `folder` is an empty directory."""
    host = Host("hv", FakeUnits(), FakeProcesses(), Path("/microvms"), folder, definitions=Path("/definitions"))
    (folder / "definitions").mkdir()
    (folder / "microvms").mkdir()
    microvm = MicroVM("web", "/microvms/web", State(StateWord.STOPPED, None, ""))
    path = folder / "definitions" / "web.toml"
    for hypervisor in Hypervisor:
        for start in STARTS.values():
            path.write_text(f'hypervisor = "{hypervisor}"\n{start}')
            writable = list(_made(lambda document: make_writable(host, microvm, document, size=2048), host, microvm))
            yield from writable
            yield from _made(lambda document: share_store(host, microvm, document), host, microvm)
            for text in writable:
                path.write_text(text)
                yield from _made(lambda document: share_store(host, microvm, document), host, microvm)


def _made(action: Callable[[Document], Change], host: Host, microvm: MicroVM) -> Iterator[str]:
    with suppress(MvtuiError):  # what can't work is no document
        yield action(open_document(host, microvm)).text
