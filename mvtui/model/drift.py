"""Drift: where what is defined, what is built and what is booted differ, field by field. Pure.

What a stage can't tell is unknown, and what is unknown never differs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from mvtui.model.definition import Definition, Share, Volume
from mvtui.model.drift_fields import Fields, Stage, Value, same, share_fields, tells, top_fields, volume_fields
from mvtui.model.hypervisor import Hypervisor


class Follow(StrEnum):
    """What must follow until the guest has what is defined."""

    REBUILD = "rebuild"
    RESTART = "restart"


class FieldDrift(NamedTuple):
    """One option that differs. `kind` is `shares`, `volumes`, or "" for what stands beside them; `item` is the tag or
    the image; `field` is the option's name, `order` for the order of the volumes, or "" where it is the item itself
    that is not everywhere: the values are then true and false.

    `values` has each stage that tells it. `unbuilt`: defined and built differ; `unbooted`: built and booted differ.
    """

    kind: str
    item: str
    field: str
    values: tuple[tuple[Stage, Value], ...]
    follows: tuple[Follow, ...]
    unbuilt: bool
    unbooted: bool

    @property
    def place(self) -> str:
        """All three of them: `shares home source`."""
        return " ".join(part for part in (self.kind, self.item, self.field) if part)


class _Kind(NamedTuple):
    """`same_place`: whether two are one that was renamed, or whose name one stage can't tell."""

    option: str
    items: Callable[[Definition], Sequence[Share] | Sequence[Volume]]
    name: Callable[[Share | Volume], str | None]
    named_by: str
    same_place: Callable[[Share | Volume, Share | Volume], bool]


def _name(item: Share | Volume) -> str | None:
    return item.tag if isinstance(item, Share) else item.image


def _same_share(one: Share | Volume, other: Share | Volume) -> bool:
    if _is_mounted_alike(one, other):
        return True
    if not isinstance(one, Share) or not isinstance(other, Share) or None not in (one.tag, other.tag):
        return False
    return one.source is not None and one.source == other.source


def _is_mounted_alike(one: Share | Volume, other: Share | Volume) -> bool:
    known = one.mount_point is not None and other.mount_point is not None
    return known and same("mountPoint", one.mount_point, other.mount_point, "/")


_SHARES = _Kind("shares", lambda definition: definition.shares, _name, "tag", _same_share)
_VOLUMES = _Kind("volumes", lambda definition: definition.volumes, _name, "image", _is_mounted_alike)

_Group = dict[Stage, Share | Volume]


def drift(
    defined: Definition | None, built: Definition | None, booted: Definition | None, *, directory: str = "/"
) -> tuple[FieldDrift, ...]:
    """Every field in which two stages differ; None: that stage is not there, or not known. Relative paths of the host
    begin in `directory`. What stands beside shares and volumes comes first, then these in their order."""
    given = {Stage.DEFINED: defined, Stage.BUILT: built, Stage.BOOTED: booted}
    stages = {stage: definition for stage, definition in given.items() if definition is not None}
    if len(stages) < 2:
        return ()
    compare = _Comparison(stages, directory)
    return (*compare.top(), *compare.items(_SHARES), *compare.items(_VOLUMES))


