"""The JSON documents: sizes in bytes, times ISO 8601 in UTC, CPU in percent of one core."""

import posixpath
from collections.abc import Sequence

from mvtui.cli.drift_report import drift_documents
from mvtui.cli.life_report import guest_document, iso_time, timeline_document
from mvtui.cli.output import Json
from mvtui.model.definition import Definition, Share, Volume
from mvtui.model.facts import SourceFacts
from mvtui.model.finding import Finding
from mvtui.model.microvm import MicroVM, ShareStatus, Snapshot, VolumeStatus
from mvtui.model.overlay import KeptOverlay
from mvtui.model.overlay_target import overlay_path
from mvtui.model.process import ProcessSample
from mvtui.model.timeline import Timeline
from mvtui.model.unit import UnitStatus
from mvtui.operations.lifecycle import Outcome

# Raised when a field changes its meaning or goes; a field that is added raises nothing.
SCHEMA = 1
_NO_TIMELINE = Timeline()


def list_document(snapshot: Snapshot) -> Json:
    """`list --json`."""
    return {
        "schema": SCHEMA,
        "host": snapshot.host,
        "stateDir": snapshot.state_dir,
        "manager": snapshot.manager,
        "microvms": [microvm_document(microvm) for microvm in snapshot.microvms],
        "strays": [stray._asdict() for stray in snapshot.strays],
        "findings": [finding_document(finding) for finding in snapshot.findings],
    }


def show_document(snapshot: Snapshot, microvm: MicroVM, timeline: Timeline = _NO_TIMELINE) -> Json:
    """`show --json`: one of the list's microVMs with everything, and what happened to it, the newest first."""
    entry = microvm.entry
    built = microvm.built
    return {
        "schema": SCHEMA,
        "host": snapshot.host,
        **microvm_document(microvm),
        "shares": [_whole_share_status(microvm, status) for status in microvm.shares],
        "volumes": [_whole_volume_status(microvm, status) for status in microvm.volumes],
        "overlay": _whole_volume_status(microvm, microvm.overlay) if microvm.overlay else None,
        "path": microvm.path,
        "current": entry.current if entry else None,
        "bootedRunner": entry.booted if entry else None,
        "stale": entry.stale if entry else None,
        "fullyDeclarative": entry.fully_declarative if entry else None,
        "flake": entry.flake if entry else None,
        "problems": [*(entry.problems if entry else ()), *(built.problems if built else ())],
        "document": microvm.document,
        "defined": definition_document(microvm.defined) if microvm.defined else None,
        "built": definition_document(built.definition) if built and built.definition else None,
        "booted": definition_document(microvm.booted) if microvm.booted else None,
        "drift": drift_documents(microvm),
        "system": built.system if built else None,
        "canShutdown": built.can_shutdown if built else None,
        **timeline_document(timeline),
    }


def outcomes_document(outcomes: Sequence[Outcome]) -> Json:
    """`start --json` and its like."""
    return {
        "schema": SCHEMA,
        "results": [
            {
                "name": outcome.microvm,
                "verb": str(outcome.verb),
                "ok": outcome.ok,
                "words": outcome.words,
                "hint": outcome.hint,
                "seconds": round(outcome.seconds, 3),
            }
            for outcome in outcomes
        ],
    }


def microvm_document(microvm: MicroVM) -> Json:
    """One microVM as the list gives it."""
    state, definition = microvm.state, microvm.definition
    return {
        "name": microvm.name,
        "state": str(state.word),
        "since": iso_time(state.since),
        "why": state.why,
        "detail": state.detail,
        "restarts": state.restarts,
        "note": microvm.note,
        "autostart": microvm.autostart,
        "armed": str(microvm.armed) if microvm.armed is not None else None,
        "hypervisor": str(definition.hypervisor) if definition and definition.hypervisor else None,
        "mem": definition.mem * 2**20 if definition and definition.mem else None,
        "vcpu": definition.vcpu if definition else None,
        "processes": [_process(microvm, process) for process in microvm.processes],
        "shares": [_share_status(status) for status in microvm.shares],
        "volumes": [_volume_status(status) for status in microvm.volumes],
        "overlay": _volume_status(microvm.overlay) if microvm.overlay else None,
        "units": [_unit(unit) for unit in microvm.units],
        "findings": [finding_document(finding) for finding in microvm.findings],
        # What only a closer look knows; null for one that was not looked at so closely.
        "guest": guest_document(microvm.guest) if microvm.guest is not None else None,
        "drift": drift_documents(microvm) if microvm.closer is not None else None,
    }


def _process(microvm: MicroVM, process: ProcessSample) -> Json:
    daemons = {daemon.pid: status.share.tag for status in microvm.shares for daemon in status.daemons}
    is_hypervisor = microvm.hypervisor is not None and microvm.hypervisor.pid == process.pid
    return {
        "pid": process.pid,
        "ppid": process.ppid,
        "role": "hypervisor" if is_hypervisor else "virtiofsd" if process.pid in daemons else "other",
        "share": daemons.get(process.pid),
        "unit": process.unit,
        "uid": process.uid,
        "started": iso_time(process.started),
        "cpuPercent": process.cpu_percent,
        "cpuSeconds": round(process.cpu_seconds, 2),
        "rss": process.rss,
        "pss": process.pss,
        "threads": process.threads,
        "frozen": process.frozen,
        "openFiles": process.open_files,
        "openFilesLimit": process.open_files_limit,
        "argv": list(process.argv),
    }


