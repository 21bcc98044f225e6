"""Completion scripts for bash, zsh and fish, made from the parser's own words."""

from mvtui.cli.arguments import EVENTS, SHELLS, STAGES, VERBS, build_parser, options
from mvtui.cli.verb_options import LOG_SOURCES
from mvtui.host.configuration_files import HOST_FILE
from mvtui.host.themes import shipped_folder
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.log import LEVELS
from mvtui.model.settings import DEFAULTS, MANAGERS, SWITCHES
from mvtui.model.theme import AUTO

_NAME_VERBS = (
    "list",
    "show",
    "diff",
    "check",
    "logs",
    "start",
    "stop",
    "restart",
    "kill",
    "reset",
    "restore",
    "arm",
    "grow",
    "make-writable",
    "share-store",
    "rebuild",
    "ssh",
    "bundle",
    "adopt",
)
# After its name nothing more is a name.
_ONE_NAME_VERBS = ("show", "diff", "restore", "arm", "grow", "make-writable", "share-store", "ssh", "bundle", "adopt")
_TAKE_A_DIRECTORY = ("--state-dir", "--definitions", "--up", "--down")
_TAKE_A_CHOICE = {
    "--manager": MANAGERS,
    "--ascii": SWITCHES,
    "--mouse": SWITCHES,
    "--theme": (AUTO, *sorted(path.stem for path in shipped_folder().glob("*.toml"))),
    "--hypervisor": tuple(Hypervisor),
    "--stage": STAGES,
    "--events": EVENTS,
    "--source": LOG_SOURCES,
    "--level": LEVELS,
}
_TAKE_A_VALUE = (
    *_TAKE_A_DIRECTORY,
    *_TAKE_A_CHOICE,
    "--interval",
    "--image",
    "--lines",
    "-n",
    "--since",
    "--grep",
    "--size",
    "--user",
    "-l",
    "--output",
    "-o",
)

# Names come from the state directory itself: a look at the host would be slower than the person types. They belong
# to somebody else, so no shell may expand them (compgen -W does). One that looks like an option is a name behind `--`
# only. Nor is the state directory expanded, as it was typed, but for a tilde.


# What the configuration says of the state directory, of the two files the later; `"` and `'` begin a text in TOML.
_CONFIGURED = r"""sed -n "s/^[[:space:]]*state_dir[[:space:]]*=[[:space:]]*[\"']\([^\"']*\).*/\1/p" """ + HOST_FILE


def script(shell: str) -> str:
    """The script of `shell` (one of SHELLS), to be evaluated by it."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]()


def _options() -> dict[str, list[str]]:
    """The options of each verb, and under "" those of the panel."""
    parser = build_parser()
    return {verb or "": options(parser, verb) for verb in (None, *VERBS)}


def _bash() -> str:
    own = "\n".join(f"            '{verb}') words='{' '.join(words)}' ;;" for verb, words in _options().items())
    choices = "\n".join(
        f"        {option}) mapfile -t COMPREPLY < <(compgen -W '{' '.join(values)}' -- \"$word\"); return ;;"
        for option, values in _TAKE_A_CHOICE.items()
    )
    return f"""_mvtui() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} option= verb= named= ended= words= each quoted i
    local states own=${{XDG_CONFIG_HOME:-$HOME/.config}}/mvtui/config.toml
    states=$({_CONFIGURED} "$own" 2> /dev/null | tail -n 1)
    states=${{MVTUI_STATE_DIR:-${{states:-{DEFAULTS.state_dir}}}}}
    for ((i = 1; i < COMP_CWORD; i++)); do
        each=${{COMP_WORDS[i]}}
        if [[ -n $option ]]; then
            [[ $each == = ]] && continue  # --option=value is three words here
            [[ $option == --state-dir ]] && states=${{each//[\\\\\\'\\"]/}}
            option=
        else
            case $each in
                {"|".join(_TAKE_A_VALUE)}) option=$each ;;
                --) ended=yes ;;
                -*) ;;
                *) if [[ -n $verb ]]; then named=yes; else verb=$each; fi ;;
            esac
        fi
    done
    [[ $word == = ]] && word=
    states=${{states//[\\\\\\'\\"]/}}
    states=${{states/#\\~/$HOME}}
    COMPREPLY=()
    case $option in
        {"|".join(_TAKE_A_DIRECTORY)}) compopt -o dirnames; return ;;
        --output | -o) compopt -o default; return ;;
{choices}
        --interval | --image | --lines | -n | --since | --grep | --size | --user | -l) return ;;
    esac
    if [[ $word == -* && -z $ended ]]; then
        case $verb in
{own}
        esac
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
        return
    fi
    case $verb in
        '') mapfile -t COMPREPLY < <(compgen -W '{" ".join(VERBS)}' -- "$word") ;;
        validate) compopt -o default ;;
        completion) mapfile -t COMPREPLY < <(compgen -W '{" ".join(SHELLS)}' -- "$word") ;;
        {"|".join(_NAME_VERBS)}) [[ -n $named && $verb == @({"|".join(_ONE_NAME_VERBS)}) ]] && return
            for each in "$states"/*/; do
                each=${{each%/}}
                [[ -d $each && ! -L $each ]] || continue
                each=${{each##*/}}
                [[ $each == .* || $each == lost+found || ( $each == -* && -z $ended ) ]] && continue
                printf -v quoted %q "$each"
                [[ $each == "$word"* || $quoted == "$word"* ]] && COMPREPLY+=("$quoted")
            done ;;
    esac
}}
complete -F _mvtui mvtui
"""


def _zsh() -> str:
    verbs = "\n".join(f"        '{verb}:{words}'" for verb, words in VERBS.items())
    own = "\n".join(f"            ('{verb}') found=({' '.join(words)}) ;;" for verb, words in _options().items())
    chosen = "        ({}) compadd -- {}; return ;;"
    choices = "\n".join(chosen.format(option, " ".join(values)) for option, values in _TAKE_A_CHOICE.items())
    return f"""#compdef mvtui
