"""Fixtures of the tests of resets."""

from tests.operations.overlay_worker import workers as workers  # noqa: PLC0414 (pytest finds it here)
