"""Which files are read and where each result goes, settled before the first picture is opened."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgesr.errors import ConfigError, EdgesrError, ImageError, shell
from edgesr.imaging.container import identify
from edgesr.imaging.encode import SUFFIXES, format_for


@dataclass(frozen=True)
class Job:
    """One picture to enlarge.

    Attributes:
        input: the picture.
        output: where the result goes.
    """

    input: Path
    output: Path


@dataclass(frozen=True)
class Refusal:
    """A picture that is not touched.

    Attributes:
        input: the picture.
        error: why.
    """

    input: Path
    error: EdgesrError


@dataclass(frozen=True)
class Wishes:
    """How results are named and what is done about files that are there.

    Attributes:
        output: a file, or a folder for several inputs; None: beside each input.
        suffix: put behind the input's name, `_x4` in `photo_x4.png`.
        ending: of the result's file name, such as `.png`; None: that of `output`, else `.png`.
        recursive: take the folders in folders too.
        overwrite: replace results that are there.
        skip_existing: leave out pictures whose result is there.
    """

    output: Path | None
    suffix: str
    ending: str | None = None
    recursive: bool = False
    overwrite: bool = False
    skip_existing: bool = False


@dataclass(frozen=True)
class JobList:
    """What there is to do.

    Attributes:
        jobs: in the order given; the pictures of a folder by name.
        skipped: results that were there already, with `skip_existing`.
        refused: pictures that cannot be done as asked.
    """

    jobs: tuple[Job, ...]
    skipped: tuple[Job, ...]
    refused: tuple[Refusal, ...]

    def with_more(self, other: "JobList") -> "JobList":
        """Return what there is to do of both, this first."""
        return JobList(
            self.jobs + other.jobs, self.skipped + other.skipped, self.refused + other.refused
        )


def plan_jobs(inputs: list[Path], wishes: Wishes) -> JobList:
    """Find the pictures and name their results.

    A folder gives the pictures in it, `wishes.output` then gets the same tree; files in it that
    are no pictures, hidden files and results of an earlier run are left out.

    Raises:
        ConfigError: the options contradict each other, or a folder holds no picture.
    """
    if wishes.overwrite and wishes.skip_existing:
        raise ConfigError("--overwrite and --skip-existing contradict each other")
    single_file = names_a_file(wishes.output)
    if single_file and (len(inputs) > 1 or inputs[0].is_dir()):
        raise ConfigError(
            "the results of several pictures need a folder, not a file",
            where=wishes.output,
            fix=f"-o {shell(wishes.output.with_suffix(''))}/" if wishes.output else None,
        )
    ending = _ending(wishes, single_file)
    found: dict[Path, Job] = {}
    for path, below in _pictures(inputs, wishes):
        name = f"{path.stem}{wishes.suffix}{ending}"
        if single_file and wishes.output is not None:
            output = wishes.output
        elif wishes.output is not None:
            output = wishes.output / below / name
        else:
            output = path.parent / name
        found.setdefault(real_path(path), Job(path, output))
    return sort_out(found, wishes)


def sort_out(found: dict[Path, Job], wishes: Wishes) -> JobList:
    """Part what can be done from what would destroy or repeat something."""
    jobs: list[Job] = []
    skipped: list[Job] = []
    refused: list[Refusal] = []
    taken: dict[Path, Path] = {}
    for job in found.values():
        target = real_path(job.output)
        other = taken.setdefault(target, job.input)
        if target in found:
            problem = "the result would replace an input", "--suffix _x4"
        elif other != job.input:
            problem = (
                f"its result would replace that of {other}",
                f"edgesr upscale {shell(job.input)} -o",
            )
        elif job.output.is_dir():
            problem = f"a folder stands where the result goes ({job.output})", "-o"
        elif wishes.overwrite or not job.output.exists():
            jobs.append(job)
            continue
        elif wishes.skip_existing:
            skipped.append(job)
            continue
        else:
            problem = f"the result is there already ({job.output})", "--overwrite"
        refused.append(Refusal(job.input, ImageError(problem[0], where=job.input, fix=problem[1])))
    return JobList(tuple(jobs), tuple(skipped), tuple(refused))


def real_path(path: Path) -> Path:
    """Resolve links; unlike `Path.resolve`, also of one that leads to itself."""
    return Path(os.path.realpath(path))


def names_a_file(output: Path | None) -> bool:
    """Tell whether -o is a file: it has an ending and is no folder."""
    return output is not None and not output.is_dir() and output.suffix != ""


def _ending(wishes: Wishes, single_file: bool) -> str:
    """Return the ending of the results.

    Raises:
        ConfigError: pictures are not written with this ending, or two endings are asked for.
    """
    asked = None if wishes.ending is None else format_for(wishes.ending)
    if not single_file or wishes.output is None:
        return ".png" if wishes.ending is None else wishes.ending
    if asked is not None and asked is not format_for(wishes.output.suffix):
        raise ConfigError(
            f"-o asks for {format_for(wishes.output.suffix).name}, --format for {asked.name}",
            where=wishes.output,
        )
    return format_for(wishes.output.suffix).suffixes[0]


def _pictures(inputs: Iterable[Path], wishes: Wishes) -> Iterator[tuple[Path, Path]]:
    """Yield (picture, its folder relative to the input it came from).

    Raises:
        ConfigError: a folder holds no picture.
    """
    for given in inputs:
        if not given.is_dir():
            yield given, Path()
            continue
        inside = list(_pictures_in(given, wishes))
        if not inside:
            deeper = "" if wishes.recursive else f"edgesr upscale --recursive {shell(given)}"
            raise ConfigError("no picture in this folder", where=given, fix=deeper or None)
        for path in inside:
            yield path, path.parent.relative_to(given)


def _pictures_in(folder: Path, wishes: Wishes) -> Iterator[Path]:
    """Yield the pictures of a folder by name, without earlier results."""
    results = None if wishes.output is None else real_path(wishes.output)
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if not wishes.recursive:
            folders.clear()
        elif results is not None:
            folders[:] = [name for name in folders if real_path(Path(place) / name) != results]
        stems = {Path(name).stem for name in names}
        for name in sorted(names):
            path = Path(place) / name
            is_result = (
                wishes.suffix != ""
                and path.stem.endswith(wishes.suffix)
                and path.stem.removesuffix(wishes.suffix) in stems
            )
            if not name.startswith(".") and not is_result and _looks_like_a_picture(path):
                yield path


def _looks_like_a_picture(path: Path) -> bool:
    """By its ending, so that a broken picture is reported, or else by its first bytes."""
    if path.suffix.lower() in SUFFIXES:
        return True
    if not path.is_file():
        return False  # a pipe would wait for its writer
    try:
        with path.open("rb") as file:
            return identify(file.read(32)) is not None
    except OSError:
        return False
