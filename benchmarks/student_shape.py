"""The student's shape, decided by measurement: the same steps and data for every candidate.

    python benchmarks/student_shape.py train --data PHOTOS --sets SETS --runs runs/shape
    python benchmarks/student_shape.py table --runs runs/shape

`train` trains every shape that has no result in RUNS yet (so it can be stopped and gone on with,
and several GPUs can each take a share with --part 0/2, --part 1/2) and evaluates it whole on Set5
and Set14. `table` measures each shape's exported graph in ONNX Runtime on this CPU and writes
benchmarks/results/student_shape.json and .md. SETS is a folder holding Set5/ and Set14/.
"""

import argparse
import json
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
THREADS, RUNS = 2, 30  # as in benchmarks/scan_cost.py

SHAPES = (
    "D32-G4-B2-N16-SKIP",
    "D32-G4-B2-N8-SKIP",
    "D32-G4-B2-N4-SKIP",
    "D32-G4-B2-N2-SKIP",
    "D32-G4-B2-N1-SKIP",
    "D32-G4-B2-N16",
    "D32-G4-B2-N4",
    "D32-G4-B2-N16-R16-SKIP",
    "D32-G4-B2-N16-R8-SKIP",
    "D32-G4-B2-N16-R2-SKIP",
    "D32-G4-B2-N16-H4-SKIP",
    "D32-G4-B2-N16-H16-SKIP",
    "D32-G4-B2-N16-H64-SKIP",
)


@dataclass(frozen=True)
class Trained:
    """One candidate after training.

    Attributes:
        network: name in the registry.
        steps: optimizer steps.
        batch: patches a step.
        seconds: wall time of the training.
        psnr_y_db: by set, whole images, float32.
        ssim_y: by set.
        parameters: trainable values.
        torch: version.
        gpu: name of the device.
    """

    network: str
    steps: int
    batch: int
    seconds: float
    psnr_y_db: dict[str, float]
    ssim_y: dict[str, float]
    parameters: int
    torch: str
    gpu: str


class Quiet:
    """Watches a run and prints nothing of it."""

    def decoded(self, pictures: int, of: int) -> None:
        """Print nothing."""

    def said(self, line: str) -> None:
        """Print nothing."""

    def stepped(self, done: float, row: object) -> None:
        """Print nothing."""

    def wants_stop(self) -> bool:
        """Go on to the end."""
        return False


def train_one(shape: str, args: argparse.Namespace) -> Trained:
    """Train one shape and evaluate it whole on both sets."""
    import torch

    from edgesr.evaluate.datasets import open_sets
    from edgesr.evaluate.evaluate import evaluate
    from edgesr.models.checkpoint import load_network
    from edgesr.models.network import parameter_count
    from edgesr.train.config import TrainConfig
    from edgesr.train.loop import train
    from edgesr.train.validate import upscaled

    name = f"mambalitesr:{shape}"
    out = args.runs / shape
    config = TrainConfig(
        data=args.data, out=out, model=name, steps=args.steps, batch=args.batch, cache=args.cache,
        device=args.device, resume=True, checkpoint_every=args.steps, log_every=100,
    )  # fmt: skip
    began = time.monotonic()
    result = train(config, Quiet())
    seconds = time.monotonic() - began
    device = torch.device(args.device)
    network = load_network(name, 4, result.weights).to(device)
    scores = {}
    for benchmark in open_sets([args.sets / "Set5", args.sets / "Set14"], 4):
        done = evaluate(name, "torch", lambda i: upscaled(network, i.lr, device), benchmark)
        scores[benchmark.name] = done.score
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return Trained(
        name, result.step, args.batch, round(seconds, 1),
        {key: round(value.psnr_y_db, 3) for key, value in scores.items()},
        {key: round(value.ssim_y, 4) for key, value in scores.items()},
        parameter_count(network), torch.__version__, gpu,
    )  # fmt: skip


def train_all(args: argparse.Namespace) -> None:
    """Train this part's shapes that have no result yet."""
    part, of = map(int, args.part.split("/"))
    for shape in SHAPES[part::of]:
        file = args.runs / shape / "trained.json"
        if file.exists():
            continue
        trained = train_one(shape, args)
        file.write_text(json.dumps(asdict(trained), indent=2) + "\n")
        print(f"{shape:28} {trained.psnr_y_db} {trained.seconds:.0f} s", flush=True)


def latency_ms(path: Path) -> float:
    """Return the median time of one 64x64 tile."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    tile = np.random.default_rng(0).random((1, 3, 64, 64), dtype=np.float32)
    feed = {session.get_inputs()[0].name: tile}
    times = []
    for _ in range(RUNS + 3):
        began = time.perf_counter()
        session.run(None, feed)
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times[3:])


def table(args: argparse.Namespace) -> None:
    """Time every trained shape in ONNX Runtime and write the table."""
    from edgesr.cli.export import command as export

    rows = []
    for shape in SHAPES:
        file = args.runs / shape / "trained.json"
        if not file.exists():
            continue
        trained = json.loads(file.read_text())
        onnx = args.runs / shape / "model.onnx"
        weights = next((args.runs / shape).glob("*.safetensors"))
        export(model=trained["network"], weights=weights, output=onnx)
        rows.append({**trained, "onnxruntime_cpu_ms": round(latency_ms(onnx), 1)})
    best = max(row["psnr_y_db"]["Set5"] + row["psnr_y_db"]["Set14"] for row in rows)
    lines = [
        "| network | parameters | Set5 dB | Set14 dB | mean to best dB | ONNX Runtime CPU ms |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        psnr = row["psnr_y_db"]
        row["mean_below_best_db"] = round((best - psnr["Set5"] - psnr["Set14"]) / 2, 3)
        lines.append(
            f"| {row['network']} | {row['parameters']:,} | {psnr['Set5']:.2f} | "
            f"{psnr['Set14']:.2f} | -{row['mean_below_best_db']:.3f} | "
            f"{row['onnxruntime_cpu_ms']} |"
        )
    (RESULTS / "student_shape.json").write_text(json.dumps(rows, indent=2) + "\n")
    (RESULTS / "student_shape.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("train")
    training.set_defaults(run=train_all)
    training.add_argument("--data", type=Path, required=True)
    training.add_argument("--sets", type=Path, required=True)
    training.add_argument("--cache", type=Path)
    training.add_argument("--steps", type=int, default=2500)
    training.add_argument("--batch", type=int, default=64)
    training.add_argument("--device", default="cuda")
    training.add_argument("--part", default="0/1", metavar="I/N")
    measuring = commands.add_parser("table")
    measuring.set_defaults(run=table)
    for each in (training, measuring):
        each.add_argument("--runs", type=Path, required=True)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
