"""Which programs the sample microVMs run: the real ones where they are installed and work here, else stand-ins."""

import os
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from mvtui.demo import guest, standins
from mvtui.demo.account import Account
from mvtui.demo.probes import Prober
from mvtui.demo.runner_tools import Tools
from mvtui.demo.standins.console import EMERGENCY_KERNEL
from mvtui.errors import MvtuiError

# Where mkfs and the daemons are beside PATH: Debian's, Fedora's and Arch's places.
MORE_PATH = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/libexec", "/usr/lib", "/usr/lib/qemu")
# The module of `standins` that takes the place of each program.
_STAND_INS = {"qemu-system-x86_64": "qemu", "virtiofsd": "virtiofsd", "supervisord": "supervisord", "socat": "socat"}
# What the guest boots from is never read: it has no more than a kernel.
_STORE_DISK_BYTES = 1 << 20
_SCRIPT = "import sys\nfrom standins.{module} import main\nsys.exit(main(sys.argv[1:]))\n"


@dataclass(frozen=True, slots=True)
class Programs:
    """`tools` for the runners; `real` says in words which of them are real."""

    tools: Tools
    real: str


def find_programs(store: Path, scratch: Path, account: Account) -> Programs:
    """Look for each program and try it in `scratch`; what does not work here gets a stand-in in `store`.
    Raises MvtuiError where there is no bash, or no Python that `account` may run; OSError."""
    bash = shutil.which("bash")
    if bash is None:
        raise MvtuiError("the runners' scripts need bash, and it is not in PATH", "install bash")
    python, home = _python(account)
    tools = _stand_ins(store, bash, python, home, account)
    prober = Prober(scratch, account, (*os.get_exec_path(), *MORE_PATH))
    with ThreadPoolExecutor() as pool:
        of_hypervisor = pool.submit(prober.find_qemu, tools)
        of_daemon = pool.submit(prober.find_virtiofsd, tools)
    hypervisor, hypervisor_words = of_hypervisor.result()
    daemon, daemon_words = of_daemon.result()
    words = [hypervisor_words, daemon_words]
    supervisord, socat = shutil.which("supervisord"), shutil.which("socat")
    for name, program in (("supervisord", supervisord), ("socat", socat)):
        words.append(f"{name} is {'real' if program else 'a stand-in (it is not installed)'}")
    tools = replace(
        hypervisor,
        virtiofsd=daemon.virtiofsd,
        virtiofsd_args=daemon.virtiofsd_args,
        supervisord=supervisord or tools.supervisord,
        socat=socat or tools.socat,
    )
    return Programs(tools, ", ".join(words))


def _python(account: Account) -> tuple[str, str]:
    """A Python that `account` may run, and its home: root's own may lie where root alone can look."""
    asked = "import sys; print(sys.base_prefix)"
    for path in (getattr(sys, "_base_executable", ""), sys.executable, shutil.which("python3"), "/usr/bin/python3"):
        if not path:
            continue
        command = [path, "-I", "-S", "-c", asked]
        try:
            done = subprocess.run(command, capture_output=True, check=True, cwd="/", **account.popen_options)
        except (OSError, subprocess.CalledProcessError):
            continue
        return os.path.realpath(path), os.fsdecode(done.stdout.strip())
    raise MvtuiError(
        f"user {account.name}, whose the sample microVMs are, may not run {sys.executable}",
        "install python3 for everybody, or run mvtui demo as an ordinary user",
    )


def _stand_ins(store: Path, bash: str, python: str, home: str, account: Account) -> Tools:
    """All programs as stand-ins: a copy that everybody can read, and for each a script that gives it the argv of the
    real one."""
    package = store / "stand-ins"
    (package / "bin").mkdir(parents=True)
    sources = Path(standins.__file__).parent
    shutil.copytree(sources, package / "libexec" / "standins", ignore=shutil.ignore_patterns("__pycache__"))
    for name, module in _STAND_INS.items():
        program = package / "libexec" / name
        program.write_text(_SCRIPT.format(module=module))
        script = package / "bin" / name
        called = '"microvm@$2"' if name.startswith("qemu") else '"$0"'
        # From its first argument Python would conclude where its library is.
        environment = f"PYTHONHOME={shlex.quote(home)}"
        command = f'exec -a {called} {shlex.quote(python)} {program} "$@"'
        script.write_text(f"#!{bash}\nexport {environment}\n{command}\n")
        script.chmod(0o555)
    kernel, initrd = store / "kernel", store / "initrd"
    kernel.write_bytes(guest.kernel())
    (store / f"kernel{EMERGENCY_KERNEL}").write_bytes(guest.kernel(emergency=True))
    initrd.touch()
    store_disk = store / "microvm-store-disk.erofs"
    with store_disk.open("wb") as file:
        file.truncate(_STORE_DISK_BYTES)
    return Tools(
        hypervisor=str(package / "bin" / "qemu-system-x86_64"),
        virtiofsd=str(package / "bin" / "virtiofsd"),
        supervisord=str(package / "bin" / "supervisord"),
        socat=str(package / "bin" / "socat"),
        kernel=str(kernel),
        initrd=str(initrd),
        store_disk=str(store_disk),
        bash=bash,
        python=python,
        mkfs_path=MORE_PATH,
        socket_group=account.group if account.is_other else None,
        supervisord_user="root" if account.is_other else None,
        cpu="max",
        machine_opts={"accel": "tcg"},  # /dev/kvm may open, and still no guest run
    )
