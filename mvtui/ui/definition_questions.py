"""What is asked before a definition file is saved, or where it was changed meanwhile. Pure."""

import difflib
from collections.abc import Callable, Sequence

from mvtui.errors import MvtuiError
from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.operations.adopting import Adoption
from mvtui.operations.definitions import Located, Validation
from mvtui.operations.definitions_save import ConflictError, Document, Review, Saved
from mvtui.ui.questions import Answer, Fact, titled
from mvtui.ui.reading import Part, Reading, diff_part, text_part

Act = Callable[[], None]

_OK = {Severity.INFO: None, Severity.WARNING: None, Severity.ERROR: False}


def may_save(
    review: Review,
    document: Document,
    what: str,
    host: str,
    refusal: str,
    save: Answer,
    left: Act | None = None,
    told: Sequence[str] = (),
    forced: bool = False,
) -> Reading:
    """Whether to save it: what stands against it, what it means (`told`), what goes, what must follow, the diff. `what`
    is changed, in words; `refusal` says why it can't be saved at all now, or "". Where it can, `save` is the answer;
    `left` is done where that is not taken. `forced`: also with an error."""
    facts = [Fact(clean(refusal), False, "Refused")] if refusal else []
    facts += finding_facts(review.findings)
    facts += titled("Means", told)
    facts += titled("Goes", review.dropped, ok=False)
    facts += titled("Then", review.follows)
    if not document.exists:
        facts.append(Fact(f"{clean(str(document.path))} is made", title="New"))
    allowed = review.allowed or forced
    answers = (save,) if allowed and not refusal else ()
    why_not = "" if allowed or refusal else " Not with an error"
    question = f"{clean(what)}: save {clean(document.path.name)} on {clean(host)}?{why_not}"
    parts = (diff_part("", review.diff),) if review.diff else ()
    return Reading(question, tuple(facts), parts, answers, harmless=not answers, left=left)


def finding_facts(findings: Sequence[Located]) -> list[Fact]:
    """The errors first, each with its line and what mends it."""
    ordered = sorted(findings, key=lambda located: -located.finding.severity)
    return [
        Fact(_place(located) + _finding_words(located.finding), _OK[located.finding.severity], _title(located.finding))
        for located in ordered
    ]


def _title(finding: Finding) -> str:
    return finding.severity.name.capitalize()


def _place(located: Located) -> str:
    if located.line is None:
        return ""
    # What has no subject is of the text itself.
    where = located.finding.subject or f"column {located.column}"
    return clean(f"line {located.line}, {where}: ")


def _finding_words(finding: Finding) -> str:
    fix = f" → {finding.fix}" if finding.fix else ""
    return clean(f"{finding.what} {finding.why}".rstrip() + fix)


def may_resolve(conflict: ConflictError, host: str, answers: Sequence[Answer], left: Act | None = None) -> Reading:
    """Which of two versions is to stand there: both are shown as what they change of the text that both began with."""
    document = conflict.document
    name = clean(document.path.name)
    gone = "" if document.exists else ": it is gone"
    touch = "the two changes do not touch: they can be merged"
    if conflict.merged is None:
        touch = "both change the same lines: they can't be merged"
    facts = (
        Fact(f"{clean(str(document.path))} was changed since it was opened{gone}; nothing was written", False),
        Fact(touch),
    )
    parts = (
        _changes("Theirs: what stands there now", conflict.base, document.text),
        _changes("Mine: what was to be saved", conflict.base, conflict.mine),
    )
    return Reading(f"which {name} is to stand on {clean(host)}?", facts, parts, tuple(answers), left=left)


def _changes(title: str, old: str, new: str) -> Part:
    if old == new:
        return Part(title, (("no change", "dim"),))
    lines = tuple(difflib.unified_diff(old.splitlines(), new.splitlines(), n=2, lineterm=""))
    return diff_part(title, lines)


def is_saved(
    saved: Saved, done: Sequence[str], follows: Sequence[str], host: str, answers: Sequence[Answer]
) -> Reading:
    """What is to be known now that it is saved (`done`: sentences), and what comes next."""
    facts = titled("Saved", done, ok=True)
    facts += [Fact(_finding_words(finding), None, _title(finding)) for finding in saved.findings]
    facts += titled("Then", follows)
    question = f"{clean(saved.document.path.name)} is saved on {clean(host)}. What now?"
    return Reading(question, tuple(facts), answers=tuple(answers))


def may_adopt(adoption: Adoption, review: Review, host: str, refusal: str, answers: Sequence[Answer]) -> Reading:
    """Whether to write the file: its text, the line of Nix that reads it, what to do then. Where there is one already,
    or `refusal` says why nothing can be written, the first of `answers` is not there."""
    name = clean(adoption.document.microvm.name)
    facts = [Fact(clean(refusal), False, "Refused")] if refusal else []
    if adoption.exists:
        facts.append(Fact(f"there is a definition already, and it stays: {adoption.document.path}", False, "Refused"))
    facts.append(Fact(clean(str(adoption.document.path)), title="File"))
    facts.append(Fact(clean(adoption.nix), title="Nix"))
    facts += titled("Then", adoption.notes)
    facts += finding_facts(review.findings)
    can = not refusal and not adoption.exists
    question = f"adopt {name} on {clean(host)}: write its definition from what is built?{'' if can else ' Not now'}"
    usable = tuple(answers) if can else tuple(answers[1:])
    return Reading(question, tuple(facts), (text_part("", adoption.text),), usable, harmless=not usable)


def can_not_adopt(microvm: MicroVM, why: MvtuiError, host: str, answers: Sequence[Answer]) -> Reading:
    """What is built does not tell enough: Nix may."""
    facts = (Fact(clean(why.message), False), Fact("nix eval asks the flake, and changes nothing"))
    return Reading(f"adopt {clean(microvm.name)} on {clean(host)}? Not from what is built", facts, (), tuple(answers))


def is_edited(found: Validation, done: str, host: str, answers: Sequence[Answer]) -> Reading:
    """What is wrong in the file now that the editor has ended."""
    facts = [Fact(clean(done), found.valid or None), *finding_facts(found.findings)]
    errors = sum(one.finding.severity is Severity.ERROR for one in found.findings)
    count = "nothing is wrong" if not found.findings else f"{errors} error{'' if errors == 1 else 's'}"
    if found.findings and not errors:
        count = f"{len(found.findings)} to be known"
    question = f"{clean(found.path.name)} on {clean(host)}: {count}"
    return Reading(question, tuple(facts), (), tuple(answers))
