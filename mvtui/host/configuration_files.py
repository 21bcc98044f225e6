"""Where configuration files are. Imported before the names stand on the screen: it needs nothing that takes time."""

import os

HOST_FILE = "/etc/mvtui/config.toml"


def own_folder() -> str:
    """The person's own directory for mvtui: `$XDG_CONFIG_HOME/mvtui`, by default `~/.config/mvtui` (XDG Base Directory
    Specification). Whoever has become root by sudo(8) keeps their own."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    if not home.startswith("/"):  # "If an implementation encounters a relative path [it] should [...] ignore it."
        home = f"{_own_home()}/.config"
    return f"{home}/mvtui"


def configuration_files() -> tuple[str, str]:
    """Where configurations are looked for, the one that counts more last: that of the host, that of the person."""
    return HOST_FILE, f"{own_folder()}/config.toml"


def _own_home() -> str:
    sudo = os.environ.get("SUDO_UID", "")
    if os.geteuid() == 0 and sudo.isdecimal():
        import pwd  # noqa: PLC0415

        try:
            return pwd.getpwuid(int(sudo)).pw_dir
        except (KeyError, OverflowError):  # nobody any more
            pass
    return os.path.expanduser("~")
