"""What a sample guest writes to its console: coloured as systemd does it, so that the panel's logs have something to
show. It has no kernel and mounts nothing: these are words."""

_DONE = "[\x1b[0;32m  OK  \x1b[0m]"

_BEGIN = """\
up; ctrl-alt-del ends it
[    0.213941] virtio_blk virtio1: [vda] 4194304 512-byte logical blocks
"""
BOOT = f"""\
{_BEGIN}\
[    0.398127] EXT4-fs (vda): mounted filesystem r/w with ordered data mode
[    0.540262] systemd[1]: Hostname set to <guest of the demo>.
{_DONE} Mounted \x1b[0;1;39m/nix/.rw-store\x1b[0m.
{_DONE} Reached target \x1b[0;1;39mLocal File Systems\x1b[0m.
{_DONE} Started \x1b[0;1;39mNetwork Time Synchronization\x1b[0m.
{_DONE} Reached target \x1b[0;1;39mMulti-User System\x1b[0m.
a program that wants more: \x1b]0;mvtui was here\x07[b]bold[/b] [@click=app.quit]quit[/]
"""
# Of a guest that waits for a label that its volume has not, in vain.
EMERGENCY = f"""\
{_BEGIN}\
[\x1b[0;1;31m TIME \x1b[0m] Timed out waiting for device \x1b[0;1;39m/dev/disk/by-label/postgresql\x1b[0m.
[\x1b[0;1;38;5;185mDEPEND\x1b[0m] Dependency failed for \x1b[0;1;39m/var/lib/postgresql\x1b[0m.
[\x1b[0;1;38;5;185mDEPEND\x1b[0m] Dependency failed for \x1b[0;1;39mLocal File Systems\x1b[0m.
{_DONE} Reached target \x1b[0;1;39mEmergency Mode\x1b[0m.
You are in emergency mode. After logging in, type "journalctl -xb" to view
system logs, "systemctl reboot" to reboot, "exit" to continue bootup.
"""
# How the name of a kernel ends whose guest shows that.
EMERGENCY_KERNEL = "-emergency"
BYE = "reboot: Restarting system\n"
# What the stand-in says every now and then.
MURMURS = (
    "nix-daemon[212]: accepted connection from pid 301, user root",
    "sshd[318]: Connection closed by 192.0.2.7 port 50122 [preauth]",
    "systemd[1]: Starting Cleanup of Temporary Directories...",
    "systemd[1]: systemd-tmpfiles-clean.service: Deactivated successfully.",
    "kernel: virtio_balloon virtio4: inflated by 16 MiB",
)
