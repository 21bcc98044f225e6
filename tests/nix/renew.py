"""Records anew what the modules of microvm.nix say of definition files: `python -m tests.nix.renew --help`.

The modules are read where they are, and stay there: only verdicts are kept, in tests/model/verdicts.jsonl, which
tests/model/test_verdicts.py replays without Nix, and runners, in tests/host/runners_recorded.jsonl, which
tests/host/test_recorded_runners.py reads back.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.nix import runners
from tests.nix.by_actions import by_actions
from tests.nix.documents import as_text, by_hand, texts
from tests.nix.judge import Judge, Judged
from tests.nix.mixed import mixed
from tests.nix.subjects import places

RECORD = Path(__file__).parent.parent / "model" / "verdicts.jsonl"
MIXED = 250


def main(argv: Sequence[str]) -> int:
    """Judge all documents and write RECORD; 1 where a message of Nix is about nothing that is known."""
    parser = argparse.ArgumentParser(prog="python -m tests.nix.renew", description="Record what microvm.nix accepts.")
    parser.add_argument("microvm", type=Path, help="a git checkout of microvm-nix/microvm.nix")
    parser.add_argument("nixpkgs_lib", type=Path, help="a git checkout of nix-community/nixpkgs.lib")
    parser.add_argument("--nix-instantiate", default="nix-instantiate", metavar="PROGRAM")
    args = parser.parse_args(argv)
    judge = Judge(args.nix_instantiate, args.nixpkgs_lib.resolve() / "lib", args.microvm.resolve())
    with tempfile.TemporaryDirectory() as directory:
        made = list(by_actions(Path(directory)))
    documents = list(dict.fromkeys([*texts(), *map(as_text, by_hand()), *map(as_text, mixed(MIXED)), *made]))
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(os.cpu_count()) as pool:
        paths = [Path(directory, f"{number}.toml") for number in range(len(documents))]
        for path, text in zip(paths, documents, strict=True):
            path.write_bytes(text.encode())
        verdicts = list(zip(documents, pool.map(judge.judge, paths), strict=True))
    unknown = [(text, judged.refused) for text, judged in verdicts if not _known(text, judged)]
    for text, messages in unknown:
        print(f"about what is this?\n{text}\n{messages}\n", file=sys.stderr)
    versions = {"microvm.nix": _commit(args.microvm), "nixpkgs.lib": _commit(args.nixpkgs_lib)}
    lines = [versions, *({"document": text, **_record(text, judged)} for text, judged in verdicts)]
    RECORD.write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines))
    _record_runners(judge, versions)
    refused = sum(bool(judged.refused) for _, judged in verdicts)
    print(f"{len(verdicts)} documents: {len(verdicts) - refused} accepted, {refused} refused, {len(unknown)} unknown")
    return 1 if unknown else 0


def _record(text: str, judged: Judged) -> dict[str, object]:
    """`refused` has, for each message, the places that it may be about."""
    return {"refused": [{"message": message, "places": places(message, _parsed(text))} for message in judged.refused]}


def _record_runners(judge: Judge, versions: dict[str, str]) -> None:
    """Write runners.RECORD."""
    lines: list[object] = [versions]
    with tempfile.TemporaryDirectory() as directory:
        for number, document in enumerate(runners.documents()):
            path = Path(directory, f"{number}.toml")
            path.write_text(as_text(document))
            runner, mounts = judge.build(path)
            lines.append({"document": as_text(document), "runner": runner, "mounts": mounts})
    runners.RECORD.write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines))


def _known(text: str, judged: Judged) -> bool:
    return all(places(message, _parsed(text)) for message in judged.refused)


def _parsed(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError:
        return {}


def _commit(checkout: Path) -> str:
    argv = ["git", "-C", str(checkout), "log", "-1", "--format=%H %as"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
