"""Thousands of mutated pictures through the reader of all commands, judged by a second decoder.

Every file is a seed (all formats and depths that are read) with a few bytes changed (in half of the
files no more, with true checksums), a part cut out, doubled or cut off, or a whole number replaced.
A file counts as damaged and written as if it
were right when we read it without a note although Pillow refuses it, or decodes another size, or
pixels (alpha included) that differ by more than 8 of 255 on average, or by more than 24 in the mean
of a block of 4x4. Pillow is the judge.

    python -m benchmarks.hostile.pictures --count 5000 --command-line 200 --out summary.json
"""

import argparse
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageOps
from pillow_jxl import JpegXLImagePlugin

from benchmarks.hostile.mutated import cases, seeds
from edgesr.errors import EdgesrError
from edgesr.imaging.picture import Picture, decode

pi_heif.register_heif_opener()  # Pillow reads no HEIC of its own
JpegXLImagePlugin.DECODE_THREADS = 0  # nor JPEG XL, for which this plug-in registers itself

SLOW_S, FAR, FAR_IN_A_BLOCK = 10.0, 8.0, 24.0
_BLOCK = 4


@dataclass(frozen=True)
class Verdict:
    """What came of one file.

    Attributes:
        outcome: `refused`, `noted`, `right`, `wrong` or `traceback`.
        seconds: that reading it took.
        what: the message, or how the two decoders differ.
    """

    outcome: str
    seconds: float
    what: str = ""


def judge(data: bytes, seed: bytes | None = None) -> Verdict:
    """Read a file as every command does, and compare with what Pillow makes of it.

    A note counts only if the reader does not say it of the unchanged `seed` as well.
    """
    start = time.perf_counter()
    try:
        picture = decode(data)
    except EdgesrError as error:
        return Verdict("refused", time.perf_counter() - start, error.what)
    except Exception as error:
        return Verdict("traceback", time.perf_counter() - start, repr(error))
    seconds = time.perf_counter() - start
    whole = None if seed is None else decode(seed)
    if set(picture.notes) - set(() if whole is None else whole.notes):
        return Verdict("noted", seconds, "; ".join(picture.notes))
    if whole is not None and data != seed and _is_same(picture, whole):
        return Verdict("right", seconds)  # the change is somewhere else, in a later frame perhaps
    difference = _difference(picture, data)
    return Verdict("wrong" if difference else "right", seconds, difference)


def _is_same(one: Picture, other: Picture) -> bool:
    if (one.alpha is None) != (other.alpha is None):
        return False
    is_covered = one.alpha is None or other.alpha is None or np.array_equal(one.alpha, other.alpha)
    return np.array_equal(one.colour, other.colour) and is_covered


