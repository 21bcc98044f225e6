"""A look at the host itself: devices, space, limits, and what its user may see. Reads alone; some of it may be behind a
mount that does not answer, so callers use a thread that they can leave."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from mvtui.host.field_looks import account_of
from mvtui.host.ports import Host
from mvtui.model.host_facts import Device, HostFacts, Space, Terminal
from mvtui.model.locale import is_utf8
from mvtui.model.rights import READ, WRITE, Account, Inode, may

# Whose members may read the journal of the system (journalctl(1)); the directory may be another group's, too.
_JOURNALS = ("/var/log/journal", "/run/log/journal")
# Where polkit puts its daemon or its actions.
_POLKIT = (
    "/run/current-system/sw/share/polkit-1",
    "/usr/share/polkit-1",
    "/etc/polkit-1",
    "/usr/lib/polkit-1",
)


def look_at_host(host: Host) -> HostFacts:
    """The facts of `host`. Never raises."""
    account = account_of(host, str(host.state_dir))
    files = _file_handles()
    uid = os.geteuid()
    return HostFacts(
        uid=uid,
        account=account,
        kvm=_device("/dev/kvm", account),
        tun=_device("/dev/net/tun", account),
        vsock=_device("/dev/vhost-vsock", account),
        net=_device("/dev/vhost-net", account),
        spaces=tuple(_spaces(host)),
        files_open=files[0] if files else None,
        files_most=files[1] if files else None,
        journal=_journal() if host.units.manager == "systemd" else None,
        polkit=None if uid == 0 or host.units.manager != "systemd" else any(map(os.path.isdir, _POLKIT)),
        terminal=_terminal(os.environ) if os.isatty(0) else None,
    )


def _terminal(environ: Mapping[str, str]) -> Terminal:
    term = environ.get("TERM", "")
    colours = "16 colours"
    if "NO_COLOR" in environ:
        colours = "no colours (NO_COLOR)"
    elif environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        colours = "16 million colours"
    elif term.endswith("256color"):
        colours = "256 colours"
    return Terminal(term, is_utf8(environ), colours)


def _device(path: str, account: Account | None) -> Device:
    try:
        status = os.stat(path)
    except OSError:
        return Device(path, False)
    inode = Inode(status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), _acl(path))
    owner = f"{_user(status.st_uid)}:{_group(status.st_gid)}"
    usable = may(account, inode, READ | WRITE) if account is not None else None
    return Device(path, stat.S_ISCHR(status.st_mode), usable, inode.mode, owner)


def _acl(path: str) -> bytes | None:
    with suppress(OSError):
        return os.getxattr(path, "system.posix_acl_access")
    return None


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _spaces(host: Host) -> Iterator[Space]:
    """Of the state directory, and of the store where it is another file system."""
    known = set()
    for path in (str(host.state_dir), "/nix/store"):
        try:
            on_disk = host.on_disk(path)
            status, device = os.statvfs(on_disk), os.stat(on_disk).st_dev
        except (OSError, ValueError):
            continue
        if device not in known:
            known.add(device)
            size = status.f_frsize
            free = status.f_bavail * size
            yield Space(path, status.f_blocks * size, free, status.f_files, status.f_favail)


def _file_handles() -> tuple[int, int] | None:
    """Those in use and the most there may be: /proc/sys/fs/file-nr (proc_sys_fs(5))."""
    with suppress(OSError, ValueError):
        used, _, most = Path("/proc/sys/fs/file-nr").read_text(encoding="ascii").split()
        return int(used), int(most)
    return None


def _journal() -> str | None:
    """What keeps this process from the journal of the system."""
    for path in _JOURNALS:
        try:
            machines = [entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            continue
        except OSError:
            return f"{path} may not be read"
        denied = next((each for each in machines if not os.access(each, os.R_OK | os.X_OK)), None)
        files = [file for each in machines if denied is None for file in _system_journals(each)]
        if denied is not None or any(not os.access(file, os.R_OK) for file in files):
            return f"{denied or files[0]} may not be read"
        if machines:
            return ""
    return None


def _system_journals(directory: str) -> list[str]:
    with suppress(OSError):
        return [entry.path for entry in os.scandir(directory) if entry.name == "system.journal"]
    return []
