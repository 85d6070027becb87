"""The builder's own progress, handed on as steps; Ctrl-C stops the build between two of them."""

from collections.abc import Callable
from typing import Any

from edgesr.engine.stack import Stack

OnStep = Callable[[str, int, int], None]
"""(phase, steps done, steps in all) of the outermost phase; called from TensorRT's threads."""


class Interrupted:
    """Whether the user stopped the build."""

    def __init__(self) -> None:
        self.value = False


def watch(stack: Stack, config: Any, on_step: OnStep) -> Interrupted:
    """Report the progress of the next build to `on_step`, where this TensorRT has a monitor."""
    trt = stack.module
    interrupted = Interrupted()
    if not (hasattr(trt, "IProgressMonitor") and hasattr(config, "progress_monitor")):
        return interrupted

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.outer: dict[str, int] = {}

        def phase_start(self, phase: str, parent: str | None, steps: int) -> None:
            if parent is None:
                self.outer[phase] = steps
                on_step(phase, 0, steps)

        def phase_finish(self, phase: str) -> None:
            self.outer.pop(phase, None)

        def step_complete(self, phase: str, step: int) -> bool:
            try:
                if phase in self.outer:
                    on_step(phase, step + 1, self.outer[phase])
            except KeyboardInterrupt:  # must not travel through C++; the build is cancelled instead
                interrupted.value = True
            return not interrupted.value

    config.progress_monitor = Monitor()
    return interrupted
