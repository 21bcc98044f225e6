"""Interactive shells behind a pty, with mvtui's completion script, and a program mvtui that tells its arguments."""

import os
import select
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from mvtui.cli.completion import script
from tests.host.living import dies_with_us, missing

DEADLINE_SECONDS = 30.0
EVERY = "\x01"  # the key that all completions are inserted with

_BASH = r"""
PS1=
bind '"\C-a": insert-completions'
bind 'set enable-bracketed-paste off'
"""
_ZSH_INIT = "autoload -U compinit && compinit -u -D"
_ZSH = r"""
PS1=
_every() { _main_complete; compstate[insert]=all compstate[list]= }
zle -C every complete-word _every
bindkey '^A' every
"""
# What it inserts is escaped; a description follows behind a tab.
_FISH = r"""
function complete_line
    for each in (complete -C $argv[1] --escape)
        set -a inserted (string split -m 1 -f 1 \t -- $each)
    end
    eval mvtui $inserted
end
"""


# Where the shell finds the script itself: as it is set up where mvtui is installed.
_SEARCHES = {
    "bash": ". /usr/share/bash-completion/bash_completion",
    "zsh": f"fpath=({{share}}/zsh/site-functions $fpath); {_ZSH_INIT}",
    "fish": "",
}


def complete(shell: str, states: Path, line: str, home: Path, share: Path | None = None) -> list[str]:
    """The words that `shell` inserts for all completions of the last word of `line`, as mvtui then gets them.

    `states` stands for the default state directory. `home` is the home and working directory, which stays as it is. The
    shell reads the script at its start, or, where `share` is given, which stands for /usr/share, has to find it there.
    """
    if shutil.which(shell) is None:
        missing(f"{shell} is missing: apt-get install {shell}")
    if share is not None:
        text = _SEARCHES[shell].format(share=share)
    else:
        text = script(shell).replace("/var/lib/microvms", str(states))
        text = f"{_ZSH_INIT}\n{text}" if shell == "zsh" else text
    settings = home.with_name(f"{shell}-settings")
    settings.mkdir(exist_ok=True)
    told, tells = os.pipe()
    with open(told, "rb") as heard, open(tells, "wb") as telling:
        to = f">/proc/self/fd/{tells}"
        if shell == "fish":
            says = f"function mvtui; printf '%s\\0' (count $argv) $argv {to}; end"
            program = f"{text}\n{says}\n{_FISH}\ncomplete_line $argv[1]"
            argv = ["fish", *(["--no-config"] if share is None else []), "-c", program, line]
            _run(argv, home, tells, settings, share)
        else:
            says = f'mvtui() {{ printf \'%s\\0\' "$#" "$@" {to}; exit; }}'
            (settings / ".zshrc").write_text(f"{_ZSH}\n{text}\n{says}\n")
            (settings / ".bashrc").write_text(f"{_BASH}\n{text}\n{says}\n")
            argv = ["zsh", "-d", "-i"] if shell == "zsh" else ["bash", "--rcfile", str(settings / ".bashrc"), "-i"]
            _run(argv, home, tells, settings, share, f"{line}{EVERY}\rexit\r")
        telling.close()
        count, *words = os.fsdecode(heard.read()).split("\0")[:-1]
    assert int(count) == len(words)
    # Neither mvtui nor the last word, which may be empty, is among what stood there before.
    return words if shell == "fish" else words[len(shlex.split(f"{line}x")) - 2 :]


def _run(argv: list[str], home: Path, tells: int, settings: Path, share: Path | None, typed: str = "") -> None:
    master, slave = os.openpty()
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8", "HISTFILE": ""}
    environ |= dict.fromkeys(("ZDOTDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(settings))
    if share is not None:
        environ["XDG_DATA_DIRS"] = f"{share}:/usr/local/share:/usr/share"
    with subprocess.Popen(
        argv,
        cwd=home,
        env=environ,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        pass_fds=[tells],
        start_new_session=True,
        preexec_fn=dies_with_us,  # noqa: PLW1509 (tests have no threads)
    ) as process:
        os.close(slave)
        try:
            os.write(master, typed.encode())
            seen = _read(master)
        finally:
            process.kill()
            os.close(master)
    assert process.returncode == 0, seen


def _read(master: int) -> str:
    """All that is written until the last one of the other side has ended."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    seen = b""
    while select.select([master], [], [], max(0.0, deadline - time.monotonic()))[0]:
        try:
            seen += os.read(master, 65536)
        except OSError:  # EIO
            return seen.decode(errors="replace")
    raise TimeoutError(seen.decode(errors="replace"))
