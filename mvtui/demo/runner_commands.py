"""The command line that starts each hypervisor, in the words and the order of microvm.nix."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mvtui.demo.runner_tools import Tools, quoted
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor


@dataclass(frozen=True, slots=True)
class Command:
    """`words` is shell text, `pre_start` what the script does before, `config` the JSON that firecracker reads."""

    words: str
    pre_start: str = ""
    config: Mapping[str, object] | None = None


def hypervisor_command(definition: Definition, tools: Tools, *, system: str, config: str) -> Command:
    """What `bin/microvm-run` executes.

    `definition` is complete (`with_defaults`), `system` is the guest's toplevel, `config` where firecracker's JSON will
    be.
    """
    params = " ".join([*tools.kernel_params, f"init={system}/init"])
    assert definition.hypervisor is not None
    return _COMMANDS[definition.hypervisor](definition, tools, params, config)


def shutdown_command(definition: Definition, tools: Tools) -> str | None:
    """The text of `bin/microvm-shutdown`; None for a hypervisor that has none."""
    socket = definition.socket
    if not socket:
        return None
    request = f"{tools.curl} -s --unix-socket {socket} -X PUT http://localhost"
    match definition.hypervisor:
        case Hypervisor.QEMU:
            keys = [
                {"data": {"down": True, "key": {"data": key, "type": "qcode"}}, "type": "key"}
                for key in ("ctrl", "alt", "delete")
            ]
            press = json.dumps({"arguments": {"events": keys}, "execute": "input-send-event"}, separators=(",", ":"))
            return (
                f'if [ ! -S {socket} ]; then\n  exit 0\nfi\n\n(\n  echo \'{{"execute":"qmp_capabilities"}}\'\n\n'
                f"  echo '{press}'\n\n  cat\n) | \\\n{tools.socat} STDIO UNIX:{socket},shut-none\n"
            )
        case Hypervisor.CLOUD_HYPERVISOR:
            return f"{request}/api/v1/vm.power-button\n\nwaitpid $MAINPID\n"
        case Hypervisor.FIRECRACKER:
            action = '\'{ "action_type": "SendCtrlAltDel" }\''
            return f"{request}/actions -d {action}\n\n{tools.socat} STDOUT UNIX:{socket},shut-none\n"
        case Hypervisor.CROSVM:
            return f"{tools.hypervisor} powerbtn {socket}\n"
        case _:
            return None


def _words(words: Sequence[str]) -> str:
    return " ".join(quoted(word) for word in words)


def _on(value: bool | None) -> str:
    return "on" if value else "off"


def _true(value: bool | None) -> str:
    return "true" if value else "false"


def _repeat(switch: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (switch, value)]


def _qemu(definition: Definition, tools: Tools, params: str, _config: str) -> Command:
    host, mem = str(definition.host_name), definition.mem
    device = "pci" if definition.shares else "device"
    options = {"accel": "kvm:tcg", "acpi": "on", "mem-merge": "on", "pcie": _on(bool(definition.shares)), "pic": "off"}
    options |= {"pit": "off", "rtc": "on", "usb": "off"} | dict(tools.machine_opts or {})
    machine = ",".join(["microvm", *(f"{key}={value}" for key, value in sorted(options.items()))])
    digest = hashlib.sha256(f"microvm.nix:{host}".encode()).hexdigest()
    uuid = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    first = [tools.hypervisor, "-name", host, "-M", machine, "-m", f"{mem}M", "-smp", str(definition.vcpu)]
    first += ["-nodefaults", "-no-user-config", "-no-reboot", "-kernel", tools.kernel, "-initrd", tools.initrd]
    first += [
        "-chardev",
        "stdio,id=stdio,signal=off",
        "-device",
        f"virtio-rng-{device}",
        "-smbios",
        f"type=1,uuid={uuid}",
    ]
    then = ["-serial", "chardev:stdio", *([] if tools.cpu is not None else ["-enable-kvm"])]
    then += ["-cpu", tools.cpu or "host,+x2apic,-sgx", "-device", "i8042"]
    then += ["-append", f"earlyprintk=ttyS0 console=ttyS0 reboot=t panic=-1 {params}"]
    if definition.store_on_disk:
        legacy = ",disable-legacy=on" if device == "pci" else ""
        then += ["-drive", f"id=store,format=raw,read-only=on,file={tools.store_disk},if=none,aio={tools.aio}"]
        then += ["-device", f"virtio-blk-{device},drive=store{legacy}"]
    then += ["-nographic", "-sandbox", "on"]
    then += ["-qmp", f"unix:{definition.socket},server,nowait"] if definition.socket else []
    for volume in definition.volumes:
        cache = ",cache=none" if volume.direct else ""
        serial = f",serial={volume.serial}" if volume.serial is not None else ""
        drive = f"id=vd{volume.letter},format=raw,file={volume.image},if=none,aio={tools.aio},discard=unmap{cache}"
        then += ["-drive", f"{drive},read-only={_on(volume.read_only)}"]
        then += ["-device", f"virtio-blk-{device},drive=vd{volume.letter}{serial}"]
    if definition.shares:
        then += ["-numa", "node,memdev=mem", "-object", f"memory-backend-memfd,id=mem,size={mem}M,share=on"]
    for index, share in enumerate(definition.shares):
        then += _qemu_share(share, index, device)
    if definition.vsock_cid is not None:
        then += ["-device", f"vhost-vsock-{device},guest-cid={definition.vsock_cid}"]
    return Command(f"{_words(first)}  {_words([*then, *tools.extra_args])}")


def _qemu_share(share: Share, index: int, device: str) -> list[str]:
    if share.proto is ShareProto.VIRTIOFS:
        chardev = f"vhost-user-fs-{device},chardev=fs{index},tag={share.tag}"
        return ["-chardev", f"socket,id=fs{index},path={share.socket}", "-device", chardev]
    local = f"local,id=fs{index},path={share.source},security_model={share.security_model}"
    local += f",readonly={_true(share.read_only)}"
    return ["-fsdev", local, "-device", f"virtio-9p-{device},fsdev=fs{index},mount_tag={share.tag}"]


def _cloud_hypervisor(definition: Definition, tools: Tools, params: str, _config: str) -> Command:
    virtiofs = bool(definition.shares)
    queues = {"num_queues": str(definition.vcpu)} if (definition.vcpu or 1) > 1 else {}

    def options(**values: str) -> str:
        return ",".join(f"{key}={value}" for key, value in sorted(values.items()))

    memory = options(size=f"{definition.mem}M", shared=_on(virtiofs), **({} if virtiofs else {"mergeable": "on"}))
    notify, platform = definition.vsock_cid is not None, ""
    if notify:
        platform = "oem_strings=[io.systemd.credential:vmm.notify_socket=vsock-stream:2:8888]"
    words = [tools.hypervisor, "--cpus", f"boot={definition.vcpu}", "--watchdog", "--kernel", tools.kernel]
    words += ["--initramfs", tools.initrd, "--cmdline", f"earlyprintk=ttyS0 console=ttyS0 reboot=t panic=-1 {params}"]
    words += ["--seccomp", "true", "--memory", memory, "--platform", platform, "--console", "null", "--serial", "tty"]
    words += ["--vsock", f"cid={definition.vsock_cid},socket=notify.vsock"] if notify else []
    disks = [options(path=tools.store_disk, readonly="on", **queues)] if definition.store_on_disk else []
    for volume in definition.volumes:
        serial = {"serial": volume.serial} if volume.serial is not None else {}
        values = {"path": volume.image, "direct": _on(volume.direct), "readonly": _on(volume.read_only)}
        disks.append(options(image_type=str(volume.image_type), **values, **serial, **queues))
    words += ["--disk", *disks] if disks else []
    shares = [f"socket={share.socket},tag={share.tag}" for share in definition.shares]
    words += ["--fs", *shares] if shares else []
    words += ["--api-socket", definition.socket] if definition.socket else []
    pre_start = f"\nrm -f '{definition.socket}'\n\n" if definition.socket else ""
    return Command(f"{_words(words)}  {_words(tools.extra_args)}", pre_start)


def _firecracker(definition: Definition, tools: Tools, params: str, config: str) -> Command:
    def drive(name: str, path: str, read_only: bool | None) -> dict[str, object]:
        flags = {"io_engine": "Async", "is_read_only": bool(read_only), "is_root_device": False}
        return {"drive_id": name, **flags, "path_on_host": path}

    cid = definition.vsock_cid
    boot = {"boot_args": f"console=ttyS0,115200 reboot=k panic=1 {params}", "initrd_path": tools.initrd}
    content: dict[str, object] = {
        "boot-source": boot | {"kernel_image_path": tools.kernel},
        "drives": [drive("store", tools.store_disk, True)]
        + [drive(volume.image, volume.image, volume.read_only) for volume in definition.volumes],
        "machine-config": {"mem_size_mib": definition.mem, "smt": True, "vcpu_count": definition.vcpu},
        "network-interfaces": [],
        "vsock": None if cid is None else {"guest_cid": cid, "uds_path": "notify.vsock"},
    }
    socket = str(definition.socket)
    pre_start = f"\n\nif [ -e '{socket}' ]; then\n  mv '{socket}' '{socket}.old'\nfi\n"
    words = [tools.hypervisor, "--config-file", config, "--api-sock", socket, *tools.extra_args]
    return Command(_words(words), pre_start, content)


def _crosvm(definition: Definition, tools: Tools, params: str, _config: str) -> Command:
    words = [tools.hypervisor, "run", "-m", str(definition.mem), "-c", str(definition.vcpu)]
    words += ["--serial", "type=stdout,console=true,stdin=true", "-p", f"console=ttyS0 reboot=k panic=1 {params}"]
    words += ["--no-balloon", *(["-r", tools.store_disk] if definition.store_on_disk else [])]
    words += ["-s", definition.socket] if definition.socket else []
    for volume in definition.volumes:
        serial = f",id={volume.serial}" if volume.serial is not None else ""
        words += ["--block", f"{volume.image},o_direct={_true(volume.direct)},ro={_true(volume.read_only)}{serial}"]
    for share in definition.shares:
        if share.proto is ShareProto.VIRTIOFS:
            words += ["--vhost-user", f"type=fs,socket={share.socket}"]
        else:
            words += ["--shared-dir", f"{share.source}:{share.tag}:type=p9"]
    words += ["--vsock", str(definition.vsock_cid)] if definition.vsock_cid is not None else []
    words += ["--initrd", tools.initrd, tools.kernel]
    return Command(f"{_words(words)}  {_words(tools.extra_args)}", f"rm -f {definition.socket}\n\n")


def _kvmtool(definition: Definition, tools: Tools, params: str, _config: str) -> Command:
    def disk(volume: Volume) -> str:
        return volume.image + (",direct" if volume.direct else "") + (",ro" if volume.read_only else "")

    words = [tools.hypervisor, "run", "--name", quoted(str(definition.host_name)), "-m", str(definition.mem)]
    words += [
        "-c",
        str(definition.vcpu),
        "--console",
        "serial",
        "--rng",
        "-k",
        quoted(tools.kernel),
        "-i",
        tools.initrd,
    ]
    words += ["-p", quoted(f"console=ttyS0 reboot=k panic=1 {params}")]
    words += ["-d", quoted(f"{tools.store_disk},ro")] if definition.store_on_disk else []
    words += _repeat("-d", [quoted(disk(volume)) for volume in definition.volumes])
    words += _repeat("--9p", [quoted(f"{share.source},{share.tag}") for share in definition.shares])
    words += ["--vsock", str(definition.vsock_cid)] if definition.vsock_cid is not None else []
    return Command(" ".join([*words, *tools.extra_args]), "\nexport HOME=$PWD\n")


def _stratovirt(definition: Definition, tools: Tools, params: str, _config: str) -> Command:
    words = [tools.unbuffer, tools.hypervisor, "-name", str(definition.host_name), "-machine", "microvm"]
    words += ["-m", str(definition.mem), "-smp", str(definition.vcpu), "-kernel", tools.kernel, "-initrd", tools.initrd]
    words += ["-append", f"console=ttyS0 edd=off reboot=t panic=-1 {params}", "-serial", "stdio"]
    words += ["-object", "rng-random,id=rng,filename=/dev/random", "-device", "virtio-rng-device,rng=rng,id=rng_dev"]
    if definition.store_on_disk:
        drive = f"id=store,format=raw,readonly=on,file={tools.store_disk},if=none,aio={tools.aio},direct=false"
        words += ["-drive", drive, "-device", "virtio-blk-device,drive=store,id=blk_store"]
    words += ["-qmp", f"unix:{definition.socket},server,nowait"] if definition.socket else []
    for volume in definition.volumes:
        serial = f",serial={volume.serial}" if volume.serial is not None else ""
        flags = f"direct={_on(volume.direct)},readonly={_on(volume.read_only)}"
        words += ["-drive", f"id=vd{volume.letter},format=raw,if=none,aio={tools.aio},file={volume.image},{flags}"]
        words += ["-device", f"virtio-blk-device,drive=vd{volume.letter},id=blk_vd{volume.letter}{serial}"]
    for index, share in enumerate(definition.shares):
        device = f"vhost-user-fs-device,chardev=fs{index},tag={share.tag},id=fs{index}"
        words += ["-chardev", f"socket,id=fs{index},path={share.socket}", "-device", device]
    return Command(_words([*words, *tools.extra_args]))


def _alioth(definition: Definition, tools: Tools, params: str, _config: str) -> Command:
    words = [
        tools.hypervisor,
        "run",
        "--memory",
        f"size={definition.mem}M,backend=memfd",
        "--num-cpu",
        str(definition.vcpu),
    ]
    words += ["-k", quoted(tools.kernel), "-i", tools.initrd, "-c", quoted(f"console=ttyS0 reboot=k panic=1 {params}")]
    words += ["--entropy"]
    words += ["--blk", quoted(f"path={tools.store_disk},readonly=true")] if definition.store_on_disk else []
    images = [quoted(f"path={volume.image},readOnly={_true(volume.read_only)}") for volume in definition.volumes]
    words += _repeat("--blk", images)
    words += _repeat("--fs", [quoted(f"vu,socket={share.socket},tag={share.tag}") for share in definition.shares])
    words += ["--vsock", f"vhost,cid={definition.vsock_cid}"] if definition.vsock_cid is not None else []
    return Command(" ".join([*words, *tools.extra_args]))


_COMMANDS: Mapping[Hypervisor, Callable[[Definition, Tools, str, str], Command]] = {
    Hypervisor.QEMU: _qemu,
    Hypervisor.CLOUD_HYPERVISOR: _cloud_hypervisor,
    Hypervisor.FIRECRACKER: _firecracker,
    Hypervisor.CROSVM: _crosvm,
    Hypervisor.KVMTOOL: _kvmtool,
    Hypervisor.STRATOVIRT: _stratovirt,
    Hypervisor.ALIOTH: _alioth,
}
