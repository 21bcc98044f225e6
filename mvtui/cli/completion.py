"""Completion scripts for bash, zsh and fish, made from the parser's own words."""

from mvtui.cli.arguments import VERBS, build_parser, options
from mvtui.operations.hosts import DEFAULT_STATE_DIR

_NAME_VERBS = ("show", "start", "stop", "restart", "kill")

# Names come from the state directory itself: a look at the host would be slower than the person types. They belong
# to somebody else, so no shell may expand them (compgen -W does).


def script(shell: str) -> str:
    """The script of `shell` (bash, zsh, fish), to be evaluated by it."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]()


def _all_options() -> list[str]:
    parser = build_parser()
    return sorted({option for verb in (None, *VERBS) for option in options(parser, verb)})


def _bash() -> str:
    parser = build_parser()
    options_of = "\n".join(
        f'            {verb or chr(34) * 2}) words="{" ".join(options(parser, verb))}" ;;' for verb in (None, *VERBS)
    )
    return f"""_mvtui() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} verb= each words= i
    local states={DEFAULT_STATE_DIR}
    for ((i = 1; i < COMP_CWORD; i++)); do
        each=${{COMP_WORDS[i]}}
        if [[ $each == --state-dir ]]; then states=${{COMP_WORDS[++i]/#\\~/$HOME}}
        elif [[ $each == --manager || $each == --interval ]]; then ((i++))
        elif [[ -z $verb && $each != -* ]]; then verb=$each; fi
    done
    case $before in
        --state-dir|--up|--down) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --manager) mapfile -t COMPREPLY < <(compgen -W "auto systemd direct" -- "$word"); return ;;
    esac
    if [[ $word == -* ]]; then
        case $verb in
{options_of}
        esac
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
        return
    fi
    case $verb in
        "") mapfile -t COMPREPLY < <(compgen -W "{" ".join(VERBS)}" -- "$word") ;;
        completion) mapfile -t COMPREPLY < <(compgen -W "bash zsh fish" -- "$word") ;;
        {"|".join(_NAME_VERBS)}) COMPREPLY=()
            for each in "$states"/*/; do
                each=${{each%/}}; each=${{each##*/}}
                [[ $each != "*" && $each == "$word"* ]] && COMPREPLY+=("$(printf %q "$each")")
            done ;;
    esac
}}
complete -F _mvtui mvtui
"""


def _zsh() -> str:
    verbs = "\n".join(f"        '{verb}:{words}'" for verb, words in VERBS.items())
    return f"""#compdef mvtui
_mvtui() {{
    local -a verbs names
    verbs=(
{verbs}
    )
    case ${{words[CURRENT-1]}} in
        --state-dir|--up|--down) _files -/; return ;;
        --manager) compadd auto systemd direct; return ;;
    esac
    if [[ ${{words[CURRENT]}} == -* ]]; then
        compadd -- {" ".join(_all_options())}
        return
    fi
    local verb=${{words[(r)({"|".join(VERBS)})]}}
    case $verb in
        "") _describe verb verbs ;;
        completion) compadd bash zsh fish ;;
        {"|".join(_NAME_VERBS)}) names=({DEFAULT_STATE_DIR}/*(N/:t)); compadd -- $names ;;
    esac
}}
compdef _mvtui mvtui
"""


def _fish() -> str:
    names = f"(command ls -1 -- {DEFAULT_STATE_DIR} 2>/dev/null)"
    lines = ["complete -c mvtui -f"]
    lines += [f"complete -c mvtui -n __fish_use_subcommand -a {verb} -d '{words}'" for verb, words in VERBS.items()]
    lines += [f"complete -c mvtui -l {option[2:]}" for option in _all_options()]
    lines += [f"complete -c mvtui -n '__fish_seen_subcommand_from {' '.join(_NAME_VERBS)}' -a '{names}'"]
    lines += ["complete -c mvtui -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'"]
    return "\n".join(lines) + "\n"