def _difference(picture: Picture, data: bytes) -> str:
    """Say how Pillow's picture differs from ours, empty where it does not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # The pixels of JPEG XL, not the JPEG file that may lie inside; these come upright.
            opened = Image.open(io.BytesIO(data.replace(b"jbrd", b"free")))
            opened.load()
            image = opened if opened.format == "JXL" else ImageOps.exif_transpose(opened)
        except Exception as error:
            return f"Pillow refuses: {error}"
    if image.size != (picture.width, picture.height):
        return f"Pillow: {image.size}, ours {picture.width}x{picture.height}"
    theirs = _eight_bits(image)
    white = np.full((*picture.colour.shape[:2], 1), picture.white)
    alpha = white if picture.alpha is None else picture.alpha[:, :, None]
    ours = np.concatenate([picture.colour, alpha], axis=2) * (255.0 / picture.white)
    shown = np.maximum(ours[:, :, 3:], theirs[:, :, 3:]) > 0  # what nobody sees may be anything
    far = np.abs(ours - theirs) * shown
    in_a_block = float(cv2.blur(far, (_BLOCK, _BLOCK)).max())
    if far.mean() > FAR or in_a_block > FAR_IN_A_BLOCK:
        return f"mean difference {far.mean():.1f}, of a block {in_a_block:.1f}"
    return ""


def _eight_bits(image: Image.Image) -> NDArray[np.float64]:
    """Return (height, width, 4): red, green, blue, alpha, each at most 255."""
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.float64) / 257.0
        return np.dstack([grey, grey, grey, np.full_like(grey, 255.0)])
    if image.mode == "F":
        grey = np.nan_to_num(np.asarray(image).astype(np.float64)) * 255.0
        return np.dstack([grey, grey, grey, np.full_like(grey, 255.0)])
    rgb = image.convert("RGB") if image.mode == "CMYK" else image
    return np.asarray(rgb.convert("RGBA")).astype(np.float64)


def _through_command_line(files: list[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """Upscale each file in a process of its own; return name and what is wrong.

    The time is that of the processor, since other work on the machine is nothing of the file's.
    """
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files:
            path = Path(folder) / name
            path.write_bytes(data)
            command = [sys.executable, "-m", "edgesr", "upscale", str(path), "-m", "bicubic"]
            result = path.with_name("result.png")
            before = _children_s()
            done = subprocess.run(
                [*command, "-o", str(result), "--overwrite"],
                capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            seconds = _children_s() - before
            refused = judge(data).outcome == "refused"
            if "Traceback" in done.stderr or done.returncode not in (0, 1):
                wrong.append((name, f"rc {done.returncode}: {done.stderr[-300:]}"))
            elif (done.returncode == 1) != refused or result.exists() == refused:
                wrong.append((name, f"rc {done.returncode}, the library: refused {refused}"))
            elif seconds > SLOW_S:
                wrong.append((name, f"{seconds:.1f} s"))
            result.unlink(missing_ok=True)
    return wrong


def _unlike_the_trainer(files: list[tuple[str, bytes]], verdicts: dict[str, Verdict]) -> list[str]:
    """Return the files that the trainer's reader refuses and ours reads, or the other way round."""
    from edgesr.train.images import read_rgb

    unlike = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        for name, data in files:
            path.write_bytes(data)
            try:
                read_rgb(path)
                refused = False
            except EdgesrError:
                refused = True
            if refused != (verdicts[name].outcome == "refused"):
                unlike.append(name)
    return unlike


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Run all, print and write the counts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0, help="Number of the first file.")
    parser.add_argument("--kinds", help="Endings of seeds, such as avif,heic; all unless given.")
    parser.add_argument("--command-line", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("summary.json"))
    arguments = parser.parse_args()
    known = seeds()
    if arguments.kinds is not None:
        endings = tuple(arguments.kinds.split(","))
        known = {name: data for name, data in known.items() if name.endswith(endings)}
    files = cases(arguments.count, arguments.first, known)
    verdicts = {name: judge(data, known[name.partition("_")[2]]) for name, data in files}
    unlike = _unlike_the_trainer(files, verdicts)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    every = max(1, arguments.count // max(1, arguments.command_line))
    chosen = files[::every][: arguments.command_line]
    command_line = _through_command_line(chosen)
    summary = {
        "seeds": len(known),
        "files": len(files),
        "first": arguments.first,
        "outcomes": dict(Counter(verdict.outcome for verdict in verdicts.values())),
        "over_10_s": sum(verdict.seconds > SLOW_S for verdict in verdicts.values()),
        "slowest_s": round(max(verdict.seconds for verdict in verdicts.values()), 3),
        "peak_of_the_process_mb": round(peak_mb),
        "other_verdict_of_the_trainer": unlike,
        "command_line_files": len(chosen),
        "command_line_peak_mb": round(
            resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        ),
        "command_line_mean_s": round(_children_s() / max(1, len(chosen)), 2),
        "command_line_wrong": command_line,
        "wrong": {n: v.what for n, v in verdicts.items() if v.outcome in ("wrong", "traceback")},
        "pillow": version("pillow"),
        "opencv": cv2.__version__,
    }
    arguments.out.write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps({key: value for key, value in summary.items() if key != "wrong"}, indent=2))


if __name__ == "__main__":
    main()
