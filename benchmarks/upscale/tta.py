"""What `--tta` (geometric self-ensemble) gains in dB and costs in time.

    python -m benchmarks.upscale.tta DATA/Set5 DATA/Set14

Every picture is enlarged without and with it, one after the other, by each network; PSNR of Y as in
the literature. Writes benchmarks/results/upscale/tta.json.
"""

import argparse
import os
import platform
import time
from pathlib import Path
from statistics import fmean

from benchmarks.shared.folders import RESULTS
from edgesr.evaluate.datasets import open_sets
from edgesr.evaluate.metrics import psnr_y
from edgesr.files import write_json
from edgesr.runtime.photograph import upscale_picture
from edgesr.runtime.select import open_session
from edgesr.runtime.self_ensemble import SelfEnsemble

OUTPUT = RESULTS / "upscale/tta.json"
SCALE = 4


def main() -> None:
    """Measure, print the rows and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--models", nargs="+", default=["student", "esr"])
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    rows = []
    for model in options.models:
        plain = open_session(model, scale=SCALE)
        ways = {"plain": plain, "tta": SelfEnsemble(plain)}
        for benchmark in open_sets(options.sets, SCALE):
            scores: dict[str, list[float]] = {name: [] for name in ways}
            spent_s = dict.fromkeys(ways, 0.0)
            for pair in benchmark.pairs:
                images = pair.load()
                for name, session in ways.items():
                    start = time.perf_counter()
                    made = upscale_picture(session, images.lr).picture
                    spent_s[name] += time.perf_counter() - start
                    scores[name].append(psnr_y(made.colour, images.hr.colour, SCALE))
            rows.append(
                {
                    "model": model,
                    "set": benchmark.name,
                    "psnr_y_db": round(fmean(scores["plain"]), 3),
                    "tta_psnr_y_db": round(fmean(scores["tta"]), 3),
                    "gain_db": round(fmean(scores["tta"]) - fmean(scores["plain"]), 3),
                    "pictures_gaining": sum(
                        tta > plain_
                        for tta, plain_ in zip(scores["tta"], scores["plain"], strict=True)
                    ),
                    "pictures": len(scores["plain"]),
                    "time_ratio": round(spent_s["tta"] / spent_s["plain"], 2),
                }
            )
            print(rows[-1], flush=True)
    report = {
        "protocol": f"x{SCALE}, PSNR of Y, border {SCALE}, tiles of the network",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "rows": rows,
    }
    write_json(options.output, report)


if __name__ == "__main__":
    main()
