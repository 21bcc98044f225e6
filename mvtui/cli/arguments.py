"""The command line's words: one parser for the panel and all verbs; a mistake names the nearest right word."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mvtui import __version__
from mvtui.cli.common_options import add_panel_options, common_options
from mvtui.cli.early import TAKE_A_VALUE
from mvtui.cli.parser import Parser
from mvtui.cli.verb_options import OPTIONS, settle_interval
from mvtui.errors import ExitCode, MvtuiError
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.nearest import did_you_mean

VERBS = {
    "list": "every microVM with its state and why it is in it",
    "show": "one microVM with all that is known of it",
    "diff": "where what is defined, built and booted differ, field by field",
    "logs": "what microVMs have logged: guest, hypervisor, virtiofsd, units, mvtui, all in one",
    "check": "what is wrong, since when, why, and what mends it; of all and the host where no names are given",
    "start": "start microVMs and wait until they run",
    "stop": "stop microVMs and wait until all of their units have ended",
    "restart": "stop and start microVMs",
    "kill": "end hung microVMs at once; unwritten data in the guest is lost",
    "reset": "set the writable store overlay of stopped microVMs aside and make an empty one",
    "restore": "bring the overlay back that was set aside last; once more undoes that",
    "arm": "have the overlay of a microVM reset by itself before it starts",
    "grow": "make the image of a volume larger, and the file system in it",
    "make-writable": "have the store of a microVM writable, by an overlay and its volume in the definition file",
    "share-store": "have a microVM share the store of the host instead of a store disk, in the definition file",
    "ssh": "log in to the guest of a microVM: over vsock, through a forwarded port, or by its address",
    "bundle": "one archive for who helps: states, findings, definitions, units, logs; no credentials, no environment",
    "rebuild": "build microVMs anew from what is defined: microvm -u, or nixos-rebuild switch",
    "adopt": "write the definition file of a microVM from what is built",
    "validate": "what is wrong with definition files, and where",
    "config": "what is chosen, and which file, variable or flag says it",
    "demo": "a host of sample microVMs with real processes, in a folder of its own",
    "completion": "print the completion script of a shell",
}

STAGES = ("defined", "built", "booted")
# EventGroup's, without the time that it takes to import.
EVENTS = ("all", "starts", "failures", "findings", "definition", "images", "commands")
SHELLS = ("bash", "zsh", "fish")

_EXAMPLES = """examples:
  mvtui                                the panel
  mvtui list                           one line for each microVM
  mvtui list --json | jq '.microvms[] | select(.state != "running") | .name'
  mvtui show web                       why is web in its state, what serves its shares, who holds its images
  mvtui diff web                       where its definition file, what is built and what runs differ
  mvtui logs web -f                    what its guest, its daemons and its units say, as they say it
  mvtui check                          what is wrong, and what mends it; exit code 1 for warnings, 2 for errors
  mvtui restart web git                one after the other; exit code 1 if one failed
  mvtui reset web                      shows what would be lost, and asks; mvtui restore web undoes it
  mvtui grow web data.img 8G           a larger image, and its file system
  mvtui make-writable web              its guest can build and install: an overlay and its volume
  mvtui ssh web                        log in to its guest
  mvtui bundle web                     one archive for who helps; says what is in it
  mvtui rebuild web                    build it anew from what is defined; then restart it
  mvtui adopt web                      the definition file of web, from what is built
  mvtui validate *.toml                what Nix, mkfs or a hypervisor would refuse; exit code 2
  mvtui config                         what is chosen, and where that stands
  mvtui demo                           try it: eight sample microVMs that end with the panel
  eval "$(mvtui completion bash)"      complete verbs, options and names

