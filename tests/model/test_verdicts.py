"""What mvtui says of definition files against what the modules of microvm.nix said of them (tests/nix/renew.py)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mvtui.host.documents import TOO_LARGE, DocumentError, parse
from mvtui.model.document import WrongTypeError, definition_of
from mvtui.model.document_types import type_findings
from mvtui.model.finding import Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.option_types import Options
from mvtui.model.options import ShareOptions, VolumeOptions
from mvtui.model.rules import RULES
from mvtui.model.rules.finding import Defined

_HOST_NAME = "web"  # judge.nix has it too

# Nix accepts what these refuse, and should not: the guest, the hypervisor, mkfs or the build fails, or something is not
# there and nobody says so. Each rule's docstring names its source.
BEYOND_NIX = {
    "tag_length": "virtio has room for 36 bytes, 9p for 31",
    "tag_characters": "of 9p: the hypervisor's command line or fstab breaks",
    "socket_length": "the kernel's sun_path has 107 bytes",
    "socket_characters": "the hypervisor's command line or the runner's build breaks",
    "source_spelling": "nobody expands a tilde",
    "source_characters": "the hypervisor's command line or the runner's build breaks",
    "duplicate_image": "two spellings of one image",
    "image_characters": "the runner's script or the hypervisor's command line breaks",
    "size_range": "mkfs refuses, and leaves a blank image that is never formatted",
    "label_length": "mkfs refuses, or cuts, and the guest waits for a label that never appears",
    "label_characters": "the runner's script breaks, or udev names the device otherwise",
    "duplicate_label": "the guest mounts either",
    "too_many": "the 27th volume is not there",
    "serial": "virtio has room for 20 bytes; the hypervisor's command line breaks at a comma",
    "made_raw": "the hypervisor is told that a raw image is none",
    "same_mount_point": "the last one wins",
    "mount_point_spelling": "systemd mounts no .. and fstab has one line for each",
    "taken_by_the_store": "a mount in or over the guest's store",
    "overlay_path": "no path, or one that overlayfs reads otherwise",
    "overlay_place": "mounted too late, or nowhere",
    "overlay_volume": "nothing can be written, or overlayfs refuses it",
    "overlay_share": "nothing can be deleted, or overlayfs refuses it",
    "image_type": "the hypervisor takes it as raw",
    "vsock_cid": "the kernel reserves it",
    "control_socket": "the kernel's sun_path has 107 bytes",
    "cut_string": "Nix cuts the string",
    "large_number": "TOML has numbers of 64 bits, and Nix makes another one of it",
}
# Keys that are a matter of Nix's modules, not of microvm.nix: accepted there, and without a use in TOML.
_MODULE_KEYS = ("config", "imports", "_module", "_type")


class Verdict(NamedTuple):
    document: str
    refused: list[dict[str, Any]]


def _recorded() -> tuple[dict[str, str], list[Verdict]]:
    lines = Path(__file__).with_name("verdicts.jsonl").read_text(encoding="utf-8").splitlines()
    versions, *records = map(json.loads, lines)
    return versions, [Verdict(**record) for record in records]


VERSIONS, VERDICTS = _recorded()


def _errors(text: str) -> Iterator[tuple[str, str]]:
    """The rule ("" for syntax, "large_number", "types") and the subject of each error that mvtui has in `text`."""
    try:
        document = parse(Path("web.toml"), text.removeprefix("\ufeff"))
    except DocumentError as error:
        yield "large_number" if error.expected == TOO_LARGE[0] else "", ""
        return
    wrong = type_findings(document)
    yield from (("types", finding.subject) for finding in wrong)
    if wrong:
        return
    try:
        definition = definition_of(document)
    except WrongTypeError as error:
        yield "types", error.subject
        return
    defined = Defined(definition, definition.hypervisor or Hypervisor.QEMU, document, _HOST_NAME)
    for rule in RULES:
        for finding in rule(defined):
            if finding.severity is Severity.ERROR:
                yield rule.__name__, finding.subject


@pytest.mark.parametrize("verdict", VERDICTS, ids=range(len(VERDICTS)))
def test_mvtui_says_what_nix_says(verdict: Verdict) -> None:
    errors = list(_errors(verdict.document))
    subjects = {subject for _, subject in errors}
    for refusal in verdict.refused:
        assert subjects.intersection(refusal["places"]), (verdict.document, refusal, errors)
    if not verdict.refused:
        unfounded = [(rule, subject) for rule, subject in errors if rule not in BEYOND_NIX]
        assert all(rule == "types" and subject.rpartition(".")[2] in _MODULE_KEYS for rule, subject in unfounded), (
            verdict.document,
            unfounded,
        )


def test_every_exception_is_one() -> None:
    """What Nix accepts, and mvtui refuses by that rule alone, is among the verdicts."""
    accepted = [verdict.document for verdict in VERDICTS if not verdict.refused]
    seen = {rule for text in accepted for rule, _ in _errors(text)}
    assert set(BEYOND_NIX) - seen == set()


# Each assertion of nixos-modules/microvm/asserts.nix and vsock-ssh.nix. A virtiofs share without a socket is not among
# them: TOML has no null. Nor is nix.optimise, which is no option of a definition file.
ASSERTIONS = (
    'volume image "a.img" is used 2 > 1 times',
    'interface id "vm-web" is used 2 > 1 times',
    'is of type "bridge" but doesn\'t have a bridge',
    'is not of type "bridge" and therefore shouldn\'t have a "bridge" option',
    "is longer than the the maximum length of 15 characters",
    'share tag "a" is used 2 > 1 times',
    'share socket "x" is used 2 > 1 times',
    "which conflict with --posix-acl",
    "`config.microvm.forwardPorts` works only with qemu",
    "items must not contain `oem_strings`",
    "microvm.vsock.ssh.enable requires microvm.vsock.cid to be set",
)


def test_every_assertion_is_among_them() -> None:
    messages = [" ".join(refusal["message"].split()) for verdict in VERDICTS for refusal in verdict.refused]
    assert [words for words in ASSERTIONS if not any(words in message for message in messages)] == []


@pytest.mark.parametrize(("key", "options"), [("shares", ShareOptions), ("volumes", VolumeOptions)])
def test_a_wrong_type_of_every_option_is_among_them(key: str, options: type[Options]) -> None:
    names = {field.alias for field in options.model_fields.values()}
    refused = [refusal for verdict in VERDICTS for refusal in verdict.refused if "is not of type" in refusal["message"]]
    places = {place for refusal in refused for place in refusal["places"]}
    assert {name for name in names if not {f"{key}[0].{name}", f"{key}[1].{name}"} & places} == set()


def test_there_are_enough_of_both() -> None:
    assert len(VERDICTS) >= 300
    assert sum(bool(verdict.refused) for verdict in VERDICTS) >= 150
    accepted_by_both = [each for each in VERDICTS if not each.refused and not list(_errors(each.document))]
    assert len(accepted_by_both) >= 150
    assert set(VERSIONS) == {"microvm.nix", "nixpkgs.lib"}
