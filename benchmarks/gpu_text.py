"""The blocks of TRAINING.md about the fused scan and a training step on a GPU. Pure."""

from collections import Counter
from typing import Any

from table1_text import listed, markdown

from edgesr.bench.text import significant

Json = dict[str, Any]

LEVELS = {"scan": "scan", "mixer": "+ mixer", "norm": "+ norm", "graph": "+ graph"}
LEGEND = (
    "- *scan*: the selective scan alone is fused. *mixer*: and what surrounds it between a mixer's "
    "outer projections (softplus of dt, gate, D, convolution with SiLU). *norm*: and LayerNorm. "
    "*graph*: and the whole is replayed as one CUDA graph, as `edgesr train` does.\n"
)


def scan_gpu(document: Json | None, elsewhere: list[Json]) -> str:
    """Return the times of the scan beside the peer's, and how exact it is.

    Args:
        document: results/scan_gpu.json; None: nothing was measured.
        elsewhere: the same, from other hosts of such a GPU.
    """
    command = _command("scan_gpu")
    if document is None:
        return _not_run(command)
    header = ["batch, type", "segments", "forward ms", "as a graph", "mamba-ssm", "backward ms"]
    header += ["as a graph", "mamba-ssm"]
    rows = [
        [
            f"{row['shape'][0]}, {row['dtype']}",
            str(row["segments"]),
            *(
                significant(row[f"{name}_ms"], 3)
                for way in ("forward", "backward")
                for name in (way, f"{way}_graph", f"peer_{way}")
            ),
        ]
        for row in document["times"]
    ]
    lines = [markdown(header, rows), ""]
    lines.append(
        f"- Measured on {document['device']}, torch {document['torch']}; mamba-ssm's CUDA kernel "
        f"on an H200. Made by `{command}`."
    )
    if elsewhere:
        lines.append(_launches([document, *elsewhere]))
    checks = document["checks"]
    failed = [check for check in checks if not check["ok"]]
    if checks:
        kinds = Counter(check["dtype"] for check in checks)
        worst = {
            kind: max(max(c["errors"].values()) for c in checks if c["dtype"] == kind)
            for kind in kinds
        }
        told = listed([f"{worst[kind]:.1e} in {kind} ({kinds[kind]} cases)" for kind in kinds])
        lines.append(
            f"- Largest relative error of outputs and all six gradients against the plain loop in "
            f"float64, over lengths from {min(c['shape'][1] for c in checks)} to "
            f"{max(c['shape'][1] for c in checks):,}: {told}."
        )
    lines += [f"- **Not exact enough: {check['shape']}, {check['dtype']}.**" for check in failed]
    return "\n".join(lines) + "\n"


def _launches(documents: list[Json]) -> str:
    """Say how the first case's forward pass varies with the host that launches it."""
    first = [document["times"][0] for document in documents]
    launched, graph = (
        listed([significant(row[name], 3) for row in first])
        for name in ("forward_ms", "forward_graph_ms")
    )
    return (
        f"- A launch from Python takes the time that the host's processor needs: on {len(first)} "
        f"hosts of such a GPU the first row's forward pass took {launched} ms, "
        f"as a graph {graph} ms ([results/scan_gpu_hosts/](results/scan_gpu_hosts/))."
    )


def step_gpu(document: Json | None) -> str:
    """Return the time of a training step with the fused parts added one after the other.

    Args:
        document: results/step_gpu.json; None: nothing was measured.
    """
    command = _command("step_gpu")
    if document is None:
        return _not_run(command)
    header = ["network", "batch", "fused", "step ms", "peak memory GiB"]
    rows = [
        [
            f"`{row['network']}`",
            str(row["batch"]),
            LEVELS[row["fused"]],
            significant(row["step_ms"], 3),
            # A graph holds its memory in a pool of its own, which the peak does not see.
            "-" if row["fused"] == "graph" else significant(row["peak_memory_gib"], 3),
        ]
        for row in document["steps"]
    ]
    return (
        f"{markdown(header, rows)}\n\n{LEGEND}"
        f"- Measured on {document['device']}, torch {document['torch']}. Made by `{command}`.\n"
    )


def _command(script: str) -> str:
    return f"python benchmarks/{script}.py --out benchmarks/results/{script}.json"


def _not_run(command: str) -> str:
    return f"- Not run yet. `{command}` runs it.\n"
