"""README.md's table: what each network gives and costs, from results that are in the repository.

    python -m benchmarks.release.readme_table

PSNR is that of the shipped ONNX files (results/release/NAME_x4_eval.json.xz), milliseconds of a
CPU are those of results/table1/table1_x86.json, and a GPU's are those of the FP16 engines in
results/tensorrt/table_gpu.json. All that stands between the marks in README.md is written here,
the sentence about what is slower included.
"""

import hashlib
from pathlib import Path
from typing import Any

from benchmarks.shared.commands import parser_of
from benchmarks.shared.folders import RESULTS, ROOT
from benchmarks.shared.markdown import fill_blocks, listed, markdown
from benchmarks.shared.results import read_result
from edgesr.bench.text import NONE, significant, with_uncertainty
from edgesr.files import write_text
from edgesr.weights import shipped

Json = dict[str, Any]

README = ROOT / "README.md"
CPU = RESULTS / "table1/table1_x86.json"
GPU = RESULTS / "tensorrt/table_gpu.json"
SETS = ("Set5", "Set14", "BSD100")
STUDENT, CONTROL = "student", "bicubic"
RIVALS = ("esr-fast", "fsrcnn", "espcn", "esr")


def read(path: Path) -> Json:
    """Return a result."""
    document: Json = read_result(path)
    return document


def psnr(name: str) -> dict[str, float]:
    """Return set -> dB on Y of a network as it ships; bicubic's stand beside the student's."""
    own = STUDENT if name == CONTROL else name
    field = "bicubic_psnr_y_db" if name == CONTROL else "psnr_y_db"
    sets = read(RESULTS / f"release/{own}_x4_eval.json.xz")["sets"]
    return {found["protocol"]["dataset"]: found[field] for found in sets}


def engine_name(name: str) -> str:
    """Return the FP16 engine of a network as GPU's result names it."""
    return f"{name} fp16 plugin" if name == STUDENT else f"{name} fp16"


def block(cpu: Json, gpu: Json) -> str:
    """Return the table and the sentences below it, in Markdown.

    Args:
        cpu: a result of benchmarks.table1.
        gpu: a result of tensorrt/engine_table.py.
    """
    quality = {name: psnr(name) for name in (CONTROL, *RIVALS, STUDENT)}
    order = sorted(quality, key=lambda name: quality[name]["Set5"])
    header = ["network", "parameters", *(f"{name} dB" for name in SETS)]
    header += ["CPU ms", f"{_short(gpu)} ms", f"{_short(gpu)} mJ"]
    rows = [_row(name, quality[name], cpu, gpu) for name in order]
    lines = [markdown(header, rows), "", *_notes(cpu, gpu), "", _slower(cpu, gpu)]
    return "\n".join(lines) + "\n"


def _short(gpu: Json) -> str:
    """Return a GPU's name in one word: H100 of NVIDIA H100 80GB HBM3."""
    name: str = gpu["device"].removeprefix("NVIDIA ").split()[0]
    return name


def _row(name: str, quality: dict[str, float], cpu: Json, gpu: Json) -> list[str]:
    run = gpu["runs"]["1"]
    engine = engine_name(name)
    milliseconds, millijoules = NONE, NONE
    if engine in run["cost"]:
        more = run["more"][engine]
        milliseconds = significant(run["cost"][engine]["latency_ms"], 3)
        energy = (more["net_energy_j"], more["net_energy_uncertainty_j"])
        millijoules = with_uncertainty(
            *(None if value is None else 1e3 * value for value in energy)
        )
    parameters = next(found["parameters"] for found in cpu["networks"] if found["name"] == name)
    return [
        f"**{name}**" if name == STUDENT else name,
        f"{parameters:,}",
        *(f"{quality[each]:.2f}" for each in SETS),
        significant(cpu["cost"][name]["latency_ms"], 3),
        milliseconds,
        millijoules,
    ]


def _notes(cpu: Json, gpu: Json) -> list[str]:
    run = gpu["runs"]["1"]
    machine = f"{cpu['machine']['cpu']}, {cpu['machine']['cpu_cores']} cores"
    busy = [note for note in cpu["notes"] if note.lower().startswith("other programs")]
    earlier = sorted(
        name
        for name in (STUDENT, *RIVALS)
        for found in run["networks"]
        if found["name"] == engine_name(name) and not _ships(name, found["weights_sha256"])
    )
    lines = [
        "- dB: PSNR of luma (Y) at x4 of the shipped ONNX files, 8 bits.",
        f"- CPU: {machine}; one 64x64 tile, ONNX Runtime, FP32, median."
        + "".join(f" {note[0].upper()}{note[1:]}." for note in busy),
        f"- {_short(gpu)}: {gpu['device']}, {gpu['engines'][0]['tensorrt']}, FP16 files; one 64x64 "
        "tile from host memory to host memory, median; energy of a tile above idle.",
    ]
    if earlier:
        lines.append(
            f"- Built from earlier weights than those that ship: the engines of {listed(earlier)}."
        )
    return lines


def _ships(name: str, sha256: str) -> bool:
    weights = shipped(name, 4, "safetensors")
    return hashlib.sha256(weights.read_bytes()).hexdigest().startswith(sha256)


def _slower(cpu: Json, gpu: Json) -> str:
    ours = cpu["cost"][STUDENT]
    times = {name: ours["latency_ratio"] / cpu["cost"][name]["latency_ratio"] for name in RIVALS}
    times[CONTROL] = ours["latency_ratio"] / cpu["cost"][CONTROL]["latency_ratio"]
    by_times = sorted(times, key=lambda name: times[name])
    slower = [f"{name} ({times[name]:.0f} times)" for name in by_times if times[name] > 1]
    engines = gpu["runs"]["1"]["cost"]
    on_gpu = [
        f"{name} ({engines[engine_name(STUDENT)]['latency_ms'] / of:.1f} times)"
        for name in by_times
        if engine_name(name) in engines
        and (of := engines[engine_name(name)]["latency_ms"])
        < engines[engine_name(STUDENT)]["latency_ms"]
    ]
    return (
        f"On the CPU the student is slower than {listed(slower)}; on the {_short(gpu)} it is "
        f"slower than {listed(on_gpu)}."
    )


def render() -> str:
    """Return README.md as it has to be."""
    return fill_blocks(README.read_text(), {"cost": block(read(CPU), read(GPU))})


def main() -> None:
    """Write the table."""
    parser_of(__doc__).parse_args()
    write_text(README, render())
    print(README)


if __name__ == "__main__":
    main()
