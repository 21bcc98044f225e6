"""What a panel's questions about definition files and rebuilds say, as the judge of a walk knows them."""

import re

from mvtui.model.text import clean

HOST = "hv01"

# How such a question ends, without blanks, and its keys.
_ENDS = {
    "ssaves,Escleaves": "s",
    "swritesit,Escleaves": "s",
    "swritesit,nasksNixfortherest(minutes),Escleaves": "sn",
    "nasksNixfortherest(minutes),Escleaves": "n",
    "agitadd-N,Escleaves": "a",
    "agitadd-N,brebuild,Escleaves": "a",
    "yrebuilds,Escleaves": "y",
    "yrebuilds,lwhatthelastonesaid,Escleaves": "y",
    "yquits,itgoeson,ccancels,thenquits,Escleaves": "yc",
    "yquits,theygoon,ccancels,thenquits,Escleaves": "yc",
}
_SPANS = {
    "s": r"\bs (?:saves|writes it), ?",
    "n": r"\bn asks Nix for the rest \(minutes\), ?",
    "a": r"\ba git add -N, ?",
    "u": r"\bu brings it back, ?",
    "y": r"\by (?:rebuilds|quits, (?:it goes|they go) on), ?",
    "c": r"\bc cancels, then quits, ?",
}
_MORE = re.compile(r" \d+ more ─$")


def head(line: str) -> str:
    """The first line of a panel, without how much there is below."""
    return _MORE.sub("", line)


def keys_of(lines: tuple[str, ...]) -> str:
    """The keys that a question of these lines takes; "" where it is none of these."""
    solid = _solid(lines)
    return next((keys for end, keys in _ENDS.items() if solid.endswith(end)), "")


def key_at(line: str, x: int) -> str | None:
    """The key that a click on that cell of a question presses."""
    for key, span in _SPANS.items():
        if any(found.start() <= x < found.end() for found in re.finditer(span, line)):
            return key
    return None


def allows(what: str, name: str, lines: tuple[str, ...], typed: str, pressed: set[str]) -> bool:
    """Whether a question of these lines, answered with one of these keys, allows that. `typed` is what stands in its
    field."""
    solid, name = (_solid(words).replace("─", "") for words in ((head(lines[0]), *lines[1:]), (clean(name),)))
    file = f"{name}.tomlon{HOST}"
    match what:
        case "save":
            adopts = solid.startswith(f"adopt{name}on{HOST}:writeitsdefinitionfromwhatisbuilt?")
            brings = solid.startswith(f"bringtheformertextback:save{file}?")
            saves = f":save{file}?" in solid
            return (adopts and "s" in pressed) or (brings and bool({"u", "s"} & pressed)) or (saves and "s" in pressed)
        case "track":
            return solid.startswith(f"{name}.tomlissavedon{HOST}") and "a" in pressed
        case "ask nix":
            return solid.startswith(f"adopt{name}on{HOST}") and "n" in pressed
        case "rebuild" | "sudo rebuild --yes":
            sudo = "withsudo" if what.startswith("sudo") else ""
            if solid.startswith(f"rebuildallof{HOST}{sudo},for{name}?"):
                return typed == HOST and "enter" in pressed
            return solid.startswith(f"rebuild{name}on{HOST}{sudo}?") and "y" in pressed
        case "cancel rebuild":
            quits = solid.startswith("quit?") and "c" in pressed
            one = solid.startswith((f"canceltherebuildof{name}on{HOST}?", f"canceltherebuildofallof{HOST}?"))
            return quits or (one and "y" in pressed)
        case "sudo grow --defined --yes" | "sudo grow --defined --yes --mount":
            asks = solid.startswith("grow") and f"of{name}" in solid and f"on{HOST}withsudo?" in solid
            return asks and "g" in pressed
    return False


def _solid(lines: tuple[str, ...]) -> str:
    return "".join(char for char in "".join(lines) if not char.isspace())
