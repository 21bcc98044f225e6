"""Questions to file systems that may never answer: what they cost."""

import time

from mvtui.host.patience import Patience


def burn(seconds: float) -> None:
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        pass


def test_what_is_waited_for_costs_nothing_what_is_computed_does() -> None:
    patience = Patience(60)
    patience.begin()
    patience.ask("/srv", lambda: time.sleep(0.3))
    assert patience.spent < 0.2
    patience.ask("/srv", lambda: burn(0.05))
    patience.ask("/srv", lambda: burn(0.05))
    assert patience.spent >= 0.1
    patience.begin()
    assert patience.spent == 0.0
    patience.end()
