"""Lines of a form: its fields, each with what is said of it, and at the foot all that is said of one. Pure."""

from collections.abc import Sequence

from mvtui.model.finding import Finding, Severity
from mvtui.model.text import clean
from mvtui.ui.charset import fit, fit_end
from mvtui.ui.forms.fields import FIELDS, FieldKind, FormField
from mvtui.ui.forms.fixes import fix_of, is_missing
from mvtui.ui.forms.form import Form
from mvtui.ui.key_words import with_keys
from mvtui.ui.keys import Keys
from mvtui.ui.lines import CARET, Line, clipped, cut, folded, width_of
from mvtui.ui.roles import SEVERITY_ROLES

# In so many columns there is room beside a field.
WIDE = 76
_MARKS = {Severity.ERROR: ("×", "x"), Severity.WARNING: ("!", "!"), Severity.INFO: ("i", "i")}
# How the fix of what is missing ends: whoever has the field before him needs no word of it.
_WRITE_IT = "= …"
FIX_KEY = "^f"


def mark(findings: Sequence[Finding], ascii_only: bool) -> Line:
    """The worst of them in two cells."""
    if not findings:
        return (("  ", "text"),)
    worst = max(finding.severity for finding in findings)
    sign, twin = _MARKS[worst]
    return ((f"{twin if ascii_only else sign} ", role_of(worst)),)


def role_of(severity: Severity) -> str:
    """The role of text about it."""
    return "dim" if severity is Severity.INFO else SEVERITY_ROLES[severity]


def field_line(
    form: Form, each: FormField, findings: Sequence[Finding], width: int, *, focused: bool, ascii_only: bool
) -> Line:
    """One field: mark, option, what stands in it; where there is room, the worst finding, or what it is for."""
    label = max(len(one.key) for one in FIELDS[form.kind]) + 2
    start: Line = (*mark(findings, ascii_only), (fit(each.key, label), "strong" if focused else "text"))
    room = max(8, width - label - 2)
    if width < WIDE:
        return (*start, *_value(form, each, room, focused=focused))
    own = max(24, room // 2)
    return (*start, *_value(form, each, own, focused=focused), ("  ", "text"), *_note(each, findings, room - own - 2))


def _value(form: Form, each: FormField, width: int, *, focused: bool) -> Line:
    """What stands in the field, in exactly `width` cells."""
    line = form.line(each.key)
    if each.kind.is_chosen:
        now = line.text or each.default
        if not focused:
            return ((fit(clean(now), width), "text" if line.text else "dim"),)
        others = " ".join(choice for choice in each.choices if choice != now)
        return _exactly((("‹ ", "key"), (clean(now), "strong"), (" ›", "key"), (f"  {others}", "dim")), width)
    if focused:
        text, at = line.seen(width)
        before, here, after = text[:at], text[at : at + 1] or " ", text[at + 1 :]
        return _exactly(((before, "strong"), (here, CARET), (after, "strong"), *_default(form, each, line.text)), width)
    if not line.text:
        return _exactly(_default(form, each, ""), width)
    is_end_told = each.kind.is_path
    return (((fit_end if is_end_told else fit)(line.text, width), "text"),)


def _default(form: Form, each: FormField, text: str) -> Line:
    """What holds where nothing stands there, or the unit."""
    if text:
        return ((f" {each.hint}", "dim"),) if each.kind is FieldKind.NUMBER else ()
    return ((form.defaults.get(each.key, each.default), "dim"),)


def _note(each: FormField, findings: Sequence[Finding], width: int) -> Line:
    if findings:
        worst = findings[0]
        return ((cut(clean(worst.what), width), role_of(worst.severity)),)
    return ((cut(each.hint, width), "dim"),)


def detail_lines(
    form: Form, each: FormField, findings: Sequence[Finding], size: tuple[int, int], keys: Keys
) -> list[Line]:
    """What is said of the field that is typed in: as much as there is room for in `size` cells."""
    width, height = size
    lines: list[Line] = []
    options = [one.key for one in form.fields]
    for finding in findings:
        role = role_of(finding.severity)
        text = " ".join(filter(None, (finding.what, finding.why)))
        lines += [((f"  {line}", role),) for line in folded(clean(text), width - 2, 3)]
        fix = fix_of(finding, each.key, options)
        if fix is not None:
            lines.append((("  ", "text"), (FIX_KEY, "key"), (f" {clean(fix.words)}", "good")))
        elif is_missing([finding]):
            lines.append((("  ", "text"), (FIX_KEY, "key"), (f" creates it: {clean(finding.fix)}", "good")))
        elif finding.fix and not finding.fix.endswith(_WRITE_IT):
            lines += [((f"  {line}", "text"),) for line in folded(clean(with_keys(finding.fix, keys)), width - 2, 2)]
    beside = "" if width >= WIDE and not findings else each.hint
    if words := ". ".join(filter(None, (beside, each.more))):
        lines.append(((f"  {words}", "dim"),))
    return [clipped(line, width) for line in lines[:height]]


def candidate_lines(found: Sequence[str], size: tuple[int, int]) -> list[Line]:
    """What a path can be completed with."""
    width, height = size
    if not found:
        return [(("  nothing on the host begins so", "warning"),)]
    names = "  ".join(clean(each) for each in found)
    return [((f"  {line}", "text"),) for line in folded(names, width - 2, height)]


def first_fix(form: Form, each: FormField, findings: Sequence[Finding]) -> tuple[str, object] | None:
    """The option and the value of the first fix that a key can do."""
    keys = [one.key for one in form.fields]
    found = next((fix for finding in findings if (fix := fix_of(finding, each.key, keys)) is not None), None)
    return (found.key, found.value) if found is not None else None


def _exactly(line: Line, width: int) -> Line:
    kept = clipped(line, width)
    return (*kept, (" " * max(0, width - width_of(kept)), "text"))
