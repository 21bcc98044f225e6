"""The polkit rule of the NixOS module, in the engine that polkit has (duktape), with a stand-in for polkit."""

import json
import re
import subprocess
from pathlib import Path

from mvtui.host import systemd_jobs
from tests.host.living import found
from tests.nix.test_flake import FOLDER, Module

# What the engine of polkit has, and a subject and an action as polkit gives them.
DUKTAPE = """
var rule, told = {};
var polkit = {Result: {YES: "yes", NO: "no", NOT_HANDLED: null}, addRule: function (given) { rule = given; }};
%s
var cases = %s;
var answers = cases.map(function (one) {
    var action = {id: one.id, lookup: function (key) { return one.details[key]; }};
    var subject = {user: "alice", isInGroup: function (group) { return one.groups.indexOf(group) !== -1; }};
    return rule(action, subject) || null;
});
print(JSON.stringify(answers));
"""
MANAGE = "org.freedesktop.systemd1.manage-units"
MINE = ["users", "ops"]
ALLOWED = [
    {"id": MANAGE, "details": {"unit": unit, "verb": verb}, "groups": MINE}
    for verb in ("start", "stop", "restart", "kill")
    for unit in (
        "microvm@web.service",
        "microvm-virtiofsd@web.service",
        "microvm@my-vm.2.service",
        "microvm@a@b.service",
        "microvm@a\\x20b.service",
    )
]
REFUSED = [
    *(
        {"id": MANAGE, "details": {"unit": unit, "verb": "start"}, "groups": MINE}
        for unit in (
            "microvm@.service", "microvm@web.socket", "microvm@web.service.service.d", "microvm@web", "sshd.service",
            "microvms.target", "microvm-web.service", "xmicrovm@web.service", "microvm-virtiofsd@.service",
            "microvm-tap-interfaces@web.service", "install-microvm-web.service", "microvm@../evil.service",
            "microvm@..service", "microvm@...service", "microvm@.hidden.service", "microvm@web.service\n",
            "sshd.service\nmicrovm@web.service", "microvm@we b.service", "microvm@web.service ", "", None,
            "microvm@web.service/../../sshd.service", "MICROVM@web.service", "microvm@-.service",
            "microvm-@web.service",
        )
    ),
    *(
        {"id": MANAGE, "details": {"unit": "microvm@web.service", "verb": verb}, "groups": MINE}
        for verb in (
            "set-property", "reset-failed", "clean", "freeze", "thaw", "reload", "cancel", "ref", "kill-subgroup",
            "bind-mount", "mount-image", "START", "", None,
        )
    ),
    {"id": MANAGE, "details": {}, "groups": MINE},
    {"id": MANAGE, "details": {"unit": "microvm@web.service", "verb": "start"}, "groups": ["users", "ops2", "op"]},
    {"id": MANAGE, "details": {"unit": "microvm@web.service", "verb": "start"}, "groups": []},
    *(
        {"id": f"org.freedesktop.{action}", "details": {"unit": "microvm@web.service", "verb": "start"}, "groups": MINE}
        for action in (
            "systemd1.manage-unit-files", "systemd1.manage-units-x", "systemd1.reload-daemon", "login1.reboot",
            "systemd1.set-environment", "policykit.exec",
        )
    ),
]  # fmt: skip


def test_the_rule_allows_what_mvtui_needs_and_nothing_else(tmp_path: Path) -> None:
    rule = Module("")({"enable": True, "group": "ops"}, {})["polkit"]["extraConfig"]
    assert "@group@" not in rule
    script = tmp_path / "rule.js"
    script.write_text(DUKTAPE % (rule, json.dumps([*ALLOWED, *REFUSED])))
    ran = subprocess.run([found("duk"), str(script)], capture_output=True, text=True, check=True, timeout=30)
    answers = json.loads(ran.stdout)
    wanted = ["yes"] * len(ALLOWED) + [None] * len(REFUSED)
    answered = zip((*ALLOWED, *REFUSED), answers, wanted, strict=True)
    assert [case for case, answer, right in answered if answer != right] == []


def test_the_verbs_of_the_rule_are_those_that_mvtui_asks_for() -> None:
    """bus_unit_method_*, of systemd's dbus-unit.c: of each call the verb that polkit is told."""
    text = Path(systemd_jobs.__file__).read_text()
    asked = set(re.findall(r'"(Start|Stop|Restart|Kill|Reload|Clean|Freeze|Thaw)Unit"', text))
    rule = (FOLDER / "manage-microvms.rules").read_text()
    (verbs,) = re.findall(r"\[(\"start.*)\]\.indexOf", rule)
    assert json.loads(f"[{verbs}]") == sorted(
        (word.lower() for word in asked), key=["start", "stop", "restart", "kill"].index
    )
