"""A walk through the panel at random: keys, clicks, the wheel, pastes, resizes, while the host does what it likes."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from rich.color import Color as RichColor
from textual.color import Color
from textual.events import (
    AppBlur,
    AppFocus,
    MouseDown,
    MouseEvent,
    MouseScrollDown,
    MouseScrollUp,
    MouseUp,
    Paste,
    Resize,
)
from textual.geometry import Size

from mvtui.errors import MvtuiError
from tests.ui import walk_ends
from tests.ui.conftest import Panel
from tests.ui.judge import HOST, Asked, Deed, Event, Judge, Seen
from tests.ui.overlay_samples import LINKED, UNKNOWN, UNSEEN
from tests.ui.posting import key_event
from tests.ui.quiet import quiet
from tests.ui.samples import PRODUCT, STATES
from tests.ui.walk_choices import ACTS, KEYS, LEAVING, OTHERS, PASTES, PRINTABLES, SIZES, SNAPSHOTS, changed
from tests.ui.walk_host import WalkHost

# A form, its question, the definition, its question, the page, the filter, the marks; and one that comes meanwhile.
DEEPEST = 8


@dataclass
class Walk:
    """Through `panel`, as the dice fall; `log` gets each event's words."""

    panel: Panel
    dice: random.Random
    judge: Judge
    log: list[str]
    beside: WalkHost
    done: int = 0

    async def step(self) -> bool:
        """Do something; False where the panel was left by it."""
        step = self.dice.choices([one for one, _ in STEPS], [weight for _, weight in STEPS])[0]
        return await step(self)

    def look(self) -> Seen:
        """What stands on the screen."""
        app = self.panel.app
        cursor = Color.parse(app.theme_variables["vm-cursor"]).rich_color
        lines, on_cursor = [], set()
        for y, strip in enumerate(app.screen._compositor.render_strips()):
            lines.append(strip.text.rstrip())
            if any(_stands_on(segment.style, cursor) for segment in strip):
                on_cursor.add(y)
        seen = Seen(tuple(lines), app.size.width, frozenset(on_cursor), self.panel.host.seconds)
        self.judge.look(seen)
        return seen

    @property
    def seen(self) -> Seen:
        """What stood on the screen at the last look."""
        return self.judge.seen or self.look()

    async def do(self, event: Event, act: Callable[[], object]) -> bool:
        """Let the event happen, and have it judged; False where the panel was left by it."""
        host, app = self.panel.host, self.panel.app
        self.log.append(f"{event.words}   [{app.size.width}x{app.size.height} at {host.seconds:.1f}]")
        act()
        await quiet(self.panel.app)
        deeds = [Deed(*deed) for deed in host.deeds[self.done :]]
        self.done = len(host.deeds)
        if deeds:
            self.log.append(f"    did {deeds}")
        self.judge.judge(event, deeds, host.seconds)
        assert app._exception is None
        if not app.is_running:
            asked_to_quit = any("quit? " in line for line in self.seen.lines)
            assert asked_to_quit or event.click or {*event.keys} & {*LEAVING, "enter"}, f"{event} left the panel"
            return False
        self.look()
        return True

    async def press(self, *keys: str, passes: float = 0.4) -> bool:
        """Keys right after each other; then time passes."""
        for_all = Event(f"press {' '.join(map(repr, keys))}", keys)
        going = await self.do(for_all, lambda: [self.panel.app.post_message(key_event(key)) for key in keys])
        self.panel.host.passes(seconds=passes)
        return going

    # The steps

    async def key(self) -> bool:
        """Any key that the panel knows."""
        return await self.press(self.dice.choice(KEYS), passes=self.dice.choice((0.1, 0.4, 0.4)))

    async def act(self) -> bool:
        """A key that acts, and mostly the answer to what it asks."""
        going = await self.press(self.dice.choice(ACTS), passes=self.dice.choice((0.2, 0.4, 0.4)))
        return going and (self.dice.random() < 0.4 or await self.answer())

    async def answer(self) -> bool:
        """What answers a question."""
        question = self.seen.question
        if question is not None and question.key == "enter" and self.dice.random() < 0.8:
            return await self.type_in(_asked_for(question))
        if question is not None and question.keys and self.dice.random() < 0.8:
            return await self.press(self.dice.choice(question.keys[:2]))
        return await self.press(self.dice.choice(("y", "y", "y", "enter", "escape", "K", "o", "u", "x", "s", "d")))

    async def type_in(self, text: str) -> bool:
        """What a question wants to be typed, mostly right."""
        text = text if self.dice.random() < 0.8 else text[:-1] + "x"
        for char in text[:60] if len(text) < 60 else text:
            if not await self.press(char, passes=0.1):
                return False
        return await self.press("enter")

    async def other(self) -> bool:
        """Any other key."""
        return await self.press(self.dice.choice((*OTHERS, *PRINTABLES)))

    async def burst(self) -> bool:
        """Several keys before anything could be painted, and with no time between them."""
        keys = [key for key in (*KEYS, *ACTS, "y", "y") if key not in ("W", "colon", "ctrl+p")]
        return await self.press(*self.dice.choices(keys, k=self.dice.randint(2, 6)))

    async def leave(self) -> bool:
        """A key that leaves the panel, or something in it."""
        return await self.press(self.dice.choice(LEAVING))

    async def palette(self) -> bool:
        """Something out of the palette."""
        words = (
            "start",
            "stop",
            "restart",
            "kill",
            "cancel",
            "reset",
            "undo",
            "free",
            "arm",
            "web",
            "git",
            "mark",
            "read",
            "qui",
            "sort",
            "reverse",
            "edit",
            "rebuild",
            "adopt",
            "grow",
            "store",
            "check",
        )
        for key in (":", *self.dice.choice(words), *["down"] * self.dice.randint(0, 1)):
            if not await self.press(key, passes=0.1):
                return False
        return await self.press("enter")

    async def paste(self) -> bool:
        """A paste, of more than a line too."""
        question = self.seen.question
        texts = (*PASTES, *([_asked_for(question)] if question is not None and question.key == "enter" else []))
        text = self.dice.choice(texts)
        return await self.do(Event(f"paste {text!r}"), lambda: self.panel.app.post_message(Paste(text)))

    async def click(self) -> bool:
        """A click, or two; mostly on something."""
        x, y = self._cell()
        for _ in range(self.dice.choice((1, 1, 1, 2))):
            event = Event(f"click {x},{y} on {self.seen.lines[y]!r}", click=(x, y))
            if not await self.do(event, lambda: self._mouse(x, y, MouseDown, MouseUp)):
                return False
        self.panel.host.passes(seconds=0.4)
        return True

    async def drag(self) -> bool:
        """The button goes down here and up there."""
        (x, y), (to_x, to_y) = self._cell(), self._cell()
        event = Event(f"drag {x},{y} to {to_x},{to_y}", click=(to_x, to_y))

        def act() -> None:
            self._mouse(x, y, MouseDown)
            self._mouse(to_x, to_y, MouseUp)

        return await self.do(event, act)

    async def wheel(self) -> bool:
        """Some turns of the wheel."""
        x, y = self._cell()
        turn = self.dice.choice((MouseScrollDown, MouseScrollUp))
        event = Event(f"{turn.__name__} {x},{y}")
        return await self.do(event, lambda: self._mouse(x, y, turn, turn, turn))

    def _cell(self) -> tuple[int, int]:
        lines = self.seen.lines
        y = self.dice.choice((self.dice.randrange(len(lines)), len(lines) - 1))
        return self.dice.randrange(max(1, self.dice.choice((len(lines[y]), self.panel.app.size.width)))), y

    def _mouse(self, x: int, y: int, *kinds: type[MouseEvent]) -> None:
        """As the driver makes it."""
        for kind in kinds:
            self.panel.app.post_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y, None))

    async def resize(self) -> bool:
        """Another size."""
        size = Size(*self.dice.choice(SIZES))

        def act() -> None:
            driver = self.panel.app._driver
            assert driver is not None
            driver._size = (size.width, size.height)
            self.panel.app.post_message(Resize(size, size))

        return await self.do(Event(f"resize {size}"), act)

    async def tell(self) -> bool:
        """The host looks otherwise."""
        told = (
            self.dice.choice(SNAPSHOTS)
            if self.dice.random() < 0.2
            else changed(self.panel.host.last or PRODUCT, self.dice)
        )
        names = " ".join(one.name for one in told.microvms)[:80]
        return await self.do(Event(f"tell {names!r}"), lambda: self.panel.host.tell(told))

    async def look_fails(self) -> bool:
        """The host can't be looked at."""
        return await self.do(
            Event("the look fails"), lambda: self.panel.host.tell(MvtuiError("D-Bus is \x1b[31mred", "[/x]"))
        )

    async def end(self) -> bool:
        """A verb ends."""
        return await self._end(walk_ends.of_verb(self.panel.host, self.dice))

    async def end_of_overlay(self) -> bool:
        """What is done with an overlay ends."""
        return await self._end(walk_ends.of_overlay(self.panel.host, self.dice))

    async def end_of_rebuild(self) -> bool:
        """A rebuild says more, or ends."""
        return await self._end(walk_ends.of_rebuild(self.beside, self.dice))

    async def end_of_growth(self) -> bool:
        """A volume is grown, or not."""
        return await self._end(walk_ends.of_growth(self.panel.host, self.dice))

    async def _end(self, end: walk_ends.End | None) -> bool:
        return await self.do(Event(end.words), end.act) if end is not None else True

    async def plan(self) -> bool:
        """Plans are otherwise from now on: refused, nothing to reset, nobody knows which image, no rights."""
        host = self.panel.host
        if host.last is None or not host.last.microvms:
            return True
        name = self.dice.choice(host.last.microvms).name
        told = self.dice.choice((LINKED, UNKNOWN, UNSEEN, LINKED._replace(nothing="it has \x1b[2Jnone"), None))
        self.log.append(f"plan of {name!r}: {told.refusal if told is not None else 'as it is'}")
        host.plans.pop(name, None)
        if told is not None:
            host.plans[name] = told._replace(microvm=name)
        host.steps.get(name, str)("making \x1b[1mit")
        return True

    async def progress(self) -> bool:
        """Something that was begun goes on."""
        host = self.panel.host
        key = self.dice.choice([*host.progress, None])
        units = self.dice.choice(STATES.microvms).units
        return await self.do(Event(f"progress of {key}"), lambda: host.progress[key](units) if key else None)

    async def wait(self) -> bool:
        """Time passes; or the clock is set back, which the monotonic one never is."""
        seconds = self.dice.choice((0.1, 0.35, 5, 61, 86400, -3600))
        self.panel.host.passes(seconds=max(0, seconds))
        self.panel.host.now += timedelta(seconds=min(0, seconds))
        return await self.do(Event(f"{seconds} s pass"), self.panel.app._tick)

    async def focus(self) -> bool:
        """The terminal's window loses and gets the focus."""
        kind = self.dice.choice((AppBlur, AppFocus))
        return await self.do(Event(kind.__name__), lambda: self.panel.app.post_message(kind()))

    async def escape(self) -> bool:
        """However deep it is: Esc leads back to the list, and its keys work."""
        for _ in range(DEEPEST):
            if not await self.press("escape"):
                return False
        assert self.seen.question is None
        assert self.panel.app.size.width < 40 or self.seen.lines[0].startswith("mvtui  hv01"), self.seen.lines
        return True


