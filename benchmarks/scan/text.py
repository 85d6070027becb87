"""The blocks of TRAINING.md about the fused scan and a training step on a GPU. Pure."""

from collections import Counter
from typing import Any

from benchmarks.shared.markdown import listed, markdown
from benchmarks.training.recipe import recipe
from benchmarks.training.results import Finished
from edgesr.bench.text import significant

Json = dict[str, Any]

WAYS = {"": "alone", "_in_a_row": "in a row", "_graph": "as a graph"}
LEVELS = {"scan": "scan", "mixer": "+ mixer", "norm": "+ norm", "graph": "+ graph"}
_OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW"}
LEGEND = (
    "- *scan*: the selective scan alone is fused. *mixer*: and what surrounds it between a mixer's "
    "outer projections (softplus of dt, gate, D, convolution with SiLU). *norm*: and LayerNorm. "
    "*graph*: and the whole is replayed as one CUDA graph, as `edgesr train` does.\n"
)


def scan_gpu(documents: list[Json], peers: list[Json]) -> str:
    """Return the times of the scan beside the peer's, and how exact it is.

    Args:
        documents: results/scan/gpu.json, and the same from other hosts of such a GPU.
        peers: results/scan/peer.json, of the first one's host, and the same from other hosts.
    """
    command = _command("gpu")
    if not documents:
        return _not_run(command)
    document = documents[0]
    theirs = {(row["batch"], row["dtype"]): row for row in peers[0]["times"]} if peers else {}
    header = ["batch, type", "segments", "pass", *WAYS.values()]
    header += [f"mamba-ssm {way}" for way in WAYS.values()] if peers else []
    rows = []
    for ours in document["times"]:
        case = ours["shape"][0], ours["dtype"]
        for name in ("forward", "backward"):
            times = [_ms(ours, name, way) for way in WAYS]
            times += [_ms(theirs[case], name, way) for way in WAYS] if peers else []
            rows.append([f"{case[0]}, {case[1]}", str(ours["segments"]), name, *times])
    lines = [markdown(header, rows), "", f"- Measured on {document['device']}, torch "
             f"{document['torch']}. Made by `{command}`."]  # fmt: skip
    if peers:
        lines.append(
            f"- mamba-ssm's kernels on the same host: `{_command('peer', 'SELECTIVE_SCAN')}`."
        )
    if len(documents) > 1:
        lines.append(_launches(documents, peers))
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


def _ms(row: Json, name: str, way: str) -> str:
    return significant(row[f"{name}{way}_ms"], 3)


def _launches(documents: list[Json], peers: list[Json]) -> str:
    """Say how the first case's forward pass varies with the host that launches it."""

    def times(of: list[Json], way: str) -> str:
        return listed([_ms(document["times"][0], "forward", way) for document in of])

    def both(of: list[Json]) -> str:
        return f"{times(of, '')} ms, as a graph {times(of, '_graph')} ms"

    theirs = f"; mamba-ssm took {both(peers)} on {len(peers)} of them" if peers else ""
    return (
        "- Alone, a short scan takes the time that the host's processor needs to launch it: on "
        f"{len(documents)} hosts of such a GPU the first row took {both(documents)}{theirs} "
        "([results/scan/gpu_hosts/](results/scan/gpu_hosts/), "
        "[results/scan/peer_hosts/](results/scan/peer_hosts/))."
    )


def step_gpu(document: Json | None) -> str:
    """Return the time of a training step with the fused parts added one after the other.

    Args:
        document: results/scan/step.json; None: nothing was measured.
    """
    command = _command("step")
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
        f"- The optimizer is {_OPTIMIZERS[document.get('optimizer', 'adam')]}. Measured on "
        f"{document['device']}, torch {document['torch']}. Made by `{command}`.\n"
    )


def step_models(document: Json | None) -> str:
    """Return the recorded training steps of networks that were timed in turns.

    Args:
        document: results/scan/step_models.json; None: nothing was measured.
    """
    if document is None:
        names = [f"mambalitesr:D32-G4-B2-N1-SKIP{added}" for added in ("", "-TURN-C3")]
        return _not_run(_command("step", *_asked(names, 128), out="step_models"))
    rows, first = document["steps"], document["steps"][0]
    table = [
        [
            f"`{row['network']}`",
            str(row["batch"]),
            significant(row["step_ms"], 3),
            significant(row["least_ms"], 3),
            f"{100 * (row['step_ms'] / first['step_ms'] - 1):+.1f} %",
        ]
        for row in rows
    ]
    header = ["network", "batch", "step ms (median)", "step ms (least)", "over the first"]
    names = [row["network"] for row in rows]
    command = _command("step", *_asked(names, first["batch"]), out="step_models")
    return (
        f"{markdown(header, table)}\n\n"
        f"- {first['rounds']} rounds over all networks, steps replayed as CUDA graphs. The "
        f"optimizer is {_OPTIMIZERS[document['optimizer']]}. Measured on {document['device']}, "
        f"torch {document['torch']}. Made by `{command}`.\n"
    )


def _asked(names: list[str], batch: int) -> list[str]:
    return [*(f"--model {name}" for name in names), f"--batch {batch}"]


def several_gpus(runs: list[Finished], folder: str) -> str:
    """Return the throughput of `edgesr train` on one and several GPUs, and where their losses end.

    Args:
        runs: those of the same steps in a row.
        folder: of their logs, below results/.
    """
    if not runs:
        return "- Not run yet.\n"
    rows, most = [], max(run.invocations[-1]["processes"] for run in runs)
    for run in runs:
        batch, step_ms = run.config["batch"], run.step_ms
        assert step_ms is not None  # every run has more than one row
        rows.append(
            [
                str(run.invocations[-1]["processes"]),
                run.precision,
                str(batch),
                f"{1e3 * batch / step_ms:,.0f}",
                f"{run.rows[-1]['step']:,.0f}",
                f"{run.rows[-1]['loss']:.6f}",
            ]
        )
    header = ["GPUs", "precision", "patches in a step", "patches/s", "steps", "loss at the end"]
    return (
        f"{markdown(header, rows)}\n\n"
        f"- The first row is `{recipe(runs[0].config)}`; the others differ in batch, precision and "
        f"steps, and with {most} GPUs of one host begin with `torchrun --nproc-per-node {most} -m "
        "edgesr`. "
        f"Measured on {runs[0].invocations[-1]['versions']['gpu']}; logs: "
        f"[results/{folder}/](results/{folder}/).\n"
    )


def _command(script: str, *arguments: str, out: str | None = None) -> str:
    words = [f"python -m benchmarks.scan.{script}", *arguments]
    return " ".join([*words, f"--out benchmarks/results/scan/{out or script}.json"])


def _not_run(command: str) -> str:
    return f"- Not run yet. `{command}` runs it.\n"
