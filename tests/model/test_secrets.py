"""What is left out of a bundle, and what stays: a table of what stands in command lines, definitions, units, logs."""

import json
import shlex

import pytest

from mvtui.model.secrets import LEFT_OUT, Redactor

# Stands for whatever must not be in it.
SECRET = "hunter2-Zx81"

WORDS = [
    f"microvm --password={SECRET}",
    f"microvm --password {SECRET} --next",
    f"microvm -password {SECRET}",
    f"microvm --api-key {SECRET}",
    f"microvm --auth-token={SECRET}",
    f"qemu -object secret,id=sec0,data={SECRET},format=raw",
    f"qemu -object secret,id=sec0,format=raw,data={SECRET}",
    f"qemu -spice port=5900,password={SECRET},x=y",
    f"qemu -fw_cfg name=opt/io.systemd.credentials/login,string={SECRET}",
    f"qemu -fw_cfg name=opt/mine,string={SECRET}",
    f"qemu -smbios type=11,value=io.systemd.credential:login={SECRET}",
    f"qemu -smbios type=11,value=io.systemd.credential.binary:login={SECRET}==",
    f"cloud-hypervisor --platform oem_strings=[io.systemd.credential:login={SECRET}]",
    f"qemu -append 'console=ttyS0 systemd.set_credential=login:{SECRET} quiet'",
    f"qemu -drive file=https://me:{SECRET}@example.org/x.img",
    f"x --header 'Authorization: Bearer {SECRET}'",
    f"x --header 'Authorization: {SECRET}'",
    f"x DB_PASSWORD={SECRET}",
    f"sh -c 'PGPASSWORD={SECRET} psql'",
]
TEXTS = [
    f'password = "{SECRET}"',
    f"hashedPassword = '{SECRET}'",
    f'root.initialPassword = "{SECRET}"',
    f'"db.secret" = "{SECRET}"',
    f'api_key = """\n{SECRET}\nmore {SECRET}\n"""',
    f"token = '''{SECRET}'''",
    f'x = {{ token = "{SECRET}", y = 1 }}',
    f'extraArgs = ["--password={SECRET}", "x"]',
    f'[Service]\nEnvironment=A={SECRET} "B=x y"\nExecStart=/bin/x',
    f"[Service]\nEnvironment=A=x \\\n  B={SECRET} \\\n  C=y\nExecStart=/bin/x",
    f"[Service]\nSetCredential=login:{SECRET}\n",
    f"[Service]\nSetCredential=login: \\\n        {SECRET} \\\n        more\nUser=x\n",
    f"[Service]\nSetCredentialEncrypted=login: \\\n        {SECRET} \\\n        more\nUser=x\n",
    f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----",
    f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
    f"level=info msg=login password={SECRET} user=x",
    f"login with passwd: {SECRET}",
    f"pulling https://me:{SECRET}@example.org",
    f'{{"token": "{SECRET}"}}',
    "ghp_0123456789abcdefghij hunter2-Zx81".replace(f" {SECRET}", ""),
    "AKIA0123456789ABCDEF",
    "root:$6$abcdefgh$0123456789abcdef:19000::",
    "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdef",
]
STAYS = [
    "passwordFile = '/run/secrets/x'",
    "hashedPasswordFile = '/run/secrets/x'",
    'credentialFiles = { login = "/run/secrets/login" }',
    "LoadCredential=login:/run/secrets/login",
    "EnvironmentFile=/run/secrets/env",
    "PassEnvironment=HOME",
    "qemu -fw_cfg name=opt/io.systemd.credentials/login,file=/run/secrets/login",
    "virtiofsd --socket-path=web-virtiofs-home.sock --shared-dir=/srv/home --cache=auto",
    "qemu -device vhost-vsock-pci,guest-cid=3 -drive id=vda,file=data.img,serial=token-1",
    "secrets are in /run/secrets",
    "io.systemd.credential:login",
    "PermitEmptyPasswords = false",
    "a password is asked for",
]


@pytest.mark.parametrize("line", WORDS)
def test_command_lines(line: str) -> None:
    redactor = Redactor()
    left = redactor.words(shlex.split(line))
    assert SECRET not in " ".join(left)
    assert len(left) == len(shlex.split(line))
    assert redactor.count >= 1
    assert LEFT_OUT in " ".join(left)
    # Also where the words stand in one text, and in a document.
    assert SECRET not in json.dumps(Redactor().document({"argv": shlex.split(line)}))


@pytest.mark.parametrize("text", TEXTS)
def test_texts(text: str) -> None:
    redactor = Redactor()
    left = redactor.text(text)
    assert SECRET not in left
    assert left != text
    assert LEFT_OUT in left
    assert redactor.count >= 1
    assert Redactor().text(left) == left  # what was left out is not counted again


@pytest.mark.parametrize("text", STAYS)
def test_what_stays(text: str) -> None:
    redactor = Redactor()
    assert redactor.text(text) == text
    assert redactor.words(text.split()) == text.split()
    assert redactor.count == 0


def test_names_stay() -> None:
    redactor = Redactor()
    left = redactor.words(["-smbios", f"type=11,value=io.systemd.credential:login={SECRET}"])
    assert left == ["-smbios", f"type=11,value=io.systemd.credential:login={LEFT_OUT}"]
    assert redactor.text(f'password = "{SECRET}"  # of web') == f'password = "{LEFT_OUT}"  # of web'


def test_documents() -> None:
    redactor = Redactor()
    document = {"password": SECRET, "secretFile": "/x", "n": 3, "list": [{"token": SECRET}], "none": None}
    assert redactor.document(document) == {
        "password": LEFT_OUT,
        "secretFile": "/x",
        "n": 3,
        "list": [{"token": LEFT_OUT}],
        "none": None,
    }
    assert redactor.count == 2


@pytest.mark.parametrize("text", ["password=" * 20_000, "a" * 200_000, "-" * 200_000, '"\\' * 50_000, "'''" * 30_000])
def test_a_long_text_takes_no_time(text: str) -> None:
    Redactor().text(text)


test_a_long_text_takes_no_time = pytest.mark.timeout(10)(test_a_long_text_takes_no_time)
