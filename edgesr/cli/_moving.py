"""Clips and animations among the inputs of `edgesr upscale`: which they are, and doing them."""

import os
from dataclasses import dataclass
from pathlib import Path

from edgesr.cli._console import progress
from edgesr.cli._jobs import OutputOptions, UpscaleJob, names_a_file
from edgesr.errors import ConfigError
from edgesr.runtime.sessions import Sessions
from edgesr.video.kinds import ANIMATIONS, FORMATS, OTHERWISE, Moving, animation_kind, is_clip
from edgesr.video.result import MovingResult, MovingSettings
from edgesr.video.segments import finish_earlier


@dataclass(frozen=True)
class MovingJob(UpscaleJob):
    """A clip or an animation to enlarge.

    Attributes:
        animation: `GIF`, `WebP` or `PNG`; None: a clip.
    """

    animation: str | None = None


def part(inputs: list[Path], options: OutputOptions) -> tuple[list[Path], list[Path]]:
    """Part the inputs into those that move and the others, folders among them.

    An animation whose result is asked for in a format of stills is a picture: its first frame.
    """
    moving = [path for path in inputs if _moves(path, inputs, options)]
    return moving, [path for path in inputs if path not in moving]


def name_moving(
    moving: list[Path], inputs: list[Path], options: OutputOptions
) -> tuple[list[UpscaleJob], list[UpscaleJob]]:
    """Name the results of clips and animations: what there is to do, and what is finished.

    Finished is a result whose run was killed between its last rename and its tidying, which is
    done here.

    Args:
        moving: the inputs, from `part`.
        inputs: all inputs.
        options: as for pictures.

    Raises:
        ConfigError: several results for one file, or an ending that no clip is written with.
    """
    single_file = names_a_file(inputs, options)
    if single_file and moving and len(inputs) > 1:
        raise ConfigError("the results of several inputs need a folder, not a file", where="-o")
    found: dict[str, UpscaleJob] = {}
    finished: list[UpscaleJob] = []
    for path in moving:
        kind = None if is_clip(path) else animation_kind(path)
        job = MovingJob(path, _output(path, kind, options, single_file), kind)
        if finish_earlier(job.output) and not options.overwrite:
            finished.append(job)
        else:
            found.setdefault(os.path.abspath(path), job)  # noqa: PTH100  (links stay)
    return list(found.values()), finished


def _moves(path: Path, inputs: list[Path], options: OutputOptions) -> bool:
    if os.path.isdir(path):  # noqa: PTH112  (False of names that are too long)
        return False
    if is_clip(path):
        return True
    if animation_kind(path) is None:
        return False
    asked = _asked_ending(options, names_a_file(inputs, options))
    return asked is None or asked in ANIMATIONS.values()


def _asked_ending(options: OutputOptions, single_file: bool) -> str | None:
    if single_file and options.output is not None:
        return options.output.suffix.lower()
    return options.ending


def _output(path: Path, kind: str | None, options: OutputOptions, single_file: bool) -> Path:
    """Return where a result goes.

    Raises:
        ConfigError: a clip is not written with the ending asked for.
    """
    asked = _asked_ending(options, single_file)
    if kind is not None:
        ending = asked or ANIMATIONS[kind]
    elif single_file:
        ending = asked or OTHERWISE
        if ending not in FORMATS:
            raise ConfigError(
                f"clips are written as {', '.join(FORMATS)}, not '{ending}'",
                where=options.output,
                fix="-o RESULT.mkv",
            )
    else:  # --format is about pictures
        ending = path.suffix.lower() if path.suffix.lower() in FORMATS else OTHERWISE
    if single_file and options.output is not None:
        return options.output
    name = f"{path.stem}{options.suffix}{ending}"
    return path.parent / name if options.output is None else options.output / name


def upscale_moving(sessions: Sessions, job: MovingJob, settings: MovingSettings) -> MovingResult:
    """Enlarge a clip or an animation, with a bar that shows its frames and their pace.

    Raises:
        EdgesrError: it cannot be done.
    """
    from edgesr.video.prepare import prepare

    work = prepare(sessions, Moving(job.input, job.output, job.animation), settings)
    with progress(job.input.name, work.frames) as advance:
        return work.run(advance)
