"""What `edgesr upscale` tells of its files: a line for people, or a line of JSON, for each."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edgesr.cli._console import say
from edgesr.cli._jobs import JobList, UpscaleJob
from edgesr.errors import EdgesrError
from edgesr.library.upscaled import Upscaled
from edgesr.video.result import MovingResult


@dataclass
class Report:
    """Tells of each file as soon as its end is known, and keeps count.

    Attributes:
        as_json: a line of JSON a file, nothing else, on the same stream.
        to_error: standard error, because standard output takes a picture.
        done: files that were enlarged.
        failed: files that could not be.
        stopped: files that were not done when the run was ended.
        unnamed: folder of files that stand for pipes; it is not shown.
        renamed: option by argument of the library, where its name is another one.
    """

    as_json: bool
    to_error: bool = False
    done: int = 0
    failed: int = 0
    stopped: list[Path] = field(default_factory=list)
    unnamed: Path | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)

    def planned(self, plan: JobList) -> None:
        """Tell what is not done, before the work begins."""
        for entry in plan.refused:
            self._failure(entry.input, entry.error)
        for job in plan.skipped:
            self._line(status="skipped", input=str(job.input), output=str(job.output))
        for path in plan.own:
            self._line(status="own", input=str(path))
        if self.as_json:
            return
        if plan.skipped:
            self._say(f"{len(plan.skipped)} skipped, whose results are there")
        if plan.own:
            self._say(f"{len(plan.own)} left out, which edgesr wrote; --again takes them too")

    def outcome(
        self, job: UpscaleJob, outcome: Upscaled | MovingResult | EdgesrError | None
    ) -> None:
        """Tell what became of a file; None: it was not done when the run was ended."""
        if outcome is None:
            self.stopped.append(job.input)
            self._line(status="stopped", input=str(job.input), output=str(job.output))
        elif isinstance(outcome, EdgesrError):
            self._failure(job.input, outcome if outcome.where else outcome.at(job.input))
        else:
            self.done += 1
            self._line(status="done", **asdict(outcome))
            if self.as_json:
                return
            if isinstance(outcome, MovingResult):
                self._say("\n".join(outcome.lines()))
            else:
                self._result(outcome)

    def closing(self, files: int) -> None:
        """Tell how far a run came that was ended."""
        left = f"{len(self.stopped)} left" + (f", {self.failed} failed" if self.failed else "")
        say(
            f"stopped: {self.done} of {files} done, {left}\n"
            "  try: the same command with --skip-existing does the rest",
            err=True,
        )

    def _failure(self, path: Path, error: EdgesrError) -> None:
        self.failed += 1
        told = error.as_options(self.renamed)
        self._line(status="failed", input=str(path), error=str(told))
        named = str(told) if error.field is None else f"{path}: {told}"
        say(self._shown(f"error: {named}"), err=True)

    def _result(self, result: Upscaled) -> None:
        size = "{}x{} -> {}x{}".format(*result.input_size, *result.output_size)
        if result.resized_by is not None:
            size += f" (x{result.network_scale}, then {result.resized_by})"
        tiles = "1 tile" if result.tiles == 1 else f"{result.tiles} tiles"
        network = " ".join(filter(None, (result.model, result.model_reason)))
        self._say(
            f"{result.output}  {size}, {tiles}, {result.latency_ms:.0f} ms "
            f"({network}, {result.backend})"
        )
        if result.seam_ratio is not None:
            self._say(
                f"  seams: {result.seam_ratio:.3f} (gradient across tile borders over that without)"
            )
        for note in result.notes:
            self._say(f"  note: {note}")

    def _line(self, **values: Any) -> None:
        if self.as_json:
            self._say(json.dumps(values, ensure_ascii=False))

    def _say(self, line: str) -> None:
        say(self._shown(line), err=self.to_error)

    def _shown(self, line: str) -> str:
        return line if self.unnamed is None else line.replace(f"{self.unnamed}{os.sep}", "")
