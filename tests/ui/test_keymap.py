"""Keys that a person has chosen: what can be, and what is wrong, before the panel opens."""

import subprocess
import sys
from itertools import groupby

import pytest
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.keys import _character_to_key

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.configuration import ConfigurationError
from mvtui.ui import key_names
from mvtui.ui.command import Place
from mvtui.ui.commands import ALL_COMMANDS, bindings, command
from mvtui.ui.key_names import character_name, key_label, key_of, key_of_label, key_text, types_something
from mvtui.ui.key_table import key_rows
from mvtui.ui.keymap import checked_keys, declared_keys, keys_with, meet, textual_keymap

# What Textual makes of what terminals send, but for characters.
SENT = {"+".join(str(key.value) for key in keys) for keys in ANSI_SEQUENCES_KEYS.values() if isinstance(keys, tuple)}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("x", "x"),
        ("X", "X"),
        ("shift+x", "X"),
        ("/", "slash"),
        ("slash", "slash"),
        ("?", "question_mark"),
        ("+", "plus"),
        ("^", "circumflex_accent"),
        ("ö", "ö"),
        ("5", "5"),
        ("space", "space"),
        (" ", "space"),
        ("^p", "ctrl+p"),
        ("^P", "ctrl+p"),
        ("ctrl+p", "ctrl+p"),
        ("Ctrl+P", "ctrl+p"),
        ("^space", "ctrl+@"),
        ("^\\", "ctrl+backslash"),
        ("F1", "f1"),
        ("f12", "f12"),
        ("ctrl+F5", "ctrl+f5"),
        ("PgDn", "pagedown"),
        ("pagedown", "pagedown"),
        ("Esc", "escape"),
        ("Return", "enter"),
        ("↑", "up"),
        ("shift+Tab", "shift+tab"),
        ("ctrl+shift+up", "ctrl+shift+up"),
        ("alt+x", "alt+x"),
        ("alt+X", "alt+shift+x"),
        ("less_than_sign", "less_than_sign"),
    ],
)
def test_keys_as_people_write_them(text: str, key: str) -> None:
    assert key_of(text) == key
    assert key_of(key) == key
    assert key_of_label(key_label(key)) == key
    assert " " not in key_label(key)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no key ''"),
        ("ab", "there is no key 'ab' (a key is a character"),
        ("escpe", "there is no key 'escpe' (did you mean \"escape\"?)"),
        ("bakspace", "there is no key 'bakspace' (did you mean \"backspace\"?)"),
        ("PgDwn", "there is no key 'PgDwn' (did you mean \"pgdn\"?)"),
        ("hom", "there is no key 'hom' (did you mean \"home\"?)"),
        ("Foo", "there is no key 'Foo' (a key is a character"),
        ("Menu", "there is no key 'Menu' (a key is a character"),
        ("Pause", "there is no key 'Pause' (a key is a character"),
        ("Print", "there is no key 'Print' (a key is a character"),
        ("super+x", "there is no key 'super+x' (a key is a character"),
        ("\x1b", "there is no key '\\x1b'"),
        ("^i", "terminals send '^i' as tab (write \"tab\""),
        ("^m", "terminals send '^m' as enter"),
        ("^[", "terminals send '^[' as escape"),
        ("^H", "terminals send '^H' as backspace"),
        ("^1", "terminals do not send the key '^1'"),
        ("^enter", "terminals do not send the key '^enter'"),
        ("shift+1", "terminals do not send the key 'shift+1'"),
        ("alt+F1", "terminals do not send the key 'alt+F1'"),
        ("F25", "there is no key 'F25'"),
    ],
)
def test_what_is_no_key(text: str, told: str) -> None:
    with pytest.raises(MvtuiError) as wrong:
        key_of(text)
    assert str(wrong.value).startswith(told)


def test_names_are_those_that_textual_gives() -> None:
    for character in (*map(chr, range(33, 127)), "ö", "ß", "λ", "§", "€"):
        assert character_name(character) == _character_to_key(character)
        assert types_something(character_name(character))
    named = {*key_names._NAMED, *key_names._MODIFIED, *[key_of(f"^{one}") for one in key_names._WITH_CTRL]}
    assert named <= SENT
    assert {key for key in named if types_something(key)} == {"space"}


