"""What a walk at random chooses from."""

import random
import string

from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.state import StateWord
from mvtui.model.unit import Job
from mvtui.ui.commands import COMMANDS
from tests.ui.growth_samples import GROWABLE
from tests.ui.overlay_samples import KEEPING, RUNNING, with_kept
from tests.ui.samples import EMPTY, HOSTILE, LAB, NO_BUS, PRODUCT, STATES, UNREADABLE, WEB, ago, microvm, snapshot

LEAVING = ("q", "Q", "ctrl+c")
KEYS = tuple(key for one in COMMANDS for key in one.keys if key not in LEAVING)
OTHERS = (
    *(
        "tab",
        "shift+tab",
        "backspace",
        "delete",
        "insert",
        "left",
        "right",
        "shift+left",
        "ctrl+left",
        "alt+y",
        "alt+S",
    ),
    *("f2", "f5", "f10", "f12", "ctrl+a", "ctrl+e", "ctrl+k", "ctrl+s", "ctrl+t", "ctrl+w", "ctrl+x", "ctrl+v"),
    *("alt+y", "alt+S", "ctrl+z", "ctrl+q", "ctrl+@", "ctrl+shift+k", "ctrl+j", "ctrl+home", "ctrl+end", "super+s"),
)
PRINTABLES = string.ascii_letters + string.digits + string.punctuation + "é仮…\xa0"
ACTS = "STrKCOOuuxABBaEZZVHee"
PASTES = ("y", "web", "9", "\x1b[31mred", "two\nlines", "S\r\nT\r\ny", "", "仮想マシン一号機" * 30, "\x00\x1b", "git\n")
SIZES = ((80, 24), (80, 24), (120, 36), (60, 15), (40, 10), (10, 3), (200, 5), (79, 50), (1, 1), (24, 8))
SNAPSHOTS = (
    PRODUCT,
    STATES,
    HOSTILE,
    EMPTY,
    UNREADABLE,
    NO_BUS,
    snapshot(WEB),
    snapshot(GROWABLE, KEEPING, WEB),
    snapshot(KEEPING, with_kept(LAB._replace(name="old")), with_kept(RUNNING)),
)
STRANGERS = (
    microvm("two\nlines", StateWord.RUNNING),
    microvm("n" * 200, StateWord.RUNNING, since=ago(hours=1)),
    microvm("n" * 199 + "m", StateWord.FAILED, since=ago(hours=1)),
    microvm("start", StateWord.STOPPED),
    microvm("web on hv01? y stops, Esc leaves", StateWord.RUNNING),
    microvm(" ", StateWord.STOPPED),
    microvm("─ x ─", StateWord.LOOPING),
    *HOSTILE.microvms,
)


def changed(before: Snapshot, dice: random.Random) -> Snapshot:
    """Another one: a microVM has gone or come, or some are in other states."""
    microvms = list(before.microvms)
    dice.shuffle(microvms)
    change = dice.random()
    if change < 0.3 and microvms:
        microvms.pop()
    elif change < 0.5:
        stranger = dice.choice((*STRANGERS, *PRODUCT.microvms, *STATES.microvms))
        microvms = [one for one in microvms if one.name != stranger.name] + [stranger]
    else:
        like = dice.choice((*STATES.microvms, *PRODUCT.microvms))
        microvms = [_like(one, like, dice) if dice.random() < 0.3 else one for one in microvms]
    return snapshot(*microvms)


def _like(one: MicroVM, other: MicroVM, dice: random.Random) -> MicroVM:
    """`one` in the state of `other`; sometimes with a job."""
    unit = one.units[0]
    job = Job(7, dice.choice(("start", "stop")), dice.choice(("waiting", "running"))) if dice.random() < 0.5 else None
    return one._replace(state=other.state, findings=other.findings, units=(unit._replace(job=job),))
