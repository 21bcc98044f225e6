"""Builds runner packages in the layout and script form of microvm.nix, with the programs that this machine has.

    build_runner(Definition(host_name="web", shares=(Share(tag="home", proto=ShareProto.VIRTIOFS, source="/srv/home",
                 mount_point="/home"),)), Path("/tmp/store/1-microvm-qemu-web"), Tools(hypervisor="/usr/bin/qemu-…"))

What a definition leaves None gets microvm.nix's default (`with_defaults`).
"""

import json
from pathlib import Path

from mvtui.demo.runner_commands import hypervisor_command, shutdown_command
from mvtui.demo.runner_tools import Tools, quoted
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LABEL_OPTION = {"ext2": "-L", "ext3": "-L", "ext4": "-L", "xfs": "-L", "btrfs": "-L", "vfat": "-n"}


def with_defaults(definition: Definition) -> Definition:
    """`definition` as microvm.nix completes it: every option that it leaves None has its default, letters are dealt.

    `size` has no default: an automatically created volume without one gets 64 MiB. As in microvm.nix the guest boots
    from a store disk (`Tools.store_disk`) unless a share's source is `/nix/store` or `store_on_disk` is False.
    """
    host = definition.host_name or "microvm"
    shares = tuple(_complete_share(share, host) for share in definition.shares)
    on_disk = definition.store_on_disk
    if on_disk is None:
        on_disk = all(share.source != "/nix/store" for share in shares)
    letters = _LETTERS[1:] if on_disk else _LETTERS
    return definition._replace(
        hypervisor=definition.hypervisor or Hypervisor.QEMU,
        host_name=host,
        mem=definition.mem or 512,
        vcpu=definition.vcpu or 1,
        socket=f"{host}.sock" if definition.socket is None else definition.socket,
        shares=shares,
        volumes=tuple(
            _complete_volume(volume, letter) for volume, letter in zip(definition.volumes, letters, strict=False)
        ),
        store_on_disk=on_disk,
    )


def build_runner(spec: Definition, out: Path, tools: Tools, *, store: str | None = None) -> Path:
    """Write the runner package `out` (which must not exist) and return its path.

    What it links to stands beside it: `OUT-microvm-run`, `OUT-system`, … `store` is the path that `out.parent` has for
    those who follow these links and run these scripts (`/nix/store` for a package that is built below a root), the
    path itself where it is None. `spec.socket` "" makes a runner without a control socket. Raises OSError.
    """
    definition = with_defaults(spec)
    package = _Package(out, store if store is not None else str(out.parent.absolute()))
    (out / "bin").mkdir(parents=True)
    share_dir = out / "share" / "microvm"
    share_dir.mkdir(parents=True)

    system = package.beside("system")
    (package.on_disk("system") / "etc").mkdir(parents=True)
    (package.on_disk("system") / "etc" / "fstab").write_text(fstab(definition))
    if not definition.store_on_disk:
        (share_dir / "system").symlink_to(system)

    config = package.beside("firecracker.json")
    command = hypervisor_command(definition, tools, system=system, config=config)
    if command.config is not None:
        package.on_disk("firecracker.json").write_text(json.dumps(command.config, separators=(",", ":")))
    package.script("microvm-run", run_script(definition, tools, command.pre_start, command.words), tools.bash)
    if (shutdown := shutdown_command(definition, tools)) is not None:
        package.script("microvm-shutdown", shutdown, tools.bash)

    virtiofs = [share for share in definition.shares if share.proto is ShareProto.VIRTIOFS]
    if virtiofs:
        package.script("virtiofsd-run", _virtiofsd_run(package, definition, virtiofs, tools), tools.bash)
    for share in virtiofs:
        tag_dir = share_dir / "virtiofs" / str(share.tag)
        tag_dir.mkdir(parents=True)
        (tag_dir / "socket").write_text(f"{share.socket}\n")
        (tag_dir / "source").write_text(f"{share.source}\n")
    (share_dir / "tap-flags").write_text("vnet_hdr\n")
    if definition.vsock_cid is not None:
        (share_dir / "vsock-cid").write_text(f"{definition.vsock_cid}\n")
    (share_dir / "hypervisor").write_text(f"{definition.hypervisor}\n")
    return out


