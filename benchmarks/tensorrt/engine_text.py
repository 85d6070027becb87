"""The result of engine_table.py in Markdown. Pure."""

from typing import Any

from benchmarks.shared.markdown import listed, markdown, score_cell
from benchmarks.table1.networks import CONTROL
from edgesr.bench.text import NONE, significant, watts, with_uncertainty

Json = dict[str, Any]


def page(found: Json) -> str:
    """Return everything about a result as Markdown, without a heading."""
    makers = sorted({engine["tensorrt"] for engine in found["engines"]})
    lines = [
        f"Measured on one {found['device']} (compute capability {found['compute_capability']}), "
        f"{listed(makers)}. All rows are engines and ran on this device.",
    ]
    for batch, run in found["runs"].items():
        tiles = "tile" if batch == "1" else "tiles"
        lines += ["", f"Batch {batch} (milliseconds are of a call of {batch} {tiles}):", ""]
        if not run["is_valid"]:
            lines += [f"**INVALID run:** {'; '.join(run['invalid_reasons'])}.", ""]
        lines += [_table(run, _engines(found, int(batch))), ""]
        if run["power_source"] is None:
            lines.append(f"- No power was measured: {run['why_no_power']}.")
        else:
            idle = significant(watts(run["idle_mw"]), 4)
            lines.append(
                f"- Power: {run['power_source']}, idle {idle} W. Energy is of a tile, net of idle."
            )
        lines += [f"- {note}." for note in run["notes"]]
    if found["remarks"]:
        lines += ["", "What else is to be known:", "", *(f"- {text}." for text in found["remarks"])]
    if found["failed"]:
        lines += ["", "Not in the table:", ""]
        lines += [f"- {name}: {reason}" for name, reason in found["failed"].items()]
    if found["photo"] is not None:
        how = found["photo"]
        told = "was upscaled" if how["failure"] is None else f"failed ({how['failure']})"
        lines += ["", f"The photograph {how['picture']} {told} by {how['engine']}."]
    lines += ["", f"Made by `{found['command']}`."]
    return "\n".join(lines) + "\n"


def _engines(found: Json, batch: int) -> dict[str, Json]:
    return {engine["name"]: engine for engine in found["engines"] if engine["batch"] == batch}


def _table(run: Json, engines: dict[str, Json]) -> str:
    sets = [item["name"] for item in run["sets"]]
    header = ["engine", *(f"{name} dB / SSIM" for name in sets)]
    header += ["verified dB", "device ms", "host to host ms", "end to end ms", "tiles/s"]
    header += ["power W", "above idle W", "energy mJ", "build s"]
    rows = []
    for row in run["networks"]:
        if row["name"] == CONTROL:  # it runs on the CPU, so this device's power is not its own
            continue
        rows.append(_row(row, run, engines[row["name"]], sets))
    return markdown(header, rows)


def _row(row: Json, run: Json, engine: Json, sets: list[str]) -> list[str]:
    cost, more = run["cost"][row["name"]], run["more"][row["name"]]
    energy = (more["net_energy_j"], more["net_energy_uncertainty_j"])
    verified = engine["verified_db"]
    return [
        row["name"],
        *(score_cell(row["quality"].get(name)) for name in sets),
        NONE if verified is None else f"{verified:.1f}",
        significant(more["device_ms"]),
        significant(cost["latency_ms"]),
        significant(more["end_to_end_ms"]),
        significant(more["images_per_s"]),
        with_uncertainty(watts(cost["power_mw"]), watts(cost["power_uncertainty_mw"])),
        with_uncertainty(watts(cost["dynamic_mw"]), watts(more["dynamic_uncertainty_mw"])),
        with_uncertainty(*(None if value is None else 1e3 * value for value in energy)),
        f"{engine['build_s']:.0f}",
    ]
