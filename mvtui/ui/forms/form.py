"""A form: what stands in its fields, what that means for the draft, what is said of it. Pure."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mvtui.model.edit import AddItem, Edit, ItemKind, SetField, SetOverlay
from mvtui.model.finding import Finding
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.text import clean
from mvtui.ui.forms.fields import FIELDS, NO, OVERLAY, YES, FieldKind, FormField
from mvtui.ui.forms.line_edit import LineEdit, begin


@dataclass(frozen=True)
class Form:
    """The share or volume `at` of the draft, a new one where that is behind the last; or the overlay, where `kind` is
    None. `given` are its values in the draft (of a new one: those it begins with), `lines` what was typed, by option.
    `host_name` is the guest's, which the default of a socket begins with.
    """

    kind: ItemKind | None
    at: int
    given: Mapping[str, Any]
    hypervisor: Hypervisor
    is_new: bool = False
    host_name: str = ""
    lines: Mapping[str, LineEdit] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where its values stand in the file, as findings name it."""
        return f"{self.kind}[{self.at}]" if self.kind is not None else ""

    def place_of(self, key: str) -> str:
        """The place of one of its options."""
        return f"{self.place}.{key}" if self.kind is not None else key

    @property
    def fields(self) -> tuple[FormField, ...]:
        """Those that apply, and those that the file has though they do not: they can be taken out."""
        values = self.values
        return tuple(
            each
            for each in FIELDS[self.kind]
            if each.applies(values, self.hypervisor) or (each.key in self.given and not self.is_new)
        )

    @property
    def defaults(self) -> dict[str, str]:
        """What holds where a field is left empty, where that follows from others."""
        tag = self.line("tag").text
        if self.kind is not ItemKind.SHARES or not tag:
            return {}
        return {"socket": f"{self.host_name}-virtiofs-{tag}.sock"}

    # What stands in the fields

    def line(self, key: str) -> LineEdit:
        """What stands in that field."""
        return self.lines.get(key) or begin(self._given_text(key))

    def _given_text(self, key: str) -> str:
        return shown(self.given[key]) if key in self.given else ""

    def typed(self, key: str, line: LineEdit) -> "Form":
        """With that in the field."""
        return replace(self, lines={**self.lines, key: line})

    def with_value(self, key: str, value: Any) -> "Form":
        """With that value in the field; None empties it."""
        return self.typed(key, begin("" if value is None else shown(value)))

    def chosen(self, each: FormField, step: int) -> "Form":
        """With the next choice, or the one before."""
        now = self.line(each.key).text or each.default
        at = each.choices.index(now) + step if now in each.choices else 0
        return self.typed(each.key, begin(each.choices[at % len(each.choices)]))

    # What that means

    @property
    def values(self) -> dict[str, Any]:
        """The item's values as they are meant to be."""
        values = dict(self.given)
        for each in FIELDS[self.kind]:
            text = self.lines[each.key].text if each.key in self.lines else None
            if text is None or text == self._given_text(each.key):
                continue
            if each.kind.is_chosen and text == each.default and each.key not in self.given:
                continue  # there and back
            if (value := _value(each, text)) is None:
                values.pop(each.key, None)
            else:
                values[each.key] = value
        return values

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What makes the draft so; () where nothing was changed."""
        values = self.values
        if self.kind is None:
            return () if values == self.given else (SetOverlay(values.get(OVERLAY)),)
        if self.is_new:
            shown_now = [each.key for each in self.fields]
            # Options that there are no fields for come of a copy.
            others = [key for key in values if key not in {each.key for each in FIELDS[self.kind]}]
            return (AddItem(self.kind, {key: values[key] for key in (*shown_now, *others) if key in values}),)
        changed = [key for key in {**self.given, **values} if self.given.get(key) != values.get(key)]
        return tuple(SetField(self.kind, self.at, key, values.get(key)) for key in changed)

    @property
    def changed(self) -> bool:
        """Whether something in it is not in the draft."""
        return self.values != self.given

    @property
    def name(self) -> str:
        """What people call it."""
        if self.kind is None:
            return "the overlay"
        word, key = ("share", "tag") if self.kind is ItemKind.SHARES else ("volume", "image")
        told = self.values.get(key)
        return f"{word} {clean(told)}" if isinstance(told, str) and told else word

    def own(self, findings: Sequence[Finding]) -> dict[str, list[Finding]]:
        """Those about it, the worst first, by option; what is about the whole item stands with the first field."""
        keys = [each.key for each in self.fields]
        found: dict[str, list[Finding]] = {}
        for finding in findings:
            key = self._key_of(finding.subject)
            if key is not None:
                found.setdefault(key if key in keys else keys[0], []).append(finding)
        return {key: sorted(each, key=lambda one: -one.severity) for key, each in found.items()}

    def _key_of(self, subject: str) -> str | None:
        """The option of it that the place is in, "" for the item itself, None for another's."""
        if self.kind is None:
            return OVERLAY if subject == OVERLAY else None
        if subject == self.place:
            return ""
        if not subject.startswith(f"{self.place}."):
            return None
        return subject.removeprefix(f"{self.place}.").partition("[")[0].partition(".")[0]


def shown(value: Any) -> str:
    """A value of the file as it stands in a field."""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return clean(shlex.join(value))
    return clean(str(value))


def _value(each: FormField, text: str) -> Any:
    """What is meant with `text`, None where the field is left empty. What it can't be stays a text, which the option's
    type then refuses."""
    if text == "":
        return None
    match each.kind:
        case FieldKind.FLAG:
            return text == YES
        case FieldKind.NUMBER:
            return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
        case FieldKind.WORDS:
            try:
                return shlex.split(text)
            except ValueError:  # a quote that is not closed yet
                return text
    return text
