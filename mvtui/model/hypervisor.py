"""The hypervisors that microvm.nix runs on Linux."""

from enum import StrEnum


class Hypervisor(StrEnum):
    """Values of the option `microvm.hypervisor` (vfkit runs on Darwin alone)."""

    QEMU = "qemu"
    CLOUD_HYPERVISOR = "cloud-hypervisor"
    FIRECRACKER = "firecracker"
    CROSVM = "crosvm"
    KVMTOOL = "kvmtool"
    STRATOVIRT = "stratovirt"
    ALIOTH = "alioth"