def _share(share: Share) -> Json:
    return {
        "tag": share.tag,
        "proto": str(share.proto),
        "source": share.source,
        "mountPoint": share.mount_point,
        "socket": share.socket,
        "readOnly": share.read_only,
        "securityModel": share.security_model,
        "cache": share.cache,
        "posixAcl": share.posix_acl,
        "extraArgs": list(share.extra_args) if share.extra_args is not None else None,
    }


def _share_status(status: ShareStatus) -> Json:
    return {
        **_share(status.share),
        "health": str(status.health),
        "since": iso_time(status.since),
        "why": status.why,
        "daemons": [{"pid": daemon.pid} for daemon in status.daemons],
        "socketExists": status.socket_exists,
        "connected": status.connected,
        "sourceExists": status.source_exists,
    }


def _whole_share_status(microvm: MicroVM, status: ShareStatus) -> Json:
    return {
        **_share_status(status),
        "sourceFacts": _source_facts(status.source) if status.source else None,
        "kept": _kept(microvm, f"{overlay_path(microvm.path, status.share.source or '')}/.mvtui/overlay"),
    }


def _source_facts(facts: SourceFacts) -> Json:
    return {
        "path": facts.path,
        "kind": str(facts.kind) if facts.kind is not None else None,
        "uid": facts.uid,
        "gid": facts.gid,
        "user": facts.user,
        "group": facts.group,
        "mode": f"{facts.mode:04o}" if facts.mode is not None else None,
        "fsType": facts.fs_type,
        "fsMountPoint": facts.mount_point,
        "fsReadOnly": facts.fs_read_only,
        "fsSize": facts.fs_size,
        "fsFree": facts.fs_free,
        "problem": facts.problem,
    }


def volume_document(volume: Volume) -> Json:
    """A volume as one stage tells it."""
    return {
        "image": volume.image,
        "letter": volume.letter,
        "mountPoint": volume.mount_point,
        "definedSize": volume.size * 2**20 if volume.size is not None else None,
        "fsType": volume.fs_type,
        "label": volume.label,
        "autoCreate": volume.auto_create,
        "mkfsExtraArgs": list(volume.mkfs_extra_args) if volume.mkfs_extra_args is not None else None,
        "readOnly": volume.read_only,
        "direct": volume.direct,
        "serial": volume.serial,
        "imageType": volume.image_type,
    }


def _volume_status(status: VolumeStatus) -> Json:
    image = status.image
    found = image is not None and image.problem is None
    return {
        **volume_document(status.volume),
        "path": image.path if image else None,
        "size": image.size if image and found else None,
        "allocated": image.allocated if image and found else None,
        "onDisk": {
            "fsType": image.fs_type,
            "label": image.label,
            "size": image.fs_size,
            "room": image.fs_room,
            "used": image.fs_used,
        }
        if image and found
        else None,
        "problem": image.problem if image else None,
        "overlay": status.overlay,
    }


def _whole_volume_status(microvm: MicroVM, status: VolumeStatus) -> Json:
    directory, image = posixpath.split(overlay_path(microvm.path, status.volume.image))
    return {
        **_volume_status(status),
        "heldBy": [holder._asdict() for holder in status.holders] if status.holders is not None else None,
        "heldByComplete": status.holders_complete,
        "kept": _kept(microvm, f"{directory}/.mvtui/overlay/{image}"),
    }


def _kept(microvm: MicroVM, directory: str) -> list[Json]:
    """What was set aside in that directory; also where no stage tells that the overlay was there, but a person."""
    return [kept_document(kept) for kept in microvm.kept if posixpath.dirname(kept.path) == directory]


def kept_document(kept: KeptOverlay) -> Json:
    """An overlay that was set aside."""
    return {
        "path": kept.path,
        "size": kept.size,
        "allocated": kept.allocated,
        "setAside": iso_time(kept.set_aside),
    }


def _unit(unit: UnitStatus) -> Json:
    return {
        "name": unit.name,
        "loadState": unit.load_state,
        "activeState": unit.active_state,
        "subState": unit.sub_state,
        "result": unit.result,
        "nRestarts": unit.n_restarts,
        "since": iso_time(unit.since),
        "mainPid": unit.main_pid,
        "conditionFailed": unit.condition_failed,
        "job": {"id": unit.job.id, "kind": unit.job.kind, "state": unit.job.state} if unit.job else None,
    }


def definition_document(definition: Definition) -> Json:
    """What one stage tells; null for what it can't, also for lists."""
    told = [option not in definition.untold for option in ("shares", "volumes", "storeOnDisk")]
    return {
        "hypervisor": str(definition.hypervisor) if definition.hypervisor else None,
        "hostName": definition.host_name,
        "mem": definition.mem * 2**20 if definition.mem is not None else None,
        "vcpu": definition.vcpu,
        "vsockCid": definition.vsock_cid,
        "socket": definition.socket,
        "shares": [_share(share) for share in definition.shares] if told[0] else None,
        "volumes": [volume_document(volume) for volume in definition.volumes] if told[1] else None,
        "writableStoreOverlay": definition.writable_store_overlay,
        "storeOnDisk": definition.store_on_disk if told[2] else None,
        "fstabRead": definition.fstab_read,
    }


def finding_document(finding: Finding) -> Json:
    """One finding."""
    return {
        "severity": finding.severity.name.lower(),
        "subject": finding.subject,
        "note": finding.note,
        "what": finding.what,
        "why": finding.why,
        "fix": finding.fix,
        "since": iso_time(finding.since),
    }
