"""`edgesr` in processes of its own that can be killed by SIGKILL while they work.

Starting Python and importing libraries takes longer than the work here, and a kill at a random
moment would mostly meet that. So every process divides (fork) from one that has imported them.
"""

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PRELOADED = [
    "edgesr.cli.upscale",
    "edgesr.cli._upscale_run",
    "edgesr.cli._files_bar",
    "edgesr.library.enlarge",
    "edgesr.imaging.encode",
    "edgesr.runtime.to_file",
    "edgesr.runtime.onnxruntime_session",
    "edgesr.video.clip",
    "onnxruntime",
]
_LOOK_S = 0.002  # between two looks
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(PRELOADED)


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        was_killed: it had not ended by itself before.
        exit_code: negative: the signal that ended it.
        said: on standard error.
    """

    was_killed: bool
    exit_code: int
    said: str


def run(words: list[str], notes: Path, is_time: Callable[[], bool] | None = None) -> Ended:
    """Run `edgesr` with these words, to its end or to a kill.

    Args:
        words: behind `edgesr`.
        notes: file for what it says.
        is_time: asked again and again whether to kill it now; None: let it end.
    """
    process = _PROCESSES.Process(target=_edgesr, args=(words, str(notes)))
    process.start()
    if is_time is None:
        process.join()
    while process.exitcode is None and not (is_time is not None and is_time()):
        process.join(_LOOK_S)
    was_killed = process.exitcode is None
    if was_killed:
        process.kill()
        process.join()
    assert process.exitcode is not None
    return Ended(was_killed, process.exitcode, notes.read_text() if notes.exists() else "")


def _edgesr(words: list[str], notes: str) -> None:
    """Become the command: what it prints goes into files, how it ends is how the process ends."""
    from edgesr.cli import main

    for target, descriptor in ((os.devnull, 1), (notes, 2)):
        opened = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, descriptor)
        os.close(opened)
    main(words)
