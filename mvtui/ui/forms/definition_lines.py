"""A definition as lines: shares, volumes with their drive letters, overlay, and what is said of each. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mvtui.model.document import LETTERS
from mvtui.model.edit import ItemKind
from mvtui.model.finding import Finding
from mvtui.model.text import clean
from mvtui.operations.draft import Draft
from mvtui.ui.charset import fit
from mvtui.ui.commands import hint
from mvtui.ui.forms.fields import OVERLAY
from mvtui.ui.forms.fixes import fix_of
from mvtui.ui.forms.told import mark, role_of
from mvtui.ui.key_words import with_keys
from mvtui.ui.keys import Keys, key_labels
from mvtui.ui.lines import Line, clipped, folded
from mvtui.ui.tabs.page import Entry

# How the fix begins of an image that is smaller than defined, and of an overlay that lies on nothing.
_GROW = "mvtui grow "
_A_VOLUME = "a volume with mountPoint"
# The commands that add one.
_ADD = {ItemKind.SHARES: "add_share", ItemKind.VOLUMES: "add_volume"}


class Spot(NamedTuple):
    """What the cursor stands on: the share or volume `at`, or the overlay, where `kind` is None."""

    kind: ItemKind | None
    at: int = 0

    @property
    def key(self) -> str:
        """Its place in the file."""
        return f"{self.kind}[{self.at}]" if self.kind is not None else OVERLAY


def spot_of(key: str | None) -> Spot | None:
    """The spot that has this key."""
    for kind in ItemKind:
        if key is not None and key.startswith(f"{kind}["):
            return Spot(kind, int(key[len(kind) + 1 : -1]))
    return Spot(None) if key == OVERLAY else None


def about(findings: Sequence[Finding], spot: Spot) -> list[Finding]:
    """Those about it, the worst first."""
    key = spot.key
    own = [each for each in findings if each.subject == key or each.subject.startswith((f"{key}.", f"{key}["))]
    return sorted(own, key=lambda one: -one.severity)


def elsewhere(draft: Draft, findings: Sequence[Finding]) -> list[Finding]:
    """Those about what there is no form for."""
    spots = [Spot(None), *[Spot(kind, at) for kind in ItemKind for at in range(len(draft.items(kind)))]]
    own = {id(each) for spot in spots for each in about(findings, spot)}
    return [each for each in findings if id(each) not in own]


def entries(draft: Draft, findings: Sequence[Finding], keys: Keys, width: int, *, ascii_only: bool) -> list[Entry]:
    """Everything that there is a form for, under its heading, then what is said of the rest of the file."""
    found: list[Entry] = []
    for kind in ItemKind:
        items, key = draft.items(kind), key_labels(keys.get(_ADD[kind], ())[:1])
        adds = f"none; {key} adds one" if key else "none"
        found.append(_heading(kind.capitalize(), "" if items else adds))
        make = _share if kind is ItemKind.SHARES else _volume
        for at, item in enumerate(items):
            spot = Spot(kind, at)
            own = about(findings, spot)
            line = (*mark(own, ascii_only), *make(draft, item, at))
            found.append(Entry(tuple(clipped(each, width) for each in (line, *_worst(own))), spot.key))
    found.append(_heading("Writable store overlay", ""))
    own = about(findings, Spot(None))
    path = draft.values.get(OVERLAY)
    told = clean(str(path)) if path is not None else "none"
    line = (*mark(own, ascii_only), (told, "text" if path is not None else "dim"))
    found.append(Entry(tuple(clipped(each, width) for each in (line, *_worst(own))), OVERLAY))
    if rest := elsewhere(draft, findings):
        found.append(_heading("Elsewhere in the file", ""))
        found += [Entry(tuple(_all_of(each, width, ascii_only))) for each in rest]
    return found


def findings_lines(findings: Sequence[Finding], keys: Keys, width: int, height: int) -> list[Line]:
    """All that is said of what the cursor stands on, as far as there is room."""
    lines: list[Line] = []
    for finding in findings:
        key = finding.subject.rpartition(".")[2]
        words = " ".join(filter(None, (f"{key}:", finding.what, finding.why)))
        lines += [((f"  {line}", role_of(finding.severity)),) for line in folded(clean(words), width - 2, 3)]
        if finding.fix.startswith(_GROW):
            lines.append((("  ", "text"), (hint("grow", keys), "key"), (" grows it, once this is saved", "text")))
        elif finding.fix.startswith(_A_VOLUME):
            lines.append(
                (("  ", "text"), (hint(_ADD[ItemKind.VOLUMES], keys), "key"), (f" adds {clean(finding.fix)}", "text"))
            )
        elif finding.fix:
            by_key = fix_of(finding, key, (key,)) is not None
            role = "good" if by_key else "text"
            lines += [((f"  {line}", role),) for line in folded(clean(with_keys(finding.fix, keys)), width - 2, 2)]
    return [clipped(line, width) for line in lines[:height]]


def _heading(words: str, more: str) -> Entry:
    return Entry((((words, "strong"), (f"  {more}" if more else "", "dim")),))


def _worst(findings: Sequence[Finding]) -> Iterator[Line]:
    if findings:
        worst = findings[0]
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        yield ((f"     {clean(worst.what)}", role_of(worst.severity)), (more, "dim"))


def _all_of(finding: Finding, width: int, ascii_only: bool) -> Iterator[Line]:
    what = f"{finding.subject}: {finding.what}" if finding.subject else finding.what
    first, *more = folded(clean(" ".join(filter(None, (what, finding.why, finding.fix)))), width - 2, 3)
    yield (*mark((finding,), ascii_only), (first, role_of(finding.severity)))
    for line in more:
        yield ((f"  {line}", role_of(finding.severity)),)


def _text(item: Mapping[str, Any], key: str, default: str = "?") -> str:
    return clean(str(item.get(key, default)))


def _share(draft: Draft, item: Mapping[str, Any], at: int) -> Line:  # noqa: ARG001
    access = "ro" if item.get("readOnly") is True else "rw"
    return (
        (f"{fit(_text(item, 'tag'), 14)} ", "strong"),
        (f"{fit(_text(item, 'proto', '9p'), 8)} {access}  ", "dim"),
        (f"{_text(item, 'source')} → {_text(item, 'mountPoint')}", "text"),
    )


def _volume(draft: Draft, item: Mapping[str, Any], at: int) -> Line:
    definition = draft.checked.definition
    letters = LETTERS[1:] if definition is not None and definition.store_on_disk else LETTERS
    letter = f"vd{letters[at]}" if definition is not None and at < len(letters) else "?"
    size = f"{_text(item, 'size')} MiB" if "size" in item else ""
    target = f"→ {_text(item, 'mountPoint')}" if "mountPoint" in item else "not mounted"
    return (
        (f"{letter:<4} ", "dim"),
        (f"{_text(item, 'image')}  ", "strong"),
        (f"{size} {_text(item, 'fsType', 'ext4')} {target}".lstrip(), "text"),
    )