Step = Callable[[Walk], Awaitable[bool]]
STEPS: tuple[tuple[Step, float], ...] = (
    (Walk.key, 30),
    (Walk.act, 14),
    (Walk.answer, 12),
    (Walk.other, 6),
    (Walk.burst, 3),
    (Walk.leave, 0.5),
    (Walk.palette, 1.5),
    (Walk.paste, 2),
    (Walk.click, 8),
    (Walk.drag, 1),
    (Walk.wheel, 1),
    (Walk.resize, 2.5),
    (Walk.tell, 7),
    (Walk.look_fails, 0.3),
    (Walk.end, 4),
    (Walk.end_of_overlay, 3),
    (Walk.end_of_rebuild, 3),
    (Walk.end_of_growth, 1),
    (Walk.plan, 2),
    (Walk.progress, 1),
    (Walk.wait, 3),
    (Walk.focus, 1),
    (Walk.escape, 1),
)


def _stands_on(style: object, colour: RichColor) -> bool:
    return getattr(style, "bgcolor", None) == colour


def _asked_for(question: Asked) -> str:
    """What the question wants to be typed, as people read it."""
    text = "".join(question.lines[0].split("─")).partition(" on hv01?")[0].strip()
    if text.startswith("rebuild all of "):
        return HOST
    for before in ("kill ", "stop, reset, start "):
        if text.startswith(before) and "microVM" not in text:
            return text.removeprefix(before)
    return next((word for word in text.split() if word.isdecimal()), "1")