exit codes: 0 done, 1 failed, 2 invalid, 3 refused, 64 wrong command line, 77 rights are missing, 78 configuration wrong
"""

_VERB_EXAMPLES = {
    "list": "  mvtui list\n  mvtui list --cpu web git\n  mvtui list --json\n"
    "  mvtui list --closer            asks the guests too, as show, check and the panel do\n"
    "  mvtui list --watch             the list, then a line for each change, until ^c\n"
    "  mvtui list --watch --interval 10    looks less often where nothing tells of a change\n"
    "  mvtui list --watch --json web | jq -c 'select(.kind == \"state\") | {state, was, why}'\n\n"
    "The list asks no guest and reads no definition file, so that it is there at once: a microVM that is\n"
    "degraded for what its guest says is running there. In --json what it can't know is null. --closer asks.",
    "show": "  mvtui show web\n  mvtui show web --json\n  mvtui show web --stage built    what one stage alone says\n"
    "  mvtui show web --events failures    what failed, as far back as it is known",
    "diff": "  mvtui diff web\n  mvtui diff web --json | jq '.drift[] | {place, values, follows}'",
    "logs": "  mvtui logs web                 the last 50 lines\n"
    "  mvtui logs web git -f          and what comes, of both\n"
    "  mvtui logs web -n 1000 --source virtiofsd --level warning\n"
    "  mvtui logs web --since 2h --grep 'mount|emergency'\n"
    "  mvtui logs web --json | jq 'select(.level == \"err\") | .message'",
    "check": "  mvtui check                    all microVMs, and the host itself\n"
    "  mvtui check web git\n"
    "  mvtui check --json | jq '.microvms[] | {name, findings: [.findings[].what]}'\n\n"
    "exit codes: 0 fine, 1 warnings, 2 errors, 64 no such microVM, 77 rights are missing",
    "start": "  mvtui start web\n  mvtui start web git --json\n"
    "  mvtui start --fresh web        with an empty overlay; mvtui restore web undoes that",
    "stop": "  mvtui stop web",
    "restart": "  mvtui restart web",
    "kill": "  mvtui kill web",
    "reset": "  mvtui reset web                shows the plan, asks, does it\n"
    "  mvtui reset --dry-run web git  shows the plan alone; exit code 3 where one would be refused\n"
    "  mvtui reset --yes --json web   for scripts\n"
    "  mvtui reset --image rw.img web where no stage tells which image it is; remembered\n"
    "  mvtui reset --discard web      frees what was set aside; nothing undoes that\n"
    "  mvtui reset --if-armed web     what systemd runs before a start; see mvtui arm --help\n"
    "  mvtui reset --free web         what that leaves to a unit of its own (mvtui-free-web.service)",
    "restore": "  mvtui restore web\n  mvtui restore web --json",
    "arm": "  mvtui arm web --once           before its next start, whoever starts it\n"
    "  mvtui arm web --always         before every start, also when the guest reboots\n"
    "  mvtui arm web --always --persistent   it outlives a reboot of the host\n"
    "  mvtui arm web --off",
    "grow": "  mvtui grow web data.img 8G            shows the plan, asks, does it; the whole new size\n"
    "  mvtui grow web data.img --defined     the size in its definition file, else as it is built\n"
    "  mvtui grow web data.img 8192 --dry-run   MiB; exit code 3 where it would be refused\n"
    "  mvtui grow web logs.img 8G --mount    xfs and btrfs: this host's kernel grows it, not the guest",
    "make-writable": "  mvtui make-writable web            shows what changes in its definition file, asks, saves it\n"
    "  mvtui make-writable web --size 4096    MiB; else as fits the disk\n"
    "  mvtui make-writable web --dry-run  exit code 3 where it can't work, with why",
    "share-store": "  mvtui share-store web              shows what changes in its definition file, asks, saves it\n"
    "  mvtui share-store web --yes --json",
    "rebuild": "  mvtui rebuild web              microvm -u web; asks; what it says, as it says it\n"
    "  mvtui rebuild --yes web git    one after the other; a fully declarative one is built with its host\n\n"
    "It goes on when mvtui ends, but for ^C; what it says stays in mvtui's records.",
    "ssh": "  mvtui ssh web                  as root\n"
    "  mvtui ssh web --user alice\n"
    "  mvtui ssh web -- systemctl --failed    what follows -- is for ssh: its options, a command\n"
    "  mvtui ssh web --print          the command alone\n\n"
    "What is missing is said before anybody tries to log in (exit code 3); else the exit code is ssh's.",
    "bundle": "  mvtui bundle web               mvtui-web-DATE.tar.gz, here\n"
    "  mvtui bundle web -o /tmp/web.tar.gz    never over a file that is there; only you can read it\n"
    "  mvtui bundle web --json | jq '.members[].name'",
    "adopt": "  mvtui adopt web                writes /etc/nixos/microvms/web.toml, never over one that is there\n"
    "  mvtui adopt --print web        shows it alone\n"
    "  mvtui adopt --eval web         asks Nix for what no runner tells (minutes)\n"
    "  mvtui adopt --definitions ~/hosts/microvms web",
    "validate": "  mvtui validate /etc/nixos/microvms/*.toml\n"
    "  mvtui validate web.toml --hypervisor crosvm    as if it had another one\n"
    "  mvtui validate --json web.toml | jq '.files[].findings[] | {subject, line, what}'",
    "config": "  mvtui config                   every option, its value, and where it comes from\n"
    "  mvtui --theme light config     with what the command line says\n"
    "  mvtui config --init            writes ~/.config/mvtui/config.toml, never over one that is there\n"
    "  mvtui config --init --system   writes /etc/mvtui/config.toml\n"
    "  mvtui config --json | jq '.options[] | select(.source != \"default\")'\n\n"
    "The later counts more: /etc/mvtui/config.toml, ~/.config/mvtui/config.toml (under sudo the person's),\n"
    "MVTUI_THEME and its like in the environment, flags. What is wrong there ends mvtui with exit code\n"
    "78; --no-config goes without files.",
    "demo": "  mvtui demo\n  mvtui demo --up /tmp/demo      build and start it, print how to reach it\n"
    "  mvtui demo --down /tmp/demo    end it and remove what --up made",
    "completion": '  eval "$(mvtui completion bash)"\n  mvtui completion fish | source',
}


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments as a namespace: `verb` None opens the panel. Raises MvtuiError; --help and --version exit."""
    verb = _verb(argv)
    # To build the parsers of all verbs takes as long as everything else here.
    verbs = tuple(VERBS) if {"-h", "--help"}.intersection(argv) else (verb,) if verb is not None else ()
    parser = build_parser(verbs)
    words = list(argv)
    # What follows is for ssh, whatever it looks like.
    cut = words.index("--") if verb == "ssh" and "--" in words else len(words)
    args, unknown = parser.parse_known_args(words[:cut])
    args.words = words[cut + 1 :]
    if unknown:
        raise MvtuiError(
            f"unrecognized arguments: {' '.join(unknown)}", _hint(parser, verb, unknown[0]), ExitCode.USAGE
        )
    settle_interval(args)
    return args


