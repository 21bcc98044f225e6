"""Definition files, as people write and break them."""

import os
from pathlib import Path

import pytest

from mvtui.host.documents import LIMIT, DocumentError, read_definition
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor

_WEB = """\
# what web has
hypervisor = "cloud-hypervisor"
mem = 1024
vcpu = 2
vsock.cid = 7
writableStoreOverlay = "/nix/.rw-store"

[[interfaces]]
type = "tap"
id = "vm-web"

[[shares]]
proto = "virtiofs"
tag = "ro-store"
source = "/nix/store"
mountPoint = "/nix/.ro-store"

[[shares]]
tag = "docs"
source = "docs"
mountPoint = "/srv/docs"
readOnly = true
securityModel = "mapped"
cache = "never"
posixAcl = false
socket = "docs.sock"
extraArgs = ["--x"]

[[volumes]]
image = "nix-rw.img"
mountPoint = "/nix/.rw-store"
size = 2048

[[volumes]]
image = "/srv/data.img"
fsType = "xfs"
label = "data"
autoCreate = false
mkfsExtraArgs = ["-q"]
readOnly = true
direct = true
serial = "d1"
imageType = "qcow2"
"""


def _write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "web.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_every_option_is_read_and_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    assert read_definition(_write(tmp_path, _WEB)) == Definition(
        hypervisor=Hypervisor.CLOUD_HYPERVISOR,
        mem=1024,
        vcpu=2,
        vsock_cid=7,
        writable_store_overlay="/nix/.rw-store",
        shares=(
            Share(
                "ro-store", ShareProto.VIRTIOFS, "/nix/store", "/nix/.ro-store", None, False, "none", "auto", True, ()
            ),
            Share(
                "docs", ShareProto.NINE_P, "docs", "/srv/docs", "docs.sock", True, "mapped", "never", False, ("--x",)
            ),
        ),
        volumes=(
            Volume(
                "nix-rw.img", "a", "/nix/.rw-store", 2048, "ext4", None, True, (), False, False, None, "raw"
            ),
            Volume("/srv/data.img", "b", None, None, "xfs", "data", False, ("-q",), True, True, "d1", "qcow2"),
        ),
        store_on_disk=False,
        fstab_read=True,
        untold=frozenset({"storeOnDisk"}),
    )  # fmt: skip


def test_the_overlay_and_its_volume_are_found(tmp_path: Path) -> None:
    definition = read_definition(_write(tmp_path, _WEB))
    assert definition is not None
    volume = definition.overlay_volume()
    assert volume is not None
    assert volume.image == "nix-rw.img"


@pytest.mark.parametrize("text", ["", "# nothing\n", "mem = 512", "\ufeffmem = 512\r\n"])
def test_what_does_not_stand_there_is_not_there(tmp_path: Path, text: str) -> None:
    definition = read_definition(_write(tmp_path, text))
    assert definition is not None
    assert (definition.shares, definition.volumes, definition.writable_store_overlay) == ((), (), None)
    assert definition.store_on_disk is True
    assert definition.mem == (512 if "mem" in text else None)


def test_letters_begin_behind_the_store_disk_and_end_with_z(tmp_path: Path) -> None:
    volumes = "".join(f'[[volumes]]\nimage = "{number}.img"\nsize = 1\n' for number in range(27))
    on_disk = read_definition(_write(tmp_path, volumes))
    shared = read_definition(_write(tmp_path, f"storeOnDisk = false\n{volumes}"))
    assert on_disk is not None
    assert shared is not None
    assert [volume.letter for volume in on_disk.volumes] == [*"bcdefghijklmnopqrstuvwxyz", None, None]
    assert [volume.letter for volume in shared.volumes] == [*"abcdefghijklmnopqrstuvwxyz", None]


def test_no_file_is_none(tmp_path: Path) -> None:
    assert read_definition(tmp_path / "web.toml") is None
    _write(tmp_path, "")
    assert read_definition(tmp_path / "web.toml" / "web.toml") is None


def test_a_link_is_followed(tmp_path: Path) -> None:
    _write(tmp_path, "mem = 1")
    (tmp_path / "link.toml").symlink_to("web.toml")
    definition = read_definition(tmp_path / "link.toml")
    assert definition is not None
    assert definition.mem == 1