def run_script(definition: Definition, tools: Tools, pre_start: str, command: str) -> str:
    """The text of `bin/microvm-run`, without its first line."""
    volumes = [volume for volume in definition.volumes if volume.auto_create]
    create = ""
    if volumes:
        create = f"PATH=$PATH:{':'.join(tools.mkfs_path)}\n" + "\n".join(_create_volume(volume) for volume in volumes)
    name = f'-a "microvm@{definition.host_name}"' if tools.pretty_procnames else ""
    return f"set -eou pipefail\n{pre_start}\n{create}\n\nruntime_args=\n\nexec {name} {command} ${{runtime_args:-}}\n"


def fstab(definition: Definition) -> str:
    """The guest's /etc/fstab, as NixOS writes it with a systemd initrd (where overlay directories have /sysroot)."""
    lines = ["# This is a generated file.  Do not edit!", "", "# Filesystems."]
    entries = [("tmpfs", "/", "tmpfs", "x-initrd.mount,size=50%,mode=0755", "0")]
    overlay = definition.writable_store_overlay
    for volume in definition.volumes:
        if volume.mount_point is not None:
            device = f"/dev/disk/by-label/{volume.label}" if volume.label else f"/dev/vd{volume.letter}"
            options = "x-initrd.mount" if volume.mount_point == overlay else "defaults"
            entries.append((device, volume.mount_point, volume.fs_type or "ext4", options, "2"))
    for share in definition.shares:
        if share.mount_point is not None:
            options = "trans=virtio,version=9p2000.L,msize=65536" if share.proto is ShareProto.NINE_P else "defaults"
            options += ",x-systemd.after=systemd-modules-load.service"
            entries.append((str(share.tag), share.mount_point, str(share.proto), options, "0"))
    entries += _store_entries(definition)
    lines += [
        " ".join((_escaped(dev), _escaped(at), kind, _escaped(opts), "0", n)) for dev, at, kind, opts, n in entries
    ]
    return "\n".join(lines) + "\n"


def _store_entries(definition: Definition) -> list[tuple[str, str, str, str, str]]:
    overlay = definition.writable_store_overlay
    entries: list[tuple[str, str, str, str, str]] = []
    if definition.store_on_disk:
        lower = "/nix/store" if overlay is None else "/nix/.ro-store"
        entries.append(("/dev/disk/by-label/nix-store", lower, "erofs", "x-initrd.mount,ro", "0"))
    else:
        shared = next((share for share in definition.shares if share.source == "/nix/store"), None)
        lower = "/nix/.ro-store" if shared is None else str(shared.mount_point)
        if shared is not None and overlay is None and lower != "/nix/store":
            entries.append((lower, "/nix/store", str(shared.proto), "x-initrd.mount,ro,bind", "0"))
    if overlay is not None:
        options = [f"lowerdir=/sysroot{lower}", f"upperdir=/sysroot{overlay}/store", f"workdir=/sysroot{overlay}/work"]
        options += ["x-initrd.mount"]
        options += [f"x-systemd.requires-mounts-for=/sysroot{path}" for path in (lower, f"{overlay}/store")]
        options += ["userxattr"] if any(_is_virtiofs_at(share, overlay) for share in definition.shares) else []
        entries.append(("overlay", "/nix/store", "overlay", ",".join(options), "0"))
    return entries


def _is_virtiofs_at(share: Share, mount_point: str) -> bool:
    return share.proto is ShareProto.VIRTIOFS and share.mount_point == mount_point


def _escaped(field: str) -> str:
    return field.replace(" ", "\\040").replace("\t", "\\011")


def _complete_share(share: Share, host: str) -> Share:
    virtiofs = share.proto is ShareProto.VIRTIOFS
    socket = share.socket or (f"{host}-virtiofs-{share.tag}.sock" if virtiofs else None)
    return share._replace(
        socket=socket,
        read_only=bool(share.read_only),
        security_model=share.security_model or "none",
        cache=share.cache or "auto",
        posix_acl=True if share.posix_acl is None else share.posix_acl,
    )


def _complete_volume(volume: Volume, letter: str) -> Volume:
    auto_create = True if volume.auto_create is None else volume.auto_create
    return volume._replace(
        letter=letter,
        size=64 if volume.size is None and auto_create else volume.size,
        fs_type=volume.fs_type or "ext4",
        auto_create=auto_create,
        mkfs_extra_args=volume.mkfs_extra_args or (),
        read_only=bool(volume.read_only),
        direct=bool(volume.direct),
        image_type=volume.image_type or "raw",
    )


