"""Ten seconds of 1080p through `edgesr upscale`: frames, time stamps and audio against the source.

    python -m benchmarks.video.clip_1080p -o benchmarks/results/video/1080p.json

ffprobe judges: the same number of frames at the same times, every audio packet the same bytes at
the same time. A fast network by default; what is shown holds for any.
"""

import argparse
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.video.judge import clip, differences, see
from edgesr.files import write_json


def main() -> None:
    """Run it, write the result, exit with 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-m", "--model", default="bicubic")
    parser.add_argument("-s", "--scale", type=int, default=2)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--tile", type=int, help="side in pixels; default: the network's own")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = clip(
            Path(folder) / "clip.mp4",
            options.seconds,
            "1920x1080",
            *("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-c:a", "aac"),
        )
        result = Path(folder) / "result.mp4"
        command = [sys.executable, "-m", "edgesr", "upscale", source, "-o", result]
        command += ["-m", options.model, "-s", options.scale, "--backend", options.backend]
        command += [] if options.tile is None else ["--tile", options.tile]
        begin = time.perf_counter()
        subprocess.run([str(part) for part in command], check=True)
        wall_s = time.perf_counter() - begin
        peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        before, after = see(source), see(result)
        found = differences(before, after, options.scale)
        write_json(
            options.output,
            {
                "model": Path(options.model).name,
                "scale": options.scale,
                "backend": options.backend,
                "tile": options.tile,
                "source_size": before.size,
                "result_size": after.size,
                "source_frames": len(before.frame_times),
                "result_frames": len(after.frame_times),
                "source_copied_packets": len(before.copied),
                "result_copied_packets": len(after.copied),
                "differences": found,
                "wall_s": round(wall_s, 1),
                "peak_mb": round(peak_kb / 1000),
                "left_in_folder": sorted(path.name for path in Path(folder).iterdir()),
                "machine": platform.machine(),
            },
        )
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
