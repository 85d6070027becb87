"""The jobs of `edgesr upscale`, done on this machine or on a cluster, and told of one by one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgesr.errors import Argument, ConfigError, EdgesrError, ImageError

if TYPE_CHECKING:
    from edgesr.cli._jobs import JobList, UpscaleJob
    from edgesr.cli._moving import MovingJob
    from edgesr.cli._upscale_report import Report
    from edgesr.library.model import Model
    from edgesr.library.scales import Scales
    from edgesr.library.upscaled import Upscaled
    from edgesr.video.result import MovingResult


@dataclass(frozen=True)
class UpscaleSettings:
    """How a picture is enlarged and written."""

    tile: int | None
    overlap: int | None
    width: int | None
    height: int | None
    tta: bool
    quality: int
    background: str | None
    check: bool
    at_once: int


def run_here(
    scales: "Scales", model: "Model", plan: "JobList", settings: UpscaleSettings, report: "Report"
) -> None:
    """Do what moves one after the other, then the pictures, some at a time."""
    from edgesr.cli._files_bar import files_bar
    from edgesr.cli._moving import MovingJob
    from edgesr.cli._overlap import StoppedError, overlapped
    from edgesr.cli._signals import stop_on_signals
    from edgesr.runtime.time_limit import stop_all_calls

    report.planned(plan)
    moving = [job for job in plan.jobs if isinstance(job, MovingJob)]
    stills = [job for job in plan.jobs if not isinstance(job, MovingJob)]
    for clip in moving:
        report.outcome(clip, _moving(scales, clip, settings))
    with stop_on_signals() as wants_stop, files_bar(len(stills)) as bar_of:

        def work(job: "UpscaleJob") -> "Upscaled":
            show = bar_of(job.input)

            def on_tile(done: int, tiles: int) -> None:
                if wants_stop():
                    raise StoppedError
                show(done, tiles)

            return model.upscale(
                job.input,
                job.output,
                tile=settings.tile,
                overlap=settings.overlap,
                width=settings.width,
                height=settings.height,
                tta=settings.tta,
                quality=settings.quality,
                background=settings.background,
                overwrite=True,  # the jobs leave out what may not be replaced
                make_folders=True,
                check_seams=settings.check,
                on_tile=on_tile,
            )

        for job, outcome in overlapped(stills, work, settings.at_once, wants_stop, stop_all_calls):
            report.outcome(job, outcome)


def _moving(
    scales: "Scales", job: "MovingJob", settings: UpscaleSettings
) -> "MovingResult | EdgesrError":
    """Do a clip or an animation, which has the scale of a network."""
    from edgesr.cli._moving import upscale_moving
    from edgesr.video.result import MovingSettings

    try:
        sessions = scales.nearest(scales.scale)
        if settings.tta or settings.width is not None or sessions.scale != scales.scale:
            return ConfigError(
                "what moves is enlarged by the scale of a network, without --tta",
                where=job.input,
                fix=Argument("scale", sessions.scale),
            )
        wanted = MovingSettings(settings.tile, settings.overlap, settings.quality)
        return upscale_moving(sessions, job, wanted)
    except MemoryError:
        return ImageError("not enough memory for its enlargement", where=job.input)
    except EdgesrError as error:
        return error


def run_on_ray(
    address: str,
    network: tuple[str | None, float | None, str, int | None],
    plan: "JobList",
    settings: UpscaleSettings,
    report: "Report",
) -> None:
    """Do the jobs on a cluster.

    Raises:
        ConfigError: seams were to be measured, an engine was named, or no cluster answers.
    """
    from edgesr.cli._ray import spread_pictures
    from edgesr.cluster.spread import order_for

    if settings.check:
        raise ConfigError("--check runs on one machine", where="--ray")
    order = order_for(
        *network,
        settings.tile,
        settings.overlap,
        settings.quality,
        settings.background,
        settings.width,
        settings.height,
        settings.tta,
    )
    report.planned(plan)
    for job, outcome in spread_pictures(address, plan.jobs, order):
        report.outcome(job, outcome)