def _create_volume(volume: Volume) -> str:
    option = _LABEL_OPTION.get(str(volume.fs_type))
    label = f"{option} '{volume.label}'" if volume.label is not None and option is not None else ""
    arguments = " ".join(quoted(word) for word in volume.mkfs_extra_args or ())
    image = f"'{volume.image}'"
    return (
        f"if [ ! -e {image} ]; then\n  touch {image}\n  # Mark NOCOW\n  chattr +C {image} || true\n"
        f"  truncate -s {volume.size}M {image}\n  mkfs.{volume.fs_type} {label} {arguments} {image}\nfi\n"
    )


class _Package:
    """The runner's own files and those beside it in the store."""

    def __init__(self, out: Path, store: str) -> None:
        self._out = out
        self._store = store

    def on_disk(self, name: str) -> Path:
        """Where the file of that name beside the runner is written."""
        return self._out.parent / f"{self._out.name}-{name}"

    def beside(self, name: str) -> str:
        """The same file's path for those who run the scripts."""
        return f"{self._store}/{self._out.name}-{name}"

    def executable(self, name: str, text: str, interpreter: str) -> str:
        """Write a script beside the runner; its path for those who run it."""
        path = self.on_disk(name)
        path.write_text(f"#!{interpreter}\n{text}\n")
        path.chmod(0o555)
        return self.beside(name)

    def script(self, name: str, text: str, interpreter: str) -> None:
        """Write a script and link it into the runner's bin/."""
        (self._out / "bin" / name).symlink_to(self.executable(name, text, interpreter))


def _virtiofsd_run(package: _Package, definition: Definition, shares: list[Share], tools: Tools) -> str:
    sections = {
        "eventlistener:notify": {
            "buffer_size": str(16 * (1 + len(shares))),
            "command": package.executable("event-handler", _EVENT_HANDLER.format(count=1 + len(shares)), tools.python),
            "events": "PROCESS_STATE",
        },
        "supervisord": {"nodaemon": "true"} | ({"user": tools.supervisord_user} if tools.supervisord_user else {}),
    }
    for share in shares:
        wrapper = package.executable(f"virtiofsd-{share.tag}", _wrapper(definition, share, tools), tools.bash)
        sections[f"program:virtiofsd-{share.tag}"] = {
            "command": wrapper,
            "stderr_syslog": "true",
            "stdout_syslog": "true",
        }
    text = "\n".join(
        f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in options.items())
        for name, options in sorted(sections.items())
    )
    package.on_disk("virtiofsd-supervisord.conf").write_text(text)
    config = package.beside("virtiofsd-supervisord.conf")
    return f'exec {tools.supervisord} --configuration {config} "$@"\n'


def _wrapper(definition: Definition, share: Share, tools: Tools) -> str:
    lines = [
        f"exec {tools.virtiofsd}",
        f"--socket-path={quoted(str(share.socket))}",
        f"--socket-group={tools.socket_group}" if tools.socket_group is not None else "",
        f"--shared-dir={quoted(str(share.source))}",
        "$OPT_RLIMIT",
        "--thread-pool-size `nproc`",
        "--posix-acl --xattr" if share.posix_acl else "",
        f"--cache={share.cache}",
        "--inode-file-handles=prefer",
        f"--tag={share.tag}" if definition.hypervisor is Hypervisor.CROSVM else "",
        "--readonly" if share.read_only else "",
        " ".join(tools.virtiofsd_args),
        "",
    ]
    limit = 'if [ $(id -u) = 0 ]; then\n  OPT_RLIMIT="--rlimit-nofile 1048576"\nelse\n  OPT_RLIMIT=""\nfi\n'
    return limit + " \\\n  ".join(lines) + "\n"


# Counts the processes that run, itself included, and reports READY=1 (sd_notify) when all of them do.
# The protocol is supervisord's: https://supervisord.org/events.html
_EVENT_HANDLER = """\
import os
import socket
import sys

running = 0
while True:
    sys.stdout.write("READY\\n")
    sys.stdout.flush()
    header = sys.stdin.readline()
    if not header:
        break
    fields = dict(field.split(":", 1) for field in header.split())
    sys.stdin.read(int(fields["len"]))
    running += {{"PROCESS_STATE_RUNNING": 1, "PROCESS_STATE_STOPPING": -1}}.get(fields["eventname"], 0)
    address = os.environ.get("NOTIFY_SOCKET", "")
    if running >= {count} and address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", "\\0" + address[1:] if address.startswith("@") else address)
    sys.stdout.write("RESULT 2\\nOK")
    sys.stdout.flush()"""
