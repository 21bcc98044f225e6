"""Reads that may never end (a file server that is gone): each is waited for so long, and then left behind."""

import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from mvtui.host.mounts import Mounts

T = TypeVar("T")

# A disk that sleeps takes some seconds to wake up.
PATIENCE_SECONDS = 4.0


class NoAnswerError(Exception):
    """It did not end in time."""


class _Question(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._ended = threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None
        self.seconds = 0.0

    def run(self) -> None:
        began = time.thread_time()
        try:
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001 (it is raised where it was asked)
            self._error = error
        self.seconds = time.thread_time() - began
        self._ended.set()

    def wait(self, seconds: float) -> bool:
        return self._ended.wait(seconds)

    def answer(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result[0]


class Patience:
    """Asks one question after the other, in a thread that does not hold up the end of the program. What is below a
    mount point where one had no answer is not asked about until that one has. `spent`: the processor's time (seconds)
    that the answers since `begin` took."""

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self._seconds = seconds
        self._silent: dict[str, _Question[Any]] = {}
        self._todo: queue.SimpleQueue[_Question[Any] | None] | None = None
        self._mount_points: list[str] = []
        self.spent = 0.0

    def begin(self) -> None:
        """Questions of another look: what has been mounted since counts."""
        self._mount_points = Mounts().mount_points
        self.spent = 0.0

    def ask(self, path: str, work: Callable[[], T], seconds: float | None = None) -> T:
        """What `work` returns or raises; it looks at `path` (of this process). Raises NoAnswerError where that does not
        end within `seconds`, and where `path` is known for that."""
        place = self._place(path)
        silent = self._silent.get(place)
        if silent is not None:
            if not silent.wait(0):
                raise NoAnswerError(path)
            del self._silent[place]
        if self._todo is None:
            self._todo = queue.SimpleQueue()
            threading.Thread(target=_answer, args=(self._todo,), name="patience", daemon=True).start()
        question = _Question(work)
        self._todo.put(question)
        if question.wait(self._seconds if seconds is None else seconds):
            self.spent += question.seconds
            return question.answer()
        self._silent[place] = question
        self._todo.put(None)
        self._todo = None
        raise NoAnswerError(path)

    def end(self) -> None:
        """No more questions for now: the thread ends."""
        if self._todo is not None:
            self._todo.put(None)
            self._todo = None

    def _place(self, path: str) -> str:
        """The mount point that `path` is below, by its name; `path` itself on the root file system, where a link may
        lead anywhere."""
        path = os.path.normpath(path)
        below = [point for point in self._mount_points if point != "/" and f"{path}/".startswith(f"{point}/")]
        return max(below, key=len, default=path)


def _answer(todo: "queue.SimpleQueue[_Question[Any] | None]") -> None:
    while (question := todo.get()) is not None:
        question.run()