def test_what_comes_with_the_commands_can_be_written_and_clashes_with_nothing() -> None:
    keys, problems = keys_with({one.id: [key_label(key) for key in one.keys] for one in ALL_COMMANDS})
    assert (keys, problems) == (declared_keys(), ())
    assert textual_keymap(keys) == {}


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"stpo": ("x",)}, "there is no command 'stpo' (did you mean \"stop\"?"),
        ({"zzzz": ("x",)}, "there is no command 'zzzz' (mvtui config --print shows all commands"),
        ({"theme": ("dark",)}, "there is no command 'theme' (theme is an option, which stands above [keys]"),
        ({"stop": ("hyperx",)}, "stop: there is no key 'hyperx' (a key is"),
        ({"stop": ("^i",)}, "stop: terminals send '^i' as tab"),
        (
            {"stop": ("x",)},
            "x is the key of stop and of free (as it comes) "
            "(choose another key for one of them; free = [] leaves free to the palette",
        ),
        ({"stop": ("^a",), "start": ("ctrl+a",)}, "^a is the key of start and of stop ("),
        ({"log_wrap": ("s",)}, "s is the key of log_wrap and of ssh (as it comes) ("),
        ({"tab_next": ("n",)}, "n is the key of tab_next and of search_next (as it comes) ("),
        ({"add_share": ("j",)}, "j is the key of add_share and of cursor_down (as it comes) ("),
        ({"add_share": ("E",)}, "E is the key of add_share and of edit_file (as it comes) ("),
        ({"add_share": ("v",)}, "v is the key of add_share and of add_volume (as it comes) (choose another key for"),
        ({"tab_next": ("q",)}, "q is the key of tab_next and of back (as it comes) ("),
        ({"mark": ("^c",)}, "mark can't have ^c, which is always quit (choose another key"),
        ({"mark": ("Esc",)}, "mark can't have Esc, which is always leave (choose another key"),
        ({"leave": ()}, "leave has no key: nothing else would lead out (give leave a key"),
        ({"back": ()}, "back has no key"),
        ({"quit": ()}, "quit has no key"),
    ],
)
def test_what_is_wrong_is_named(chosen: dict[str, tuple[str, ...]], told: str) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        checked_keys(chosen, lambda _: "/config.toml:3")
    assert str(wrong.value).startswith(f"/config.toml:3: {told}")
    assert wrong.value.exit_code is ExitCode.CONFIG


def test_everything_that_is_wrong_is_named_with_its_places() -> None:
    chosen = {"stpo": ("x",), "start": ("^a",), "stop": ("^a",), "mark": ("ab",), "free": ("T",)}
    places = {"start": "/etc/mvtui/config.toml:7", "stop": "/home/p/config.toml:2"}
    keys, problems = keys_with(chosen, lambda one: places.get(one, "/f:1"))
    assert [(one.place, one.what) for one in problems] == [
        ("/f:1", "there is no command 'stpo'"),
        ("/f:1", "mark: there is no key 'ab'"),
        ("/etc/mvtui/config.toml:7", "^a is the key of start and of stop (/home/p/config.toml:2)"),
    ]
    assert keys["mark"] == ("space",)
    assert keys["free"] == ("T",)


@pytest.mark.parametrize(
    "chosen",
    [
        {"search": ("f",), "log_source": ("/",)},  # swapped
        {"filter_state": ("n",)},  # of the list and of a page
        {"stop": ("r",), "restart": ("T",)},
        {"free": (), "stop": ("x",)},
        {"stop": ("T", "T")},
        {"leave": ("^g",)},
        {"add_share": ("S",), "add_volume": ("T",)},  # over the list, whose keys do not work then
        {"quit": ("F10",)},
    ],
)
def test_what_can_be_chosen(chosen: dict[str, tuple[str, ...]]) -> None:
    keys = checked_keys(chosen)
    assert keys.keys() == declared_keys().keys()
    for id, texts in chosen.items():  # noqa: A001
        wanted = tuple(dict.fromkeys(map(key_of, texts)))
        assert keys[id] == (wanted + (("ctrl+c",) if id == "quit" else ()))


def test_what_works_at_once() -> None:
    samples = {
        "panel": "stop",
        "move": "first",
        "list": "mark",
        "page": "tab_next",
        "processes": "unfold",
        "logs": "search_next",
        "timeline": "event_group",
    }
    samples |= {"definition": "add_share", "over": "edit_file"}
    pairs = [(one, other) for one in samples for other in samples]
    apart = {f"{one} {other}" for one, other in pairs if not meet(command(samples[one]), command(samples[other]))}
    wanted = ["list page", "list processes", "list logs", "list timeline"]
    wanted += ["processes logs", "processes timeline", "logs timeline"]
    wanted += [f"definition {one}" for one in ("panel", "list", "page", "processes", "logs", "timeline")]
    assert apart == {*wanted, *[" ".join(reversed(pair.split())) for pair in wanted]}


def test_commands_and_keymaps_are_read_without_textual() -> None:
    code = "import sys, mvtui.ui.keymap as one; one.keys_with({}); print(*[m for m in sys.modules if m == 'textual'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    assert list(bindings(Place.LIST))


def test_the_table_has_every_command_once_and_no_word_twice() -> None:
    rows = list(key_rows())
    assert sorted(row.id for row in rows) == sorted(one.id for one in ALL_COMMANDS)
    groups = [row.group for row in rows]
    assert [group for group, _ in groupby(groups)] == list(dict.fromkeys(groups))
    told = {row.id: row.does for row in rows}
    assert told["make_writable"] == "make its store writable; asks"
    assert told["tab_next"] == "the tab right"
    assert told["log_wrap"] == "wrap: long lines cut, or whole"
    for row in rows:
        assert [key_of(key_text(key)) for key in row.keys] == list(row.keys)
        assert all(key_text(key).isascii() for key in row.keys)
