"""The guest of these tests: what it writes into its overlay is there at its next boot."""

from collections.abc import Callable

import pytest

from mvtui.model.definition import Definition
from tests.real.host import RealHost
from tests.real.overlays import on_share, on_volume


@pytest.mark.parametrize("make", [on_volume, on_share])
def test_its_overlay_lasts(host: RealHost, ending: list[str], make: Callable[[str], Definition]) -> None:
    name = host.add(make(f"guest-{make.__name__.replace('_', '-')}"))
    ending.append(name)
    host.mvtui("start", name)
    host.wait_for_boot(name)
    assert host.overlay_at_boot(name) == set()
    assert host.in_guest(name, "echo built >/nix/store/built && cat /nix/store/built; sync") == "built\n"
    assert host.in_guest(name, "cat /nix/store/no-such-thing").endswith("exit 1\n")
    assert "overlay /nix/store overlay" in host.in_guest(name, "cat /proc/mounts")
    host.power_off_from_within(name)
    host.wait_for_boot(name, 2)
    assert host.overlay_at_boot(name) == {"built", "from-guest"}
    assert "MVTUI-GUEST FAIL" not in "\n".join(host.nested.journal("-u", f"microvm@{name}.service"))
