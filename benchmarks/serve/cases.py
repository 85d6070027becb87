"""What the load test sends, and what is right: `edgesr upscale` has made every result before."""

import importlib
import io
import json
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pi_heif import register_heif_opener
from PIL import Image, ImageOps

from benchmarks.shared.folders import ROOT

DATA = ROOT / "tests/data"
FORMS = ("png", "webp", "jpg", "tiff")
LARGE = "city_512.jpg"
LARGE_SHARE = 0.03
SPOILED = ("broken", "too long", "too long, unsaid", "cut")
"""Damaged files; bodies beyond the limit by their header, or in chunks; bodies that end early."""


@dataclass(frozen=True)
class Case:
    """A request.

    Attributes:
        kind: `whole`, or one of `SPOILED`.
        name: of the picture.
        form: what the result is to be.
        body: what is sent; of a cut body, what arrives of it.
        length: that the header states; None: sent in chunks.
        status: of the right answer; None: there is none.
        expected: body of the right answer, None where it is a JSON object.
    """

    kind: str
    name: str
    form: str
    body: bytes
    length: int | None
    status: int | None
    expected: bytes | None


def whole_cases(folder: Path, model: str) -> list[Case]:
    """Enlarge every picture of the tests into every format by `edgesr upscale`.

    Pictures that it refuses are left out. Pillow opens every result and compares its size.

    Args:
        folder: an empty one, for inputs and results.
        model: name of the network.
    """
    pictures = [DATA / "photo.png", DATA / LARGE, *sorted((DATA / "pictures").iterdir())]
    inputs = folder / "in"
    inputs.mkdir()
    for path in pictures:  # two of them have one stem, and their results would have one name
        shutil.copy(path, inputs / f"{path.stem}_{path.suffix[1:]}{path.suffix}")
    cases = []
    for form in FORMS:
        command = [sys.executable, "-m", "edgesr", "upscale", str(inputs), "-m", model]
        options = ["-f", form, "-o", str(folder / form), "--json"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        for file in map(json.loads, done.stdout.splitlines()):
            if file["status"] != "done":
                continue
            source, result = Path(file["input"]), Path(file["output"]).read_bytes()
            check_by_pillow(source, result)
            body = source.read_bytes()
            cases.append(Case("whole", source.name, form, body, len(body), 200, result))
    return cases


def check_by_pillow(source: Path, result: bytes) -> None:
    """Check that another library reads a result and finds it four times as large."""
    register_heif_opener()  # for Pillow, which has no decoder of its own for HEIC
    importlib.import_module("pillow_jxl")  # nor one for JPEG XL, of which this tells it
    with Image.open(source) as before, Image.open(io.BytesIO(result)) as after:
        after.load()
        width, height = ImageOps.exif_transpose(before).size
        assert after.size == (4 * width, 4 * height), source


def plan(
    cases: list[Case], count: int, spoiled_share: float, max_body: int, seed: int
) -> list[Case]:
    """Return requests in a random order.

    Args:
        cases: from `whole_cases`.
        count: requests.
        spoiled_share: of them that are broken, too long or cut, each kind as often as any other.
        max_body: longest body that the server takes, in bytes.
        seed: of the order and the damage.
    """
    chance = random.Random(seed)
    large = [case for case in cases if case.name.startswith(Path(LARGE).stem)]
    small = [case for case in cases if case not in large]
    spoiled = round(count * spoiled_share)
    chosen = [
        chance.choice(large if chance.random() < LARGE_SHARE else small)
        for _ in range(count - spoiled)
    ]
    for number in range(spoiled):
        kind = SPOILED[number % len(SPOILED)]
        chosen.append(spoil(kind, chance.choice(small), max_body, chance))
    chance.shuffle(chosen)
    return chosen


def spoil(kind: str, case: Case, max_body: int, chance: random.Random) -> Case:
    """Return a request that must not get a picture."""
    cut = case.body[: chance.randrange(len(case.body) // 4, 3 * len(case.body) // 4)]
    if kind == "broken":
        return Case(kind, case.name, case.form, cut, len(cut), 422, None)
    if kind == "cut":
        return Case(kind, case.name, case.form, cut, len(case.body), None, None)
    body = case.body + bytes(max_body)
    length = len(body) if kind == "too long" else None
    return Case(kind, case.name, case.form, body, length, 413, None)
