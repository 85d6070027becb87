"""What was measured of `edgesr upscale` stays within its bounds, and the documents quote it."""

import re
from pathlib import Path
from typing import Any

from benchmarks.shared.results import read_result
from edgesr.files import sha256
from edgesr.weights import shipped

ROOT = Path(__file__).parents[2]
UPSCALE, VIDEO = ROOT / "docs/upscale.md", ROOT / "docs/video.md"


def measured(name: str) -> Any:
    (path,) = (ROOT / "benchmarks/results").glob(f"{name}.json*")
    return read_result(path)


def text(page: Path) -> str:
    return re.sub(r"\s+", " ", page.read_text())


def test_memory() -> None:
    found = measured("tiles/memory")
    rows = found["rows"]
    sizes = {(tuple(row["input"]), row["format"]) for row in rows}
    photo, square = (4000, 3000), (4096, 4096)
    assert sizes >= {(photo, "png"), (photo, "tiff"), (photo, "jpg")}
    assert sizes >= {(square, "png"), (square, "tiff")}
    assert all(row["over_input_and_output_mb"] <= 400 for row in rows)
    for side in (photo, square):
        peak = max(row["peak_mb"] for row in rows if tuple(row["input"]) == side)
        assert f"{peak:.0f} MB" in text(UPSCALE)


def test_folder_kills() -> None:
    kills = measured("upscale/folder_kills")["kills"]
    assert len(kills) == 20
    assert [kill["wrong"] for kill in kills] == [""] * 20
    assert all(kill["was_running"] for kill in kills)
    left = sum(kill["temporary_files"] for kill in kills)
    assert left > 0
    assert f"at random moments of a run of a folder {left} temporary files" in text(UPSCALE)


def test_seams() -> None:
    found = measured("upscale/seams")
    assert found["weights_sha256"] == sha256(shipped("photo", 4, "safetensors"))  # else run it anew
    rows = found["rows"]
    ratios = [row["seam_ratio"] for row in rows]
    assert len({row["photo"] for row in rows}) == len(rows) == 20
    assert all(abs(ratio - 1) <= 0.02 for ratio in ratios)
    assert {row["tiles"] for row in rows} == {54}
    assert f"from {min(ratios):.3f} to {max(ratios):.3f}" in text(UPSCALE)


def test_a_clip_of_1080p() -> None:
    found = measured("video/1080p")
    assert found["source_size"] == [1920, 1080]
    assert found["source_frames"] == found["result_frames"] == 250
    assert found["source_copied_packets"] == found["result_copied_packets"]
    assert found["differences"] == []
    told = "all 250 frames at the same times, all {} packets of audio the same bytes, {} MB"
    assert told.format(found["source_copied_packets"], found["peak_mb"]) in text(VIDEO)
