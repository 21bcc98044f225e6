"""Builds the demo's host on disk: a store with runners, sources of shares, and a state directory with images."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from mvtui.demo.account import Account
from mvtui.demo.images import make_image
from mvtui.demo.programs import MORE_PATH, find_programs
from mvtui.demo.rebuilding import install_programs, runner_of
from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import with_defaults
from mvtui.demo.samples import Sample, Story, samples
from mvtui.demo.standins.console import EMERGENCY_KERNEL
from mvtui.host.document_edit import edited
from mvtui.model.adopted import adopted

_FILE_SYSTEMS = ("ext4", "xfs", "btrfs")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where what is in a demo's directory. `scratch` is of no use any more once it is built."""

    root: Path

    @property
    def state_dir(self) -> Path:
        """What /var/lib/microvms is elsewhere."""
        return self.root / "microvms"

    @property
    def store(self) -> Path:
        """What /nix/store is elsewhere."""
        return self.root / "nix" / "store"

    @property
    def scratch(self) -> Path:
        """For what is tried, and put together."""
        return self.root / "scratch"

    @property
    def definitions(self) -> Path:
        """What /etc/nixos/microvms is elsewhere."""
        return self.root / "definitions"

    @property
    def programs(self) -> Path:
        """What is on PATH elsewhere: microvm, nixos-rebuild."""
        return self.root / "bin"

    @property
    def made(self) -> tuple[Path, ...]:
        """All that building makes in `root`."""
        named = (self.root / name for name in ("nix", "srv"))
        return self.state_dir, *named, self.scratch, self.definitions, self.programs


@dataclass(frozen=True, slots=True)
class Built:
    """A host on which nothing runs yet. `newer` are the runners that a stale sample gets once it runs, by its name;
    `real` says in words which programs and images are real."""

    layout: Layout
    samples: tuple[Sample, ...]
    newer: dict[str, Path]
    real: str


def build(root: Path, account: Account) -> Built:
    """Build it in the empty directory `root`. Raises MvtuiError, OSError."""
    before = os.umask(0o022)
    try:
        return _build(Layout(root), account)
    finally:
        os.umask(before)


def _build(layout: Layout, account: Account) -> Built:
    for directory in (layout.state_dir, layout.store, layout.scratch, layout.definitions):
        directory.mkdir(parents=True)
    path = (*os.get_exec_path(), *MORE_PATH)
    available = [kind for kind in _FILE_SYSTEMS if shutil.which(f"mkfs.{kind}", path=os.pathsep.join(path))]
    chosen = samples(layout.root, available)
    for sample in chosen:
        (layout.state_dir / sample.name).mkdir()
        for source in sample.sources:
            source.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        programs = pool.submit(find_programs, layout.store, layout.scratch, account)
        images = [pool.submit(_make_images, layout, sample, path) for sample in chosen]
    for image in images:
        image.result()
    found = programs.result()
    newer = {}
    for sample in chosen:
        _install(layout, sample, found.tools)
        if sample.newer is not None:
            newer[sample.name] = runner_of(layout.store, sample.newer, found.tools)
        if sample.defined:
            define(layout.definitions, sample)
    install_programs(layout.root, found.tools)
    if account.is_other:
        _give(layout.state_dir, account)
        # As on a host: what is missing there, root alone can make.
        for source in (layout.root / "srv").iterdir():
            _give(source, account)
    words = f"real ({', '.join(available)})" if "ext4" in available else "blank (there is no mkfs.ext4)"
    return Built(layout, chosen, newer, f"{found.real}, images are {words}")


def _make_images(layout: Layout, sample: Sample, path: tuple[str, ...]) -> None:
    for volume in with_defaults(sample.definition).volumes:
        if volume.auto_create:
            make_image(layout.state_dir / sample.name, volume, path, layout.scratch, sample.fill, sample.days)


def _install(layout: Layout, sample: Sample, tools: Tools) -> None:
    """What install-microvm-NAME.service or `microvm -c` leave in the microVM's directory."""
    directory = layout.state_dir / sample.name
    if sample.story is Story.EMERGENCY:
        tools = replace(tools, kernel=f"{tools.kernel}{EMERGENCY_KERNEL}")
    runner = runner_of(layout.store, sample.definition, tools)
    (directory / "current").symlink_to(runner)
    if sample.flake is None:
        (directory / "toplevel").symlink_to(f"{runner}-system")
    else:
        (directory / "flake").write_text(f"{sample.flake}\n")


def define(definitions: Path, sample: Sample) -> None:
    """Write the definition file that the sample is built from; its comment says what to try."""
    told = adopted(with_defaults(sample.newer or sample.definition))
    text = f"# What {sample.name} has of its host. Change it, then rebuild {sample.name}, then restart it.\n"
    for edit in told.edits:
        text = edited(text, edit)
    (definitions / f"{sample.name}.toml").write_text(text)


def _give(top: Path, account: Account) -> None:
    """Everything from `top` down becomes `account`'s, `top` last: until then nobody else can put anything there."""
    for _, directories, files, descriptor in os.fwalk(top, topdown=False):
        for name in (*directories, *files):
            os.chown(name, account.uid, account.gid, dir_fd=descriptor, follow_symlinks=False)
    os.chown(top, account.uid, account.gid)