@pytest.mark.parametrize(
    ("content", "line", "column", "expected", "hint"),
    [
        ("mem = 1\nmem = 2\n", 2, 8, "Cannot overwrite", "remove one"),
        ('mem = 1\n[[shares]]\ntag = "a\n', 3, 9, "Illegal character", "the quote is missing"),
        ("mem = ", 1, 7, "Invalid value (the file ends here)", "a value is"),
        ("mem = 1\n\nvcpu\n", 3, 5, "Expected '=' after a key", "followed by ="),
        ('a = "\\e"', 1, 8, "Unescaped", "single quotes"),
        ("shares = {}\n[[shares]]\n", 2, 9, "Cannot", "two brackets|ends with its }"),
        ("tag = 'a\n", 2, 1, 'Expected "\'"', "the quote that ends"),
        ("mem = 1 # über\n\rvcpu = 1", 2, 1, "Invalid", ""),
        (b"mem = 1\n# \xc3\xa4 \xfc", 2, 5, "no UTF-8", "save the file as UTF-8"),
    ],
)
def test_broken_toml_says_where_and_what_would_mend_it(
    tmp_path: Path, content: str | bytes, line: int, column: int, expected: str, hint: str
) -> None:
    path = _write(tmp_path, content)
    with pytest.raises(DocumentError) as caught:
        read_definition(path)
    error = caught.value
    assert (error.path, error.line, error.column) == (path, line, column)
    assert error.message == f"{path}:{line}:{column}: {error.expected}"
    assert expected in error.expected
    assert any(words in error.hint for words in hint.split("|"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mem = true", "mem: expected an integer"),
        ("storeOnDisk = 1", "storeOnDisk: expected true or false"),
        ("vsock = 3", "vsock: expected a table: [vsock]"),
        ("vsock.cid = '3'", "vsock.cid: expected an integer"),
        ("hypervisor = 'xen'", "hypervisor: expected one of qemu, cloud-hypervisor, firecracker"),
        ("shares = 'a'", "shares: expected tables: [[shares]]"),
        ("shares = [1]", "shares[0]: expected a table: [[shares]]"),
        ("[shares]\ntag = 'a'", "shares: expected tables: [[shares]]"),
        ("[[shares]]\nsource = '/a'\nmountPoint = '/a'", "shares[0].tag: expected a string; it must be there"),
        (
            "[[shares]]\ntag = 'a'\nsource = '/a'\nmountPoint = '/a'\nproto = 'nfs'",
            "shares[0].proto: expected one of virtiofs, 9p",
        ),
        ("[[volumes]]\nimage = 'a'\n[[volumes]]\nimage = 1", "volumes[1].image: expected a string"),
        ("[[volumes]]\nimage = 'a'\nsize = 1.0", "volumes[0].size: expected an integer"),
        ("[[volumes]]\nimage = 'a'\nmkfsExtraArgs = ['a', 1]", "volumes[0].mkfsExtraArgs[1]: expected a string"),
    ],
)
def test_a_wrong_type_says_which_option(tmp_path: Path, text: str, expected: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(DocumentError) as caught:
        read_definition(path)
    assert caught.value.message == f"{path}:{caught.value.line}:{caught.value.column}: {caught.value.expected}"
    assert caught.value.expected.startswith(expected)
    assert caught.value.hint == f"mvtui validate {path} names all that is wrong"
    assert caught.value.line is not None
    assert caught.value.column is not None


def test_what_is_no_small_file_is_not_read(tmp_path: Path) -> None:
    large = _write(tmp_path, b"#" * (LIMIT + 1))
    with pytest.raises(DocumentError, match="is larger than 1024 KiB"):
        read_definition(large)
    fifo = tmp_path / "fifo.toml"
    os.mkfifo(fifo)
    with pytest.raises(DocumentError, match="is not a regular file"):
        read_definition(fifo)
    with pytest.raises(DocumentError, match="is not a regular file"):
        read_definition(Path("/dev/zero"))
    with pytest.raises(DocumentError, match="is not a regular file"):
        read_definition(tmp_path)


@pytest.mark.parametrize("opening", ["[", "{a="])
def test_depth_is_no_danger(tmp_path: Path, opening: str) -> None:
    with pytest.raises(DocumentError, match="too deep"):
        read_definition(_write(tmp_path, f"a = {opening * 5000}"))


@pytest.mark.parametrize(
    "digits",
    ["9" * 5000, "0x" + "f" * 5000, "9223372036854775808", "-9223372036854775809"],
    ids=["decimal", "hexadecimal", "one more", "one less"],
)
@pytest.mark.parametrize("start", ["mem = ", "shares = [{tag = "], ids=["key", "in a table"])
def test_a_number_that_is_none_of_64_bits(tmp_path: Path, start: str, digits: str) -> None:
    """Python neither reads nor writes one of more than 4,300 digits: the panel ended of it."""
    end = "}]" if "{" in start else ""
    with pytest.raises(DocumentError, match="too large"):
        read_definition(_write(tmp_path, f"{start}{digits}{end}"))


def test_a_key_of_parts_without_an_end(tmp_path: Path) -> None:
    """tomllib needs three minutes for it."""
    with pytest.raises(DocumentError, match=":2:1: a line with more than 500 dots"):
        read_definition(_write(tmp_path, "mem = 1\na" + ".a" * 50_000 + " = 1"))
