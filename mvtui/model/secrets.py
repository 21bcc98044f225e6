"""What looks like a secret in command lines, definitions, units and logs, and how it is left out. Pure.

Whoever is given a bundle must not find a password in it. So rather too much goes than too little: a value goes by the
name that stands before it, by the form that it has, and every value of an environment goes. Names and paths stay: they
are what tells which one is missing.
"""

import re
from collections.abc import Sequence

LEFT_OUT = "[left out]"

_NAME = (
    r"(?:[\w.-]*(?:passw(?:or)?d|passphrase|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|privkey"
    r"|authorization|psk|cookie)[\w-]*|(?:[\w.-]*[_.-])?pin)"
)
# These name files, or say how something is done; what follows is no secret.
_HARMLESS = re.compile(r"(?:files?|paths?|dir|directory|enable|enabled|type|name|length|age)$", re.IGNORECASE)
# A value: in quotes (an escaped one is no end), else up to what ends a word, an option or a table.
_VALUE = "|".join(
    (
        r"'''.*?(?:'''|\Z)",
        r'""".*?(?:"""|\Z)',
        r'"(?:[^"\\\n]|\\.)*"?',
        r"'[^'\n]*'?",
        r"""(?:(?:Bearer|Basic|Digest)[ \t]+)?[^\s,;&'"\]\[}{]+""",
    )
)
_NAMED = re.compile(
    rf"""(?P<name>(?<![\w.-])["']?(?:--?)?{_NAME}["']?)(?P<is>[ \t]*(?:=|:(?!//))[ \t]*)(?P<value>{_VALUE})""",
    re.IGNORECASE | re.DOTALL,
)
_OPTION = re.compile(rf"--?{_NAME}", re.IGNORECASE)
# systemd's credentials: the name stays. SMBIOS, OEM strings, fw_cfg, the kernel's command line, unit files.
_CREDENTIALS = (
    re.compile(r"(io\.systemd\.credential(?:\.binary)?:[^=,\s]{1,255}=)([^\n]*)"),
    re.compile(r"(systemd\.set_credential(?:_binary)?=[^:\s]{1,255}:)(\S*)"),
    re.compile(r"(opt/io\.systemd\.credentials/[^,\s]{1,255},string=)([^\n]*)"),
    re.compile(r"(-fw_cfg\s+(?:name=)?[^,\s]{1,255},string=)([^\n]*)"),
    re.compile(r"(?im)^(\s*SetCredential(?:Encrypted)?=[^:\n]{1,255}:)((?:[^\n]*\\\n)*[^\n]*)"),
    # QEMU: -object secret,id=…,data=…
    re.compile(r"(\bsecret(?:_keyring)?,[^\s]{0,255}?\bdata=)([^,\s]*)"),
)
_ENVIRONMENT = re.compile(r"(?im)^(\s*(?:Environment|DefaultEnvironment)=)((?:[^\n]*\\\n)*[^\n]+)")
# By their form alone, whatever stands before them.
_FORMS = (
    re.compile(r"()(-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z))", re.DOTALL),
    re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@]{0,255}:)([^\s/@]+)(?=@)", re.IGNORECASE),
    re.compile(r"(\b(?:Bearer|Basic)\s+)([A-Za-z0-9._~+/=-]{8,})"),
    re.compile(r"()\b((?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|sk-)[A-Za-z0-9_-]{12,})"),
    re.compile(r"()\b(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"),
    re.compile(r"()\b(AGE-SECRET-KEY-1[A-Z0-9]{20,})"),
    # crypt(5)
    re.compile(r"()(?<![\w$])(\$(?:1|2[abxy]|5|6|7|y|gy)\$[A-Za-z0-9./$,=]{8,})"),
)


class Redactor:
    """`count` is how many values were left out so far."""

    def __init__(self) -> None:
        self.count = 0

    def text(self, text: str) -> str:
        """`text` without the values that look like secrets."""
        for pattern in (*_CREDENTIALS, _ENVIRONMENT, *_FORMS):
            text = pattern.sub(self._second, text)
        return _NAMED.sub(self._value, text)

    def words(self, words: Sequence[str]) -> list[str]:
        """A command line without them: also the word that follows an option for one."""
        left: list[str] = []
        before = ""
        for word in words:
            is_value = bool(_OPTION.fullmatch(before)) and not _HARMLESS.search(before)
            if is_value and not word.startswith("-"):
                self.count += 1
                left.append(LEFT_OUT)
            elif before in ("-fw_cfg", "-object"):
                left.append(self.text(f"{before} {word}")[len(before) + 1 :])
            else:
                left.append(self.text(word))
            before = word
        return left

    def document(self, document: object) -> object:
        """A JSON document without them; the names of its fields stay."""
        if isinstance(document, str):
            return self.text(document)
        if isinstance(document, dict):
            return {key: self._field(key, value) for key, value in document.items()}
        if isinstance(document, list):
            if all(isinstance(one, str) for one in document):
                return self.words(document)
            return [self.document(one) for one in document]
        return document

    def _field(self, key: object, value: object) -> object:
        is_named = re.fullmatch(_NAME, str(key), re.IGNORECASE) and not _HARMLESS.search(str(key))
        if isinstance(value, str) and value and is_named:
            self.count += 1
            return LEFT_OUT
        return self.document(value)

    def _second(self, found: re.Match[str]) -> str:
        if not found[2].strip() or found[2].strip().startswith(LEFT_OUT):
            return found[0]
        self.count += 1
        return f"{found[1]}{LEFT_OUT}"

    def _value(self, found: re.Match[str]) -> str:
        name, value = found["name"].strip("\"'"), found["value"]
        plain = value.strip("\"'")
        if not plain or plain.startswith(("[left", "/", "{", "[")) or plain in ("true", "false", "null", "none"):
            return found[0]
        if _HARMLESS.search(name):
            return found[0]
        self.count += 1
        quote = value[0] if value[0] in "\"'" else ""
        return f"{found['name']}{found['is']}{quote}{LEFT_OUT}{quote}"
