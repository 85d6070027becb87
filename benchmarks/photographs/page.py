"""The table of README.md, made from the raw results alone."""

from collections.abc import Iterable, Sequence
from lzma import LZMAError
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.photographs.degraded import CASES
from benchmarks.photographs.measuring import SCHEMA
from benchmarks.shared.folders import BENCHMARKS, RESULTS
from benchmarks.shared.markdown import fill_blocks
from benchmarks.shared.results import read_result
from edgesr.errors import DataError
from edgesr.files import write_text

Json = dict[str, Any]
PAGE = BENCHMARKS / "photographs/README.md"
PLACE = RESULTS / "photographs"
ORDER = ("bicubic", "student", "photo")
JUDGED = ("Set14", "BSD100")  # whose mean the gains are given for
GAINS = tuple(case for case in CASES if case.startswith("JPEG"))
MISSING = "-"


def read_results(folder: Path) -> list[Json]:
    """Return the results in `folder`, in the order of the tables: large scales first.

    Raises:
        DataError: there is none, or a file is no result.
    """
    found = []
    for path in sorted(folder.glob("*.json.xz")):
        try:
            document = read_result(path)
        except (ValueError, LZMAError) as error:
            raise DataError("is no JSON of xz", where=path) from error
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise DataError(f"is no {SCHEMA}", where=path, fix="measure it again")
        found.append(document)
    if not found:
        raise DataError(
            "holds no result", where=folder, fix="python -m benchmarks.photographs measure ..."
        )
    known = {label: place for place, label in enumerate(ORDER)}
    return sorted(
        found,
        key=lambda found: (-found["scale"], known.get(found["label"], len(ORDER)), found["label"]),
    )


def mean(result: Json, sets: Sequence[str], case: str, figure: str) -> float | None:
    """Return the mean of the sets' means of a figure; None where one was not measured."""
    values = [
        fmean(row[figure] for row in result["sets"][name][case])
        for name in sets
        if case in result["sets"].get(name, {})
    ]
    return fmean(values) if len(values) == len(sets) else None


def page(results: Sequence[Json]) -> str:
    """Return a section for each scale, and what each result was measured with."""
    scales = dict.fromkeys(result["scale"] for result in results)
    lines = []
    for scale in scales:
        lines += [f"## x{scale}", "", *_section([r for r in results if r["scale"] == scale])]
    lines += ["## How", "", *(_note(result) for result in results)]
    return "\n".join(lines) + "\n"


def _section(results: Sequence[Json]) -> list[str]:
    """Return the sentence of the gains and one table for each set of sets."""
    lines = [_gains(results), ""]
    names = list(dict.fromkeys(name for result in results for name in result["sets"]))
    tables = [JUDGED, *([name] for name in names)]
    for sets in tables:
        if all(name in names for name in sets):
            title = "Mean of " + " and ".join(sets) if len(sets) > 1 else sets[0]
            lines += [f"### {title}", "", *_table(results, sets), ""]
    return lines


def _gains(results: Sequence[Json]) -> str:
    """Return in words how far each model is above bicubic, where both were measured."""
    control = next((result for result in results if result["label"] == "bicubic"), None)
    said = []
    for result in results:
        if control is None or result is control:
            continue
        parts = []
        for case in GAINS:
            own, theirs = (mean(r, JUDGED, case, "psnr_y_db") for r in (result, control))
            if own is not None and theirs is not None:
                parts.append(f"{own - theirs:+.2f} dB at {case}")
        if parts:
            said.append(f"`{result['label']}` over bicubic: {', '.join(parts)}.")
    where = f"Mean of {' and '.join(JUDGED)}. " if said else ""
    return where + " ".join(said) if said else "Nothing was measured beside bicubic."


def _table(results: Sequence[Json], sets: Sequence[str]) -> list[str]:
    labels = [result["label"] for result in results]
    heads = ["LR", *(f"{label} {figure}" for figure in ("dB", "SSIM", "PIQE") for label in labels)]
    rows = [_row(heads), _row(["---", *["---:"] * (len(heads) - 1)])]
    for case in CASES:
        cells = [
            _cell(mean(result, sets, case, figure), digits)
            for figure, digits in (("psnr_y_db", 2), ("ssim_y", 3), ("piqe", 1))
            for result in results
        ]
        rows.append(_row([case, *cells]))
    return rows


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"


def _note(result: Json) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    weights = result["weights_sha256"]
    told = "" if weights is None else f", weights {weights[:12]}"
    how = f"`{result['model']}` x{result['scale']}, {result['run']}{told}"
    return f"- `{result['label']}`: {how}; {versions}."


def render(results: Path = PLACE, target: Path = PAGE) -> str:
    """Fill the README's block from the results; return the block.

    Raises:
        DataError: no result, or a damaged one.
    """
    block = page(read_results(results))
    write_text(target, fill_blocks(target.read_text(), {"photographs": block}))
    return block
