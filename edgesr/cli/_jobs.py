"""Which files are read and where each result goes, settled before the first picture is opened."""

import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgesr.cli._inputs import FoundPicture, RefusedInput, find_pictures, real_path
from edgesr.errors import ConfigError, ImageError, shell
from edgesr.imaging.container import SUFFIXES
from edgesr.imaging.encode import format_for, format_of_path
from edgesr.video.kinds import CLIPS

_NAME_BYTES = 255  # the longest name of a file on Linux, macOS and Windows


@dataclass(frozen=True)
class UpscaleJob:
    """One picture to enlarge.

    Attributes:
        input: the picture.
        output: where the result goes.
    """

    input: Path
    output: Path


@dataclass(frozen=True)
class OutputOptions:
    """How results are named and what is done about files that are there.

    Attributes:
        output: a file, or a folder for several inputs; None: beside each input.
        suffix: put behind the input's name, `_x4` in `photo_x4.png`.
        ending: of the result's file name, such as `.png`; None: that of `output`, else `.png`.
        recursive: search the folders inside a given folder too, at any depth.
        overwrite: replace results that are there.
        skip_existing: leave out pictures whose result is there.
        to_folder: `output` is a folder, whatever its name looks like.
        again: take also pictures that edgesr wrote.
    """

    output: Path | None
    suffix: str
    ending: str | None = None
    recursive: bool = False
    overwrite: bool = False
    skip_existing: bool = False
    to_folder: bool = False
    again: bool = False


@dataclass(frozen=True)
class JobList:
    """What there is to do.

    Attributes:
        jobs: in the order given; the pictures of a folder by name.
        skipped: results that were there already, with `skip_existing`.
        refused: inputs that cannot be done as asked.
        own: pictures that edgesr wrote, and that are therefore left out.
    """

    jobs: tuple[UpscaleJob, ...]
    skipped: tuple[UpscaleJob, ...]
    refused: tuple[RefusedInput, ...]
    own: tuple[Path, ...] = ()


def plan_jobs(
    inputs: list[Path], options: OutputOptions, moving: Sequence[UpscaleJob] = ()
) -> JobList:
    """Find the pictures, name their results and sort them out together with what moves.

    A folder gives the pictures in it, `options.output` then gets the same tree; files in it that
    are no pictures and hidden files are left out. So are pictures that edgesr wrote, except one
    that is the only input. Two pictures of one folder whose results would have the same name keep
    their endings in it: `a.jpg_x4.png` and `a.png_x4.png`.

    Args:
        inputs: pictures and folders.
        options: how results are named.
        moving: clips and animations with their results, which are done first; no picture's result
            may replace one of them, nor theirs a picture.

    Raises:
        ConfigError: the options contradict each other.
    """
    if options.overwrite and options.skip_existing:
        raise ConfigError("--overwrite and --skip-existing contradict each other")
    jobs, refused, own = _pictures(inputs, options) if inputs else ([], [], [])
    plan = _sort_out([*moving, *jobs], options)
    return replace(plan, refused=(*refused, *plan.refused), own=tuple(dict.fromkeys(own)))


def _pictures(
    inputs: list[Path], options: OutputOptions
) -> tuple[list[UpscaleJob], list[RefusedInput], list[Path]]:
    """Return the pictures with their results, what cannot be read, and what edgesr wrote."""
    single_file = names_a_file(inputs, options)
    if single_file and (len(inputs) > 1 or inputs[0].is_dir()):
        raise ConfigError(
            "the results of several pictures need a folder, not a file",
            where=options.output,
            fix=f"-o {shell(options.output.with_suffix(''))}/" if options.output else None,
        )
    ending = _ending(options, single_file)
    refused: list[RefusedInput] = []
    own: list[Path] = []
    found: dict[str, FoundPicture] = {}
    for entry in find_pictures(inputs, options.output, options.recursive):
        if isinstance(entry, RefusedInput):
            refused.append(entry)
        elif entry.is_own and not options.again:
            own.append(entry.path)
        else:  # a picture that is given twice is done once; two links to one are two pictures
            lexical = os.path.abspath(entry.path)  # noqa: PTH100  (links stay)
            found.setdefault(lexical, entry)
    if single_file and options.output is not None:
        jobs = [UpscaleJob(entry.path, options.output) for entry in found.values()]
    else:
        jobs = _named(list(found.values()), options, ending)
    return jobs, refused, own