def options(parser: Parser, verb: str | None) -> list[str]:
    """The long options that may stand behind `verb`, or, where it is None, before any."""
    own = parser
    for action in parser._actions:
        if verb is not None and isinstance(action, argparse._SubParsersAction):
            own = action.choices[verb]
    found = [option for action in own._actions for option in action.option_strings]
    return sorted(option for option in found if option.startswith("--"))


def _hint(parser: Parser, verb: str | None, word: str) -> str:
    option = word.partition("=")[0]
    if verb is not None and option in options(parser, None):
        return f"{option} is for the panel; mvtui {verb} --help shows what {verb} takes"
    help_hint = f"see mvtui {verb} --help" if verb is not None else "see mvtui --help"
    return (did_you_mean(option, options(parser, verb)) if option.startswith("--") else "") or help_hint


def build_parser(verbs: Sequence[str] = tuple(VERBS)) -> Parser:
    """The parser of `verbs`; `--help` and the completions are made from the one of all."""
    common = common_options()
    parser = Parser(
        prog="mvtui",
        description="A control panel for the microVMs of a microvm.nix host. Without a verb it opens the panel.",
        epilog=_EXAMPLES,
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"mvtui {__version__}")
    add_panel_options(parser)
    parsers = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser)
    for verb in verbs:
        _add_verb(parsers, verb, VERBS[verb])
    return parser


def _add_verb(parsers: "argparse._SubParsersAction[Parser]", verb: str, words: str) -> None:
    own = parsers.add_parser(
        verb,
        help=words,
        description=words[0].upper() + words[1:] + ".",
        epilog=f"examples:\n{_VERB_EXAMPLES[verb]}",
        parents=[] if verb in ("validate", "demo", "completion") else [common_options()],
    )
    if verb not in ("demo", "completion", "ssh"):
        own.add_argument("--json", action="store_true", help="for programs: one JSON document with a schema number")
    if verb in ("show", "diff", "restore", "arm", "grow", "make-writable", "share-store", "adopt", "bundle"):
        own.add_argument("name", metavar="NAME")
    if verb == "check":
        own.add_argument("names", metavar="NAME", nargs="*")
    if verb in ("logs", "start", "stop", "restart", "kill", "reset", "rebuild"):
        own.add_argument("names", metavar="NAME", nargs="+")
    if verb in OPTIONS:
        OPTIONS[verb](own)
    if verb == "show":
        what = own.add_mutually_exclusive_group()
        what.add_argument("--stage", choices=STAGES, help="what this stage alone says of it, under the options' names")
        what.add_argument("--events", choices=EVENTS, help="the timeline alone, with all of these events")
    if verb == "start":
        own.add_argument("--fresh", action="store_true", help="reset the overlay first; what is there is set aside")
    if verb == "adopt":
        own.add_argument("--print", action="store_true", help="show the file's text, write nothing")
        own.add_argument(
            "--eval", action="store_true", help="ask Nix (nix eval) for what the runner does not tell; takes minutes"
        )
    if verb == "validate":
        own.add_argument(
            "--hypervisor",
            choices=[str(each) for each in Hypervisor],
            help="check for this one, whatever the file says",
        )
        own.add_argument("files", metavar="FILE", nargs="+")
    if verb == "demo":
        where = own.add_mutually_exclusive_group()
        where.add_argument(
            "--up", type=Path, metavar="DIR", help="build and start it in DIR (new or empty), and return"
        )
        where.add_argument("--down", type=Path, metavar="DIR", help="end the one in DIR and remove what --up made")
    if verb == "completion":
        own.add_argument("shell", choices=SHELLS)


def _verb(argv: Sequence[str]) -> str | None:
    """The verb, None where there is none. Raises for one that there is not, with the nearest one; argparse would list
    them all."""
    words = iter(argv)
    for word in words:
        if word in TAKE_A_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            if word not in VERBS:
                raise MvtuiError(
                    f"there is no verb {word!r}", did_you_mean(word, VERBS) or "see mvtui --help", ExitCode.USAGE
                )
            return word
    return None
