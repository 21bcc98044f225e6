"""What is said of keys and types; that it is what Nix says is shown by the verdicts."""

import tomllib

import pytest

from mvtui.model.document_types import type_findings
from mvtui.model.finding import Severity

_SHARE = "[[shares]]\ntag = 'a'\nsource = '/a'\nmountPoint = '/a'\n"


@pytest.mark.parametrize(
    ("text", "subject", "what", "fix"),
    [
        ("mem = '512'", "mem", 'mem takes a whole number, not the string "512".', "write 512, without quotes"),
        ("mem = 10.0", "mem", "mem takes a whole number, not 10.0.", "write 10"),
        ("mem = 0", "mem", "mem takes a whole number above 0, not 0.", ""),
        ("hotplugMem = -1", "hotplugMem", "hotplugMem takes a whole number that is not below 0, not -1.", ""),
        (
            "balloon = 'true'",
            "balloon",
            'balloon takes true or false, not the string "true".',
            "write true, without quotes",
        ),
        ("user = true", "user", "user takes a string, not true.", 'write "true"'),
        (
            "kernelParams = 'quiet'",
            "kernelParams",
            'kernelParams takes a list, not the string "quiet".',
            'write ["quiet"]',
        ),
        ("kernelParams = ['a', 1]", "kernelParams[1]", "this takes a string, not 1.", 'write "1"'),
        ("vsock = 3", "vsock", "vsock takes a table, not 3.", ""),
        ("qemu.machineOpts.'a b' = 1", 'qemu.machineOpts."a b"', '"a b" takes a string, not 1.', 'write "1"'),
        ("hypervisor = 'xen'", "hypervisor", 'hypervisor takes one of "qemu", "cloud-hypervisor"', ""),
        ("kernel = 'linux'", "kernel", "kernel takes a package, which only Nix can name.", "leave kernel out"),
        ("virtiofsd.threadPoolSize = -1", "virtiofsd.threadPoolSize", "threadPoolSize takes a string, or a whole", ""),
        (
            "initrdPath = 'x'",
            "initrdPath",
            'initrdPath takes an absolute path: it begins with /, not the string "x".',
            "",
        ),
        ("memory = 1", "memory", "microvm.nix has no option memory here.", "did you mean mem?"),
        ("shares = {}", "shares", "shares takes a list, not a table.", ""),
        (
            "[[shares]]\ntag = 'a'\nsource = '/a'",
            "shares[0].mountPoint",
            "mountPoint is missing.",
            "write mountPoint = …",
        ),
        (
            f"{_SHARE}readonly = true",
            "shares[0].readonly",
            "microvm.nix has no option readonly here.",
            "did you mean readOnly?",
        ),
        (
            f"{_SHARE}writableStoreOverlay = '/a'",
            "shares[0].writableStoreOverlay",
            "microvm.nix has no option writableStoreOverlay here.",
            "what stands below [[shares]] belongs to it: move writableStoreOverlay above the first table",
        ),
        (
            "[qemu]\nmem = 1",
            "qemu.mem",
            "microvm.nix has no option mem here.",
            "what stands below [qemu] belongs to it",
        ),
        (f"{_SHARE}source2 = 1", "shares[0].source2", "microvm.nix has no option", "did you mean source?"),
        ("user = 1979-05-27", "user", "Nix reads no dates and no times, whatever the option.", "write it as a string"),
        (
            "firecracker.extraConfig.a = [07:32:00]",
            "firecracker.extraConfig.a[0]",
            "Nix reads no dates",
            "write it as a string",
        ),
    ],
)
def test_what_is_said(text: str, subject: str, what: str, fix: str) -> None:
    (finding,) = type_findings(tomllib.loads(text))
    assert (finding.severity, finding.subject) == (Severity.ERROR, subject)
    assert finding.what.startswith(what)
    assert finding.fix.startswith(fix)
    assert bool(finding.fix) == bool(fix)


def test_everything_is_said_at_once() -> None:
    text = "mem = 0\nballoon = 1\n[[shares]]\ntag = 1\n[[volumes]]\nx = 1"
    subjects = [finding.subject for finding in type_findings(tomllib.loads(text))]
    assert sorted(subjects) == [
        "balloon",
        "mem",
        "shares[0].mountPoint",
        "shares[0].source",
        "shares[0].tag",
        "volumes[0].image",
        "volumes[0].x",
    ]


def test_a_long_value_is_cut() -> None:
    (finding,) = type_findings({"mem": "x" * 1000})
    assert len(finding.what) < 100