def _named(found: list[FoundPicture], options: OutputOptions, ending: str) -> list[UpscaleJob]:
    """Name the results, by whole names where stems would make them the same."""

    def place(entry: FoundPicture, name: str) -> Path:
        folder = entry.path.parent if options.output is None else options.output / entry.below
        return folder / f"{name}{options.suffix}{ending}"

    times = Counter(place(entry, entry.path.stem) for entry in found)
    jobs = []
    for entry in found:
        output = place(entry, entry.path.stem)
        if times[output] > 1:
            output = place(entry, entry.path.name)
        jobs.append(UpscaleJob(entry.path, output))
    return jobs


@dataclass
class _Sorting:
    """What is known while jobs are sorted out.

    Attributes:
        options: as given.
        inputs: real paths of all inputs.
        taken: input by real path of its result.
        folders: what is wrong with a folder of results, None: nothing.
    """

    options: OutputOptions
    inputs: frozenset[Path]
    taken: dict[Path, Path] = field(default_factory=dict)
    folders: dict[Path, str | None] = field(default_factory=dict)


def _sort_out(jobs: Sequence[UpscaleJob], options: OutputOptions) -> JobList:
    """Part what can be done from what would destroy or repeat something, or cannot be written."""
    todo: list[UpscaleJob] = []
    skipped: list[UpscaleJob] = []
    refused: list[RefusedInput] = []
    sorting = _Sorting(options, frozenset(real_path(job.input) for job in jobs))
    for job in jobs:
        problem = _problem(job, sorting)
        if problem is not None:
            what, fix = problem
            refused.append(RefusedInput(job.input, ImageError(what, where=job.input, fix=fix)))
        elif options.skip_existing and os.path.lexists(job.output):
            skipped.append(job)
        else:
            todo.append(job)
    return JobList(tuple(todo), tuple(skipped), tuple(refused))


def _problem(job: UpscaleJob, sorting: _Sorting) -> tuple[str, str] | None:
    """Return why a job cannot be done as asked and what to do, None if it can."""
    output, options = job.output, sorting.options
    target = real_path(output)
    other = sorting.taken.setdefault(target, job.input)
    if target in sorting.inputs or other != job.input:
        return _collision(job, None if target in sorting.inputs else other)
    length = len(os.fsencode(output.name))
    if length > _NAME_BYTES:
        what = f"the name of its result would take {length} bytes, more than {_NAME_BYTES}"
        return what, f"edgesr upscale {shell(job.input)} -o SHORTER.png"
    if output.is_dir():
        return f"a folder stands where the result goes ({output})", "-o ANOTHER_FOLDER/"
    if os.path.lexists(output) and not (options.overwrite or options.skip_existing):
        return f"the result is there already ({output})", "--overwrite"
    return _unwritable(job, sorting.folders)


def _collision(job: UpscaleJob, other: Path | None) -> tuple[str, str]:
    """Return what a result would replace, that of another input or an input, and what to do."""
    replaced = "an input" if other is None else f"that of {other}"
    another = f"edgesr upscale {shell(job.input)} -o ANOTHER_FOLDER/"
    return f"its result would replace {replaced}", another


def _unwritable(job: UpscaleJob, folders: dict[Path, str | None]) -> tuple[str, str] | None:
    """Return why the result's folder cannot be written and what to do, None if it can."""
    folder = job.output.parent
    if folder not in folders:
        folders[folder] = _why_unwritable(folder)
    reason = folders[folder]
    if reason is None:
        return None
    return f"its result cannot be written into {folder} ({reason})", "-o ANOTHER_FOLDER/"


def _why_unwritable(folder: Path) -> str | None:
    """Return why no file can be made in a folder, or below what is there of its path."""
    try:
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


def names_a_file(inputs: list[Path], options: OutputOptions) -> bool:
    """Tell whether -o is a file.

    It is not if it ends in a slash or is a folder; it is by the ending of a picture or a clip, and
    for a single file by any, so that one that is not written is refused.
    """
    output = options.output
    if output is None or options.to_folder or output.is_dir():
        return False
    is_known = output.suffix.lower() in (*SUFFIXES, *CLIPS, ".gif")
    return is_known or (output.suffix != "" and len(inputs) == 1 and not inputs[0].is_dir())


def _ending(options: OutputOptions, single_file: bool) -> str:
    """Return the ending of the results.

    Raises:
        ConfigError: pictures are not written with this ending, or two endings are asked for.
    """
    asked = None if options.ending is None else format_for(options.ending)
    if not single_file or options.output is None:
        return ".png" if options.ending is None else options.ending
    named = format_of_path(options.output)
    if asked is not None and asked is not named:
        raise ConfigError(
            f"-o asks for {named.name}, --format for {asked.name}", where=options.output
        )
    return named.suffixes[0]
