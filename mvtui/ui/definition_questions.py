"""What is asked before a definition file is saved, or where it was changed meanwhile. Pure."""

import difflib
from collections.abc import Callable, Sequence

from mvtui.model.finding import Finding, Severity
from mvtui.model.text import clean
from mvtui.operations.definitions import Located
from mvtui.operations.definitions_save import ConflictError, Document, Review, Saved
from mvtui.ui.questions import Answer, Fact
from mvtui.ui.reading import Part, Reading, diff_part

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
) -> Reading:
    """Whether to save it: what stands against it, what it means (`told`), what goes, what must follow, the diff. `what`
    is changed, in words; `refusal` says why it can't be saved at all now, or "". Where it can, `save` is the answer;
    `left` is done where that is not taken."""
    facts = [Fact(clean(refusal), False, "Refused")] if refusal else []
    facts += finding_facts(review.findings)
    facts += _titled("Means", told)
    facts += _titled("Goes", review.dropped, False)
    facts += _titled("Then", review.follows)
    if not document.exists:
        facts.append(Fact(f"{clean(str(document.path))} is made", title="New"))
    answers = (save,) if review.allowed and not refusal else ()
    why_not = "" if review.allowed or refusal else " Not with an error"
    question = f"{clean(what)}: save {clean(document.path.name)} on {clean(host)}?{why_not}"
    parts = (diff_part("", review.diff),) if review.diff else ()
    return Reading(question, tuple(facts), parts, answers, harmless=not answers, left=left)


def finding_facts(findings: Sequence[Located]) -> list[Fact]:
    """The errors first, each with its line and what mends it."""
    ordered = sorted(findings, key=lambda located: -located.finding.severity)
    return [
        Fact(_finding_words(located.finding, located.line), _OK[located.finding.severity], _title(located.finding))
        for located in ordered
    ]


def _title(finding: Finding) -> str:
    return finding.severity.name.capitalize()


def _finding_words(finding: Finding, line: int | None = None) -> str:
    place = f"line {line}, {finding.subject}: " if line is not None else ""
    fix = f" → {finding.fix}" if finding.fix else ""
    return clean(f"{place}{finding.what} {finding.why}".rstrip() + fix)


def _titled(title: str, sentences: Sequence[str], ok: bool | None = None) -> list[Fact]:
    return [Fact(clean(words), ok, title if not number else "") for number, words in enumerate(sentences)]


def may_resolve(conflict: ConflictError, base: str, host: str, answers: Sequence[Answer]) -> Reading:
    """Which of two versions is to stand there: both are shown as what they change of `base`, the text that both began
    with."""
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
        _changes("Theirs: what stands there now", base, document.text),
        _changes("Mine: what was to be saved", base, conflict.mine),
    )
    return Reading(f"which {name} is to stand on {clean(host)}?", facts, parts, tuple(answers))


def _changes(title: str, old: str, new: str) -> Part:
    if old == new:
        return Part(title, (("no change", "dim"),))
    lines = tuple(difflib.unified_diff(old.splitlines(), new.splitlines(), n=2, lineterm=""))
    return diff_part(title, lines)


def is_saved(
    saved: Saved, done: Sequence[str], follows: Sequence[str], host: str, answers: Sequence[Answer]
) -> Reading:
    """What is to be known now that it is saved (`done`: sentences), and what comes next."""
    facts = _titled("Saved", done, True)
    facts += [Fact(_finding_words(finding), None, _title(finding)) for finding in saved.findings]
    facts += _titled("Then", follows)
    question = f"{clean(saved.document.path.name)} is saved on {clean(host)}. What now?"
    return Reading(question, tuple(facts), answers=tuple(answers))