_mvtui() {{
    local word option verb named ended states own=${{XDG_CONFIG_HOME:-$HOME/.config}}/mvtui/config.toml
    states=$({_CONFIGURED} "$own" 2> /dev/null | tail -n 1)
    states=${{MVTUI_STATE_DIR:-${{states:-{DEFAULTS.state_dir}}}}}
    local -a found verbs
    verbs=(
{verbs}
    )
    for word in "${{(@Q)words[2,CURRENT-1]}}"; do
        if [[ -n $option ]]; then
            [[ $option == --state-dir ]] && states=$word
            option=
        else
            case $word in
                (--state-dir=*) states=${{word#*=}} ;;
                ({"|".join(_TAKE_A_VALUE)}) option=$word ;;
                (--) ended=yes ;;
                (-*) ;;
                (*) if [[ -n $verb ]]; then named=yes; else verb=$word; fi ;;
            esac
        fi
    done
    states=${{states/#\\~/$HOME}}
    if [[ -z $option && -z $ended && $PREFIX == --*=* ]]; then
        option=${{PREFIX%%=*}}
        compset -P '*='
    fi
    case $option in
        ({"|".join(_TAKE_A_DIRECTORY)}) _files -/; return ;;
        (--output|-o) _files; return ;;
{choices}
        (-*) return 1 ;;
    esac
    if [[ $PREFIX == -* && -z $ended ]]; then
        case $verb in
{own}
        esac
        compadd -a found
        return
    fi
    case $verb in
        ('') _describe verb verbs ;;
        (validate) _files ;;
        (completion) compadd -- {" ".join(SHELLS)} ;;
        ({"|".join(_NAME_VERBS)}) [[ -n $named && $verb == ({"|".join(_ONE_NAME_VERBS)}) ]] && return 1
            found=("$states"/*(N/:t))
            found=("${{(@)found:#(.*|lost+found)}}")
            [[ -n $ended ]] || found=("${{(@)found:#-*}}")
            compadd -a found ;;
        (*) return 1 ;;
    esac
}}
if [[ $funcstack[1] == _mvtui ]]; then _mvtui "$@"; else compdef _mvtui mvtui; fi
"""


def _fish() -> str:
    own = _options()
    lines = [_FISH_FUNCTIONS, "complete -c mvtui -f"]
    for option in sorted({option for words in own.values() for option in words}):
        verbs = " ".join(verb or "''" for verb, words in own.items() if option in words)
        value = ""
        if option in _TAKE_A_DIRECTORY:
            value = " -x -a '(__fish_complete_directories)'"
        elif option in _TAKE_A_CHOICE:
            value = f" -x -a '{' '.join(_TAKE_A_CHOICE[option])}'"
        elif option == "--output":
            value = " -r -F"
        elif option in _TAKE_A_VALUE:
            value = " -x"
        lines.append(f'complete -c mvtui -n "__mvtui_verb_is {verbs}" -l {option[2:]}{value}')
    lines += [f"complete -c mvtui -n \"__mvtui_verb_is ''\" -a {verb} -d '{words}'" for verb, words in VERBS.items()]
    lines += [f"complete -c mvtui -n '__mvtui_verb_is completion' -a '{' '.join(SHELLS)}'"]
    lines += ["complete -c mvtui -n '__mvtui_verb_is validate' -F"]
    names = "'(__mvtui_names | string split0)'"
    verbs = " ".join(_NAME_VERBS)
    lines += [f"complete -c mvtui -n '__mvtui_verb_is {verbs}; and __mvtui_wants_name' -a {names}"]
    return "\n".join(lines) + "\n"


# The first word is mvtui. Never offered: a name with a tab, which ends a completion (what follows is its description),
# and one that begins with a tilde, which fish inserts as it is.
_FISH_FUNCTIONS = f"""function __mvtui_words
    set -l before
    for word in (commandline -opc)
        if set -q before[1]
            and not contains -- $before {" ".join(_TAKE_A_VALUE)}
            and not string match -q -- '-*' $word
            printf '%s\\n' $word
        end
        set before $word
    end
end
function __mvtui_verb_is
    set -l words (__mvtui_words) ''
    contains -- $words[1] $argv
end
function __mvtui_wants_name
    set -l words (__mvtui_words)
    test (count $words) -lt 2; or not contains -- $words[1] {" ".join(_ONE_NAME_VERBS)}
end
function __mvtui_names
    set -l own $HOME/.config
    test -n "$XDG_CONFIG_HOME"; and set own $XDG_CONFIG_HOME
    set -l states {DEFAULTS.state_dir} ({_CONFIGURED} $own/mvtui/config.toml 2> /dev/null) $MVTUI_STATE_DIR
    set states $states[-1]
    set -l hidden lost+found '*'\\t'*' '~*' '-*'
    set -l before
    for word in (commandline -opc)
        if test "$before" = --state-dir
            set states $word
        else if string match -q -- '--state-dir=*' $word
            set states (string replace -- --state-dir= '' $word)
        else if test "$word" = --
            set hidden $hidden[1 2 3]
        end
        set before $word
    end
    set states (string replace -r -- '^~(?=/|$)' $HOME $states)
    for each in $states/*/
        set -l name (string replace -r -- '(?s)^.*/(.+)/$' '$1' $each | string collect)
        if test -d $states/$name; and not test -L $states/$name
            for pattern in $hidden
                string match -q -- $pattern $name; and set -e name; and break
            end
            set -q name; and printf '%s\\0' $name
        end
    end
end"""
