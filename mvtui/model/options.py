"""Every option that may stand in a definition file, with its type: nixos-modules/microvm/options.nix of microvm.nix
(August 2026), and boot-disk.nix, ssh-deploy.nix, store-disk.nix and vsock-ssh.nix beside it.

TOML has no null: what may be null in Nix is left out.
"""

from typing import Any, Literal

from pydantic import Field

from mvtui.model.option_types import AbsolutePath, NonEmpty, Options, Package, Port, Positive, ThreadCount, Unsigned


class ShareOptions(Options):
    """One element of `microvm.shares`."""

    tag: str
    source: NonEmpty
    mount_point: AbsolutePath
    proto: Literal["9p", "virtiofs"] = "9p"
    socket: str | None = None
    security_model: Literal["passthrough", "none", "mapped", "mapped-file"] = "none"
    read_only: bool = False
    cache: Literal["auto", "always", "metadata", "never"] = "auto"
    posix_acl: bool = True
    extra_args: list[str] = Field(default_factory=list)


class VolumeOptions(Options):
    """One element of `microvm.volumes`."""

    image: str
    mount_point: AbsolutePath | None = None
    size: int | None = None
    auto_create: bool = True
    fs_type: str = "ext4"
    label: str | None = None
    mkfs_extra_args: list[str] = Field(default_factory=list)
    read_only: bool = False
    direct: bool = False
    serial: str | None = None
    image_type: Literal["raw", "qcow2", "vhd", "vhdx"] = "raw"


class MacvtapOptions(Options):
    """`macvtap` of an interface."""

    link: str | None = None
    mode: Literal["private", "vepa", "bridge", "passthru", "source"] | None = None


class TapOptions(Options):
    """`tap` of an interface."""

    vhost: bool = False


class InterfaceOptions(Options):
    """One element of `microvm.interfaces`."""

    type: Literal["user", "tap", "macvtap", "bridge"]
    id: str
    mac: str
    macvtap: MacvtapOptions = Field(default_factory=MacvtapOptions)
    bridge: str | None = None
    tap: TapOptions = Field(default_factory=TapOptions)


class EndOptions(Options):
    """One end of a forwarded port."""

    address: str = ""
    port: Port


class ForwardOptions(Options):
    """One element of `microvm.forwardPorts`."""

    from_: Literal["host", "guest"] = Field("host", alias="from")
    proto: Literal["tcp", "udp"] = "tcp"
    host: EndOptions
    guest: EndOptions


class DeviceQemuOptions(Options):
    """`qemu` of a device."""

    id: str | None = None
    bus: str | None = None
    device_extra_args: str | None = None


class DeviceOptions(Options):
    """One element of `microvm.devices`."""

    bus: Literal["pci", "usb"]
    path: str
    qemu: DeviceQemuOptions = Field(default_factory=DeviceQemuOptions)


class RootPortOptions(Options):
    """One element of `microvm.qemu.pcieRootPorts`."""

    id: str
    bus: str | None = None
    chassis: int | None = None
    slot: str | None = None
    addr: str | None = None


class QemuOptions(Options):
    """`microvm.qemu`."""

    machine: str | None = None
    machine_opts: dict[str, str] | None = None
    extra_args: list[str] = Field(default_factory=list)
    serial_console: bool = True
    pcie_root_ports: list[RootPortOptions] = Field(default_factory=list)
    package: Package = None


class CloudHypervisorOptions(Options):
    """`microvm.cloud-hypervisor`."""

    platform_oem_strings: list[str] = Field(default_factory=list, alias="platformOEMStrings")
    extra_args: list[str] = Field(default_factory=list)
    package: Package = None


class CrosvmOptions(Options):
    """`microvm.crosvm`."""

    extra_args: list[str] = Field(default_factory=list)
    pivot_root: str | None = None
    package: Package = None


class FirecrackerOptions(Options):
    """`microvm.firecracker`."""

    cpu: dict[str, Any] | None = None
    drive_io_engine: Literal["Async", "Sync"] = "Async"
    extra_args: list[str] = Field(default_factory=list)
    extra_config: dict[str, Any] = Field(default_factory=dict)
    package: Package = None


class PackageOptions(Options):
    """`microvm.alioth`, `microvm.kvmtool`, `microvm.stratovirt`."""

    package: Package = None


class RosettaOptions(Options):
    """`microvm.vfkit.rosetta`."""

    enable: bool = False
    install: bool = False
    ignore_if_missing: bool = False


