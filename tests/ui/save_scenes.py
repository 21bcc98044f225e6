"""Pictures of what is asked about a definition file and a rebuild: each opens it on a panel."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mvtui.model.definition import Definition, Runner, Share, ShareProto
from mvtui.model.edit import ItemKind, RemoveItem, SetField
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.merge import merged
from mvtui.model.output import OutputLines
from mvtui.model.rules.finding import warning
from mvtui.operations.adopting import Adoption, nix_line
from mvtui.operations.definitions_save import ConflictError, Document, Saved, _document, apply, review
from mvtui.operations.rebuild import RebuildPlan
from mvtui.ui import definition_questions, rebuild_questions
from mvtui.ui.app import MvtuiApp
from mvtui.ui.questions import Answer
from mvtui.ui.widgets.output_panel import Told
from tests.ui.fake_definitions import WEB_TOML, WRONG_TOML
from tests.ui.samples import LAB, WEB

Opens = Callable[[MvtuiApp], None]
PATH = Path("/etc/nixos/microvms/web.toml")
WHAT = "edit share home, drop volume data.img"
_EDITS = (
    SetField(ItemKind.SHARES, 1, "cache", "auto"),
    SetField(ItemKind.SHARES, 1, "readOnly", True),
    RemoveItem(ItemKind.VOLUMES, 1),
)
_GIT = warning(
    "git",
    "git does not track the file, and Nix sees only what git tracks.",
    "/etc/nixos is a flake in a git repository.",
    "git -C /etc/nixos/microvms add --intent-to-add -- /etc/nixos/microvms/web.toml",
)
_OUTPUT = b"""\
building the system configuration...
evaluating derivation 'git+file:///etc/nixos#nixosConfigurations."web".config.microvm.declaredRunner'...
\x1b[35;1mwarning:\x1b[0m Git tree '/etc/nixos' is dirty
these 3 derivations will be built:
  /nix/store/3kq1n9c8-etc-fstab.drv
  /nix/store/8p0zr2yd-nixos-system-web-25.11.drv
  /nix/store/x1c6v4hq-microvm-cloud-hypervisor-web.drv
building '/nix/store/3kq1n9c8-etc-fstab.drv'...
building '/nix/store/8p0zr2yd-nixos-system-web-25.11.drv'...
building '/nix/store/x1c6v4hq-microvm-cloud-hypervisor-web.drv'...
"""


def _web(text: str = WEB_TOML) -> Document:
    return _document(WEB, PATH, text, exists=True)


def _review(text: str) -> Opens:
    return lambda app: app.review_definition(_web(), text, WHAT)


def _conflict(theirs: str) -> Opens:
    mine = apply(_web(), _EDITS)
    found = ConflictError(mine, _web(theirs), merged(WEB_TOML, mine, theirs), WEB_TOML)
    return lambda app: app.ask_which_version(found, WHAT)


def _saved(app: MvtuiApp) -> None:
    done = (f"{WHAT}: {PATH}", "u brings the former text back")
    follows = ("Rebuild: microvm -u web.", "Then restart web.")
    app.tell_saved(Saved(_web(), undoable=True, findings=(_GIT,)), done, follows)


def _adopt(app: MvtuiApp) -> None:
    docs = Share("docs", ShareProto.NINE_P, "/srv/docs", "/docs")
    built = Definition(Hypervisor.QEMU, host_name="lab", fstab_read=True, shares=(docs,))
    path = PATH.with_name("lab.toml")
    document = _document(LAB._replace(built=Runner("/r", built)), path, "", exists=False)
    text = f'# What lab has of its host. Nix reads it: {nix_line(path.name)}\n\n[[shares]]\ntag = "docs"\n'
    text += 'source = "/srv/docs"\nmountPoint = "/docs"\n'
    notes = ("Put the line of Nix into a module in /etc/nixos/microvms.",)
    adoption = Adoption(document, text, nix_line(path.name), False, notes)
    answers = (Answer("s", "writes it", lambda: None), Answer("n", "asks Nix for the rest (minutes)", lambda: None))
    app.panel.read(definition_questions.may_adopt(adoption, review(document, text), "hv01", "", answers))


def _plan(*, host_wide: bool = False) -> RebuildPlan:
    argv = ("nixos-rebuild", "switch") if host_wide else ("microvm", "-u", "web")
    also = ("db", "git", "proxy") if host_wide else ()
    flake = None if host_wide else "git+file:///etc/nixos"
    return RebuildPlan("web", argv, flake, host_wide, also, "web", Path("/var/lib/mvtui/rebuilds/web"), False)


def _may_rebuild(app: MvtuiApp, *, host_wide: bool) -> None:
    app.panel.ask(rebuild_questions.may_rebuild(_plan(host_wide=host_wide), WEB, "hv01", lambda: None, None))


def _rebuild(app: MvtuiApp, title: str, role: str, *answers: tuple[str, str]) -> None:
    output = OutputLines()
    output.feed(_OUTPUT)
    told = Told(title, role, tuple(Answer(key, words, lambda: None) for key, words in answers))
    app.panel.show_output(output, lambda: told, "rebuild")


def _quit(app: MvtuiApp) -> None:
    app.panel.ask(rebuild_questions.may_quit([_plan()], "hv01", lambda: None, lambda: None))


_GOES_ON = "microvm -u web on hv01, 42s; it goes on when this is left"
OPENS: dict[str, Opens] = {
    "review": _review(apply(_web(), _EDITS)),
    "review-refused": _review(WRONG_TOML),
    "conflict": _conflict(WEB_TOML.replace('"/srv/git-home"', '"/srv/web-home"')),
    "conflict-merge": _conflict("# by hand\n" + WEB_TOML),
    "saved": _saved,
    "adopt": _adopt,
    "rebuild-question": partial(_may_rebuild, host_wide=False),
    "rebuild-host": partial(_may_rebuild, host_wide=True),
    "rebuild": lambda app: _rebuild(app, _GOES_ON, "strong", ("c", "cancels")),
    "rebuild-failed": lambda app: _rebuild(
        app, "rebuild of web failed (42s): exit 1: error: builder failed", "error", ("b", "rebuild again")
    ),
    "quit": _quit,
}
