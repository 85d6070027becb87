"""Which engines the table compares, the ONNX file of each, and building them side by side."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.table1.networks import RIVALS, SCALE, STUDENT, TILE

BATCHES = (1, 32)
"""One tile, and enough tiles to keep a large GPU busy while its power is read."""


@dataclass(frozen=True)
class Variant:
    """An engine of the table.

    Attributes:
        network: in the registry.
        precision: `fp32` or `fp16`.
        batch: tiles in a call.
        plugin: whether its scans are a plugin; None: it has no scans.
    """

    network: str
    precision: str
    batch: int
    plugin: bool | None = None

    @property
    def name(self) -> str:
        """Its row: `espcn fp16`, `student fp16 plugin`."""
        form = {None: "", True: " plugin", False: " compact"}[self.plugin]
        return f"{self.network} {self.precision}{form}"

    def onnx(self, work: Path) -> Path:
        """Return its ONNX file, which both forms of the student share."""
        return work / f"{self.network}_x{SCALE}_{self.precision}_b{self.batch}.onnx"

    def engine(self, work: Path) -> Path:
        """Return its engine."""
        return work / f"{self.name.replace(' ', '_')}_b{self.batch}.engine"

    def build_arguments(self, work: Path) -> list[str]:
        """Return the arguments of `edgesr build-engine`."""
        form = {None: [], True: ["--plugin"], False: ["--no-plugin"]}[self.plugin]
        engine = ["-o", str(self.engine(work)), "--json"]
        return ["build-engine", "-m", str(self.onnx(work)), "--board", "gpu", *form, *engine]


def variants(networks: Sequence[str], batches: Sequence[int]) -> list[Variant]:
    """Return the engines of the networks, by batch; the compact form for one tile only."""
    found = []
    for batch in batches:
        for network in networks:
            # Without the plugin a batch is only more of the same kernels, built for minutes.
            scans = (True, False) if batch == 1 else (True,)
            forms: tuple[bool | None, ...] = scans if network == STUDENT else (None,)
            found += [Variant(network, p, batch, f) for p in ("fp32", "fp16") for f in forms]
    return found


NETWORKS = (STUDENT, *RIVALS)


def export_missing(wanted: Sequence[Variant], work: Path, say: Callable[[str], None]) -> None:
    """Export the ONNX files that are not in `work`; needs torch unless all are there.

    Raises:
        EdgesrError: a network cannot be exported.
    """
    for variant in wanted:
        target = variant.onnx(work)
        if target.is_file():
            continue
        from edgesr.export.exporter import ExportRequest, export

        say(f"export {target.name}")
        export(
            ExportRequest(
                network=variant.network,
                precision=variant.precision,
                tile=TILE,
                batch=variant.batch,
                scale=SCALE,
                output=target,
            )
        )


def build_all(
    wanted: Sequence[Variant], work: Path, jobs: int, say: Callable[[str], None]
) -> dict[Variant, str]:
    """Build and verify what is not there yet, `jobs` processes at a time.

    Verifying writes its result into the engine's manifest. Output of every process is kept beside
    the engine, as NAME.build.txt and NAME.verify.txt.

    Returns:
        Why an engine is missing, for each that could not be built or was refused, without the
        name of the folder.
    """

    def make(variant: Variant) -> str | None:
        engine = variant.engine(work)
        if not engine.is_file():
            began = time.monotonic()
            failure = edgesr(variant.build_arguments(work), engine.with_suffix(".build.txt"))
            if failure is not None:
                return failure
            say(f"built {engine.name} in {time.monotonic() - began:.0f} s")
        verify = ["verify", "-m", str(engine), "--against", str(variant.onnx(work))]
        return edgesr(verify, engine.with_suffix(".verify.txt"))

    failed = {}
    with ThreadPoolExecutor(jobs) as pool:
        for variant, failure in zip(wanted, pool.map(make, wanted), strict=True):
            if failure is not None:
                say(f"{variant.name}, batch {variant.batch}: {failure}")
                failed[variant] = failure.replace(f"{work}/", "")
    return failed


def edgesr(arguments: Sequence[str], log: Path) -> str | None:
    """Run a command of edgesr in a process of its own; return its last line if it failed."""
    done = subprocess.run(
        [sys.executable, "-m", "edgesr", *arguments], capture_output=True, text=True, check=False
    )
    log.write_text(done.stdout + done.stderr)
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("error")), (lines or ["failed"])[-1])