class VfkitOptions(Options):
    """`microvm.vfkit`."""

    extra_args: list[str] = Field(default_factory=list)
    log_level: Literal["debug", "info", "error"] = "info"
    package: Package = None
    rosetta: RosettaOptions = Field(default_factory=RosettaOptions)


class VirtiofsdOptions(Options):
    """`microvm.virtiofsd`."""

    inode_file_handles: Literal["never", "prefer", "mandatory"] = "prefer"
    thread_pool_size: ThreadCount = "`nproc`"
    group: str | None = "kvm"
    extra_args: list[str] = Field(default_factory=list)
    package: Package = None


class GraphicsOptions(Options):
    """`microvm.graphics`."""

    enable: bool = False
    crosvm_package: Package = None
    backend: Literal["gtk", "cocoa", "headless"] = "gtk"
    socket: str | None = None
    vulkan: Literal["venus", "drm_native_context"] | None = None
    hostmem: str = "256M"


class SwitchOptions(Options):
    """`microvm.guest`, `microvm.optimize`."""

    enable: bool = True


class VsockSshOptions(Options):
    """`microvm.vsock.ssh`."""

    enable: bool = False


class VsockOptions(Options):
    """`microvm.vsock`."""

    cid: int | None = None
    ssh: VsockSshOptions = Field(default_factory=VsockSshOptions)


class DeployOptions(Options):
    """`microvm.deploy`."""

    install_on_host: Package = None
    ssh_switch: Package = None
    rebuild: Package = None


class MicrovmOptions(Options):
    """`microvm`: a whole definition file."""

    shares: list[ShareOptions] = Field(default_factory=list)
    volumes: list[VolumeOptions] = Field(default_factory=list)
    writable_store_overlay: str | None = None

    guest: SwitchOptions = Field(default_factory=SwitchOptions)
    optimize: SwitchOptions = Field(default_factory=SwitchOptions)
    hypervisor: Literal[
        "qemu", "cloud-hypervisor", "firecracker", "crosvm", "kvmtool", "stratovirt", "alioth", "vfkit"
    ] = "qemu"
    cpu: str | None = None
    vcpu: Positive = 1
    mem: Positive = 512
    hugepage_mem: bool = False
    hotplug_mem: Unsigned = 0
    hotplugged_mem: Unsigned | None = None
    balloon: bool = False
    initial_balloon_mem: Unsigned = 0
    deflate_on_oom: bool = Field(True, alias="deflateOnOOM")
    user: str | None = None
    socket: str | None = None
    pre_start: str = ""
    extra_args_script: str | None = None
    interfaces: list[InterfaceOptions] = Field(default_factory=list)
    forward_ports: list[ForwardOptions] = Field(default_factory=list)
    devices: list[DeviceOptions] = Field(default_factory=list)
    vsock: VsockOptions = Field(default_factory=VsockOptions)
    graphics: GraphicsOptions = Field(default_factory=GraphicsOptions)
    virtiofsd: VirtiofsdOptions = Field(default_factory=VirtiofsdOptions)
    credential_files: dict[str, AbsolutePath] = Field(default_factory=dict)
    machine_id: str | None = None
    register_with_machined: bool = False
    kernel_params: list[str] = Field(default_factory=list)
    pretty_procnames: bool = True
    bin_scripts: dict[str, str] = Field(default_factory=dict)

    store_on_disk: bool | None = None
    register_closure: bool = True
    store_disk_type: Literal["squashfs", "erofs"] | None = None
    store_disk_erofs_flags: list[str] = Field(default_factory=list)
    store_disk_squashfs_flags: list[str] = Field(default_factory=list)
    system_symlink: bool | None = None

    qemu: QemuOptions = Field(default_factory=QemuOptions)
    cloud_hypervisor: CloudHypervisorOptions = Field(default_factory=CloudHypervisorOptions, alias="cloud-hypervisor")
    firecracker: FirecrackerOptions = Field(default_factory=FirecrackerOptions)
    crosvm: CrosvmOptions = Field(default_factory=CrosvmOptions)
    kvmtool: PackageOptions = Field(default_factory=PackageOptions)
    stratovirt: PackageOptions = Field(default_factory=PackageOptions)
    alioth: PackageOptions = Field(default_factory=PackageOptions)
    vfkit: VfkitOptions = Field(default_factory=VfkitOptions)

    kernel: Package = None
    initrd_path: AbsolutePath | None = None
    boot_disk: AbsolutePath | None = None
    store_disk: AbsolutePath | None = None
    vm_host_packages: Package = None
    runner: Package = None
    declared_runner: Package = None
    deploy: DeployOptions = Field(default_factory=DeployOptions)