class _Comparison(NamedTuple):
    stages: Mapping[Stage, Definition]
    directory: str

    def top(self) -> Iterator[FieldDrift]:
        fields = {stage: top_fields(definition, stage) for stage, definition in self.stages.items()}
        yield from self._compared("", "", fields)

    def items(self, kind: _Kind) -> Iterator[FieldDrift]:
        told = {stage: one for stage, one in self.stages.items() if tells(one, stage, kind.option)}
        groups = self._matched(kind, told)
        # Who has one without a name that is like no other may have any of the others.
        blind = {stage for group in groups for stage in group if len(group) == 1 and kind.name(group[stage]) is None}
        for group in groups:
            # That of what runs, if it does: other stages may spell it otherwise.
            names = [kind.name(group[stage]) for stage in reversed(Stage) if stage in group]
            name = next((name for name in names if name is not None), None)
            if name is None:
                continue
            there = {stage: stage in group for stage in told if stage in group or stage not in blind}
            presence = list(self._compared(kind.option, name, {stage: {"": value} for stage, value in there.items()}))
            yield from presence
            if not presence:
                yield from self._compared(
                    kind.option, name, {stage: self._known(stage, group[stage]) for stage in group}
                )
        if kind is _VOLUMES:
            yield from self._order(groups, told)

    def _matched(self, kind: _Kind, told: Mapping[Stage, Definition]) -> list[_Group]:
        """Those that are one, together: by name, else by place."""
        groups: list[_Group] = []

        def same_name(one: Share | Volume, other: Share | Volume) -> bool:
            name = kind.name(one)
            return name is not None and same(kind.named_by, name, kind.name(other), self.directory)

        for stage, definition in told.items():
            left: list[Share | Volume] = [*kind.items(definition)]
            for is_same in (same_name, kind.same_place):
                for group in [group for group in groups if stage not in group]:
                    for item in left:
                        if any(is_same(item, other) for other in group.values()):
                            group[stage] = item
                            left.remove(item)
                            break
            groups += [{stage: item} for item in left]
        return groups

    def _order(self, groups: list[_Group], told: Mapping[Stage, Definition]) -> Iterator[FieldDrift]:
        """A volume's place is its drive letter. Where one is added or goes, that others move follows from it."""
        common = [group for group in groups if group.keys() == told.keys()]
        numbers: dict[Stage, tuple[int, ...]] = {}
        orders: dict[Stage, Fields] = {}
        for stage, definition in told.items():
            places = {id(group[stage]): number for number, group in enumerate(common)}
            ordered = [volume for volume in definition.volumes if id(volume) in places]
            numbers[stage] = tuple(places[id(volume)] for volume in ordered)
            orders[stage] = {"order": tuple(volume.image for volume in ordered)}
        if len(set(numbers.values())) > 1:
            alike: dict[Stage, Fields] = {stage: {"order": tuple(map(str, order))} for stage, order in numbers.items()}
            for one in self._compared("volumes", "", alike):
                yield one._replace(values=tuple((stage, orders[stage]["order"]) for stage, _ in one.values))

    def _known(self, stage: Stage, item: Share | Volume) -> Fields:
        definition = self.stages[stage]
        hypervisor = self._hypervisor(stage)
        if isinstance(item, Share):
            return share_fields(item, hypervisor)
        return volume_fields(item, definition, stage, hypervisor)

    def _hypervisor(self, stage: Stage) -> Hypervisor | None:
        """Its own, else that of the nearest stage that knows."""
        around = (stage, Stage.BUILT, Stage.BOOTED, Stage.DEFINED)
        known = (self.stages[one].hypervisor for one in around if one in self.stages)
        return next((hypervisor for hypervisor in known if hypervisor is not None), None)

    def _compared(self, kind: str, item: str, told: Mapping[Stage, Fields]) -> Iterator[FieldDrift]:
        for field in dict.fromkeys(field for fields in told.values() for field in fields):
            values = {stage: fields[field] for stage, fields in told.items() if field in fields}
            if self._differ(field, values, *values):
                yield self._drift(kind, item, field, values)

    def _differ(self, field: str, values: Mapping[Stage, Value], *stages: Stage) -> bool:
        """Whether those of `stages` that tell it do not all tell the same."""
        known = [values[stage] for stage in stages if stage in values]
        return any(not same(field, known[0], value, self.directory) for value in known[1:])

    def _drift(self, kind: str, item: str, field: str, values: Mapping[Stage, Value]) -> FieldDrift:
        defined, built, booted = Stage
        is_built = built in values
        unbuilt = self._differ(field, values, defined, built)
        rebuild = unbuilt or (not is_built and self._differ(field, values, defined, booted))
        wanted = defined if defined in values else built
        late = self._differ(field, values, wanted, booted) if booted in values else rebuild and booted in self.stages
        follows = [Follow.REBUILD] * rebuild + [Follow.RESTART] * late
        unbooted = self._differ(field, values, built, booted)
        return FieldDrift(kind, item, field, tuple(values.items()), tuple(follows), unbuilt, unbooted)
