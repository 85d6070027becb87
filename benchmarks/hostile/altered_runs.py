"""Bench folders altered at random: each is reported, or refused in one line.

    python -m benchmarks.hostile.altered_runs RUN 2000 -o altered_runs.json

Every folder is a copy of RUN with one thing changed: a value or key of run.json, a cell or row of a
table, some bytes of a file, or a file that became a link, a folder or empty. It is judged by
what Python's audit hooks see: a file opened for reading outside of the folder counts as read.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import edgesr
from edgesr.bench.report import write_report
from edgesr.errors import EdgesrError
from edgesr.files import write_json

LIMIT_S = 10.0
OUTSIDE = "/etc/passwd"
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        1,
        5,
        2**31,
        2**63,
        10**30,
        -0.5,
        1e15,
        1e308,
        "",
        "x",
        "\x1b[31m",
        "\ud800",
    ),
    *(OUTSIDE, "../" * 12 + "etc/passwd", "..", ".", "a/b", "n\nn", "<script>", "x" * 100_000),
    *([], {}, [1], {"a": 1}, [[]], [None], "idle", "measured", "load"),
)
CELLS = ("", "x", "nan", "inf", "-inf", "-1", "0", "1e308", "9" * 400, "1e-320", "\x00", '"', "1,2")
DEEP = "[" * 100_000


def alter(folder: Path, rng: random.Random) -> str:
    """Change one thing in a bench folder; return what, in words."""
    kind = rng.choice((_value, _value, _value, _key, _cell, _row, _bytes, _kind_of_file))
    return kind(folder, rng)


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every (container, key) of a JSON document."""
    keys: Any = node.keys() if isinstance(node, dict) else range(len(node))
    for key in keys:
        yield node, key
        if isinstance(node[key], dict | list):
            yield from places(node[key])


def _edit(folder: Path, change: Callable[[Any], str]) -> str:
    path = folder / "run.json"
    document = json.loads(path.read_bytes())
    done = change(document)
    path.write_text(json.dumps(document))
    return done


def _value(folder: Path, rng: random.Random) -> str:
    value = rng.choice(VALUES)

    def change(document: Any) -> str:
        node, key = rng.choice(list(places(document)))
        node[key] = value
        return f"run.json: {key} = {value!r:.40}"

    return _edit(folder, change)


def _key(folder: Path, rng: random.Random) -> str:
    def change(document: Any) -> str:
        node, key = rng.choice(list(places(document)))
        if rng.random() < 0.5:
            del node[key]
            return f"run.json: without {key}"
        if isinstance(node, list):
            node.append(node[key])
        else:
            node[rng.choice(("x", "model", "__class__"))] = node[key]
        return f"run.json: {key} twice"

    return _edit(folder, change)


def _table(folder: Path, rng: random.Random) -> tuple[Path, list[str]]:
    path = folder / rng.choice(("latencies.csv", "power.csv"))
    return path, path.read_text().split("\n")


def _cell(folder: Path, rng: random.Random) -> str:
    path, lines = _table(folder, rng)
    row = rng.choice((0, 1, rng.randrange(len(lines))))
    cells = lines[row].split(",")
    column, value = rng.randrange(len(cells)), rng.choice(CELLS)
    cells[column] = value
    lines[row] = ",".join(cells)
    path.write_text("\n".join(lines))
    return f"{path.name}: row {row}, column {column} = {value:.20}"


def _row(folder: Path, rng: random.Random) -> str:
    path, lines = _table(folder, rng)
    row = rng.randrange(len(lines))
    what = rng.choice(("without", "twice", "from", "only"))
    changed = {
        "without": lines[:row] + lines[row + 1 :],
        "twice": lines[: row + 1] + lines[row:],
        "from": lines[row:],
        "only": lines[:1],
    }
    path.write_text("\n".join(changed[what]))
    return f"{path.name}: {what} row {row}"


def _bytes(folder: Path, rng: random.Random) -> str:
    path = rng.choice(_files(folder))
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data))
    if rng.random() < 0.5:
        data[at] = rng.randrange(256)
    else:
        del data[at:]
    path.write_bytes(data)
    return f"{path.name}: changed or cut at {at}"


def _kind_of_file(folder: Path, rng: random.Random) -> str:
    path = rng.choice([*_files(folder), folder / "pictures"])
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    what = rng.choice(("gone", "empty", "folder", "link", "loop", "pipe", "deep", "dead link"))
    if what == "empty":
        path.touch()
    elif what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "deep":
        path.write_text(DEEP)
    elif what != "gone":
        path.symlink_to({"link": OUTSIDE, "loop": path.name, "dead link": "nowhere"}[what])
    return f"{path.name}: {what}"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


_PYTHON = tuple(
    os.path.realpath(path)
    for path in (sys.base_prefix, str(Path(edgesr.__file__).parent), *sys.path[1:])
)
"""Where modules come from."""
_watched: list[tuple[Path, list[str]]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _watched or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    folder, seen = _watched[-1]
    path = Path(os.path.realpath(os.fsdecode(arguments[0])))
    if not any(path.is_relative_to(one) for one in (str(folder), *_PYTHON)):
        seen.append(str(path))


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    """Yield a list of the files outside of `folder`, and of Python, that the block opens."""
    if not getattr(sys, "_edgesr_hook", False):
        sys.addaudithook(_hook)  # it cannot be removed, so it is added once
        sys._edgesr_hook = True  # type: ignore[attr-defined]
    seen: list[str] = []
    _watched.append((folder.resolve(), seen))
    try:
        yield seen
    finally:
        _watched.pop()


def judge(run: Path, seed: int) -> tuple[str, str]:
    """Alter a copy of a run and report it.

    Returns:
        (verdict, what was altered); the verdict is `reported`, `refused`, or what was wrong.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        shutil.copytree(run, folder)
        for derived in ("result.json", "power.svg", "latency.svg", "report.html"):
            (folder / derived).unlink(missing_ok=True)
        what = alter(folder, random.Random(seed))
        started = time.monotonic()
        with watched(Path(name)) as outside:
            try:
                write_report(folder, Path(name) / "report")
                verdict = "reported"
            except EdgesrError as error:
                lines = str(error).splitlines()
                one_line = len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  try: "))
                verdict = "refused" if one_line else f"more than a line: {error}"
            except Exception as error:
                verdict = f"traceback: {type(error).__name__}: {error}"
        if time.monotonic() - started > LIMIT_S:
            verdict = f"over {LIMIT_S} s"
        return (f"read {outside[0]}" if outside else verdict), what


def main() -> None:
    """Judge many altered runs and write a summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    judged = [judge(args.run, seed) for seed in range(args.count)]
    wrong = [
        {"seed": seed, "altered": what, "verdict": verdict}
        for seed, (verdict, what) in enumerate(judged)
        if verdict not in ("reported", "refused")
    ]
    counts = Counter(verdict for verdict, _ in judged if verdict in ("reported", "refused"))
    write_json(args.output, {"folders": args.count, **counts, "wrong": len(wrong), "cases": wrong})
    print(f"{args.count} folders: {dict(counts)}, {len(wrong)} wrong")


if __name__ == "__main__":
    main()
