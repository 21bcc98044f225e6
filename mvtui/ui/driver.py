"""The way to the terminal, and from it."""

import asyncio
import codecs
import errno
import os
import select
import signal
import sys
from typing import Any, TextIO

from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from mvtui import first_names
from mvtui.ui.abilities import ALL, Abilities
from mvtui.ui.job_control import can_go_on

_ENTER_ALTERNATE_SCREEN = "\x1b[?1049h"
_LEAVE_ALTERNATE_SCREEN = "\x1b[?1049l"
# Lines are counted from the top of the screen, not of the part that scrolls (DECOM). The cursor goes home with it,
# which nobody sees in this screen; in a shell's, xterm and tmux bring the mode back together with the cursor (DECRC).
_COUNT_FROM_THE_TOP = "\x1b[?6l"

# The keyboard protocol of kitty, on and off, and the pointer's shape: what begins so is asked of newer terminals.
_NEWER = ("\x1b[>", "\x1b[<", "\x1b]22;")

# So often (milliseconds) the reader looks whether it shall end, and whether an escape key stands alone.
_LOOK_EVERY = 100


class PanelDriver(LinuxDriver):
    """Textual's own, which also ends with the terminal. Where the names stand in the alternate screen already, it is
    not entered (and cleared) again."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        # Textual writes to standard error, which may be a file (`mvtui 2>errors`).
        assert sys.__stdout__ is not None
        self._file = Output(sys.__stdout__)  # type: ignore[assignment]
        abilities: Abilities = getattr(app, "abilities", ALL)
        self._answers = abilities.answers
        self._has_let_go = False

    def write(self, data: str) -> None:
        """Send to the terminal."""
        if data == _ENTER_ALTERNATE_SCREEN:
            if first_names.take_over():
                return
            data += _COUNT_FROM_THE_TOP
        if data == _LEAVE_ALTERNATE_SCREEN:
            data = first_names.CLEAR + data
        if self._answers or not data.startswith(_NEWER):
            super().write(data)

    def report_mouse(self, on: bool) -> None:
        """Let the terminal report the mouse from now on, or no longer."""
        if not on:
            self._disable_mouse_support()
        self._mouse = on
        self._enable_mouse_support()

    def _enable_mouse_support(self) -> None:
        """Clicks and the wheel; Textual also wants every motion reported, which nothing here needs."""
        if self._mouse:
            self.write("\x1b[?1000h\x1b[?1006h")
            self.flush()

    def _request_terminal_sync_mode_support(self) -> None:
        if self._answers:
            super()._request_terminal_sync_mode_support()

    def _query_in_band_window_resize(self) -> None:
        if self._answers:
            super()._query_in_band_window_resize()

    def start_application_mode(self) -> None:
        """Take the terminal."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        # Textual's own handler starts a second reader and a second writer beside the first.
        asyncio.get_running_loop().add_signal_handler(signal.SIGCONT, self._go_on)

    def _sigtstp_application(self, *_: object) -> None:
        """Let go of the terminal and stop; not where nobody would let us go on."""
        if self._has_let_go:
            self._has_let_go = False
            os.kill(os.getpid(), signal.SIGSTOP)
        elif can_go_on():
            super()._sigtstp_application()

    def stop_with_group(self) -> bool:
        """As ^Z does where the terminal is not raw; False where nobody would let us go on."""
        if not can_go_on():
            return False
        # Before any of the group stops: the shell takes the terminal as soon as the first of it has.
        self.suspend_application_mode()
        self._has_let_go = self._must_signal_resume = True
        os.kill(0, signal.SIGTSTP)
        return True

    def _go_on(self) -> None:
        """Take the terminal anew, after whatever a shell did with it meanwhile.

        SIGCONT also comes with the SIGHUP of a terminal that is gone; and while the terminal is lent, it is not ours.
        """
        if self._app._exit or not self._auto_restart or not os.isatty(self.fileno):
            return
        if not self._must_signal_resume:  # stopped without a SIGTSTP, or not at all
            self.suspend_application_mode()
        self._must_signal_resume = True  # the screen hears of it, and paints all of it anew
        self.resume_application_mode()

    def run_input_thread(self) -> None:
        """Hand on what is typed, until the panel lets go of the terminal, or the terminal is gone.

        That is a SIGHUP then: the kernel sends one to the session's leader only, which may keep it to itself.
        """
        parser = XTermParser(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        terminal = select.poll()
        terminal.register(self.fileno, select.POLLIN)
        while not self.exit_event.is_set():
            if terminal.poll(_LOOK_EVERY):
                data = self._read()
                if not data:
                    os.kill(os.getpid(), signal.SIGHUP)
                    return
                if text := decode(data):  # none of half a character; to the parser that is the end
                    for message in parser.feed(text):
                        self.process_message(message)
            for message in parser.tick():
                self.process_message(message)

    def _read(self) -> bytes:
        """What was typed; nothing where the terminal is gone."""
        try:
            return os.read(self.fileno, 4096)
        except OSError as error:
            if error.errno == errno.EIO:  # at first; later it reads as an end
                return b""
            raise


class Output:
    """A terminal that may go away; what is written to it then is lost, without an error.

    Textual's writer would end of one, and then the panel, its signals and all, waits for ever for room in its queue.
    """

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self.fileno = terminal.fileno

    def write(self, text: str) -> None:
        """Write it, sooner or later."""
        try:
            self._terminal.write(text)
        except OSError as error:
            self._lose(error)

    def flush(self) -> None:
        """Write it now."""
        try:
            self._terminal.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        """Let what is left in the buffer go nowhere: Python exits with 120 where it can't write that at its end."""
        if error.errno == errno.EIO:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
