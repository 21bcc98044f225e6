"""Whose the sample microVMs are: the user who runs the demo, or somebody harmless where that is root."""

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mvtui.errors import MvtuiError

# microvm.nix's user, then the kernel's overflow user, who owns nothing.
_HARMLESS_USERS = ("microvm", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """The owner of the state directories, as whom the hypervisors run. `is_other`: not the user of this process,
    which then is root."""

    name: str
    uid: int
    gid: int
    group: str
    is_other: bool

    @property
    def popen_options(self) -> dict[str, Any]:
        """What makes subprocess.Popen run a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}

    def check_reach(self, directory: Path) -> None:
        """See that this user can enter `directory`. Raises MvtuiError, OSError."""
        if not self.is_other:
            return
        for path in (directory, *directory.parents):
            facts = os.stat(path)
            needed = stat.S_IXUSR if facts.st_uid == self.uid else stat.S_IXOTH
            if not facts.st_mode & needed:
                raise MvtuiError(
                    f"user {self.name}, as whom root runs the sample microVMs, can't enter {path}",
                    "choose a directory that everybody can reach, such as one below /var/tmp",
                )


def find_account() -> Account:
    """Root does not get microVMs of its own: a hypervisor never runs as root. Raises MvtuiError where root finds
    nobody else."""
    if os.geteuid() != 0:
        uid, gid = os.geteuid(), os.getegid()
        return Account(str(uid), uid, gid, str(gid), is_other=False)
    for name in _HARMLESS_USERS:
        try:
            user = pwd.getpwnam(name)
            group = grp.getgrgid(user.pw_gid).gr_name
        except KeyError:
            continue
        if user.pw_uid != 0 and user.pw_gid != 0:
            return Account(name, user.pw_uid, user.pw_gid, group, is_other=True)
    raise MvtuiError(
        f"root needs another user for the sample microVMs, and there is none of {' and '.join(_HARMLESS_USERS)}",
        "run mvtui demo as an ordinary user",
    )
