"""An option that a command would ignore is an error: whoever typed it meant it to do something."""

from typing import TYPE_CHECKING

import typer

from edgesr.errors import ConfigError

if TYPE_CHECKING:
    from edgesr.cli._jobs import JobList, OutputOptions

_TYPED = "COMMANDLINE"  # click's name for where a value comes from that a person typed


def refuse_ignored(context: typer.Context, why: str, *names: str, fix: str | None = None) -> None:
    """See that no option was typed that does nothing here, whatever its value.

    Args:
        context: of the command.
        why: what makes the options do nothing, as the end of a sentence: `with --weights`.
        names: parameters of the command.
        fix: what to type instead; None: leave the option out.

    Raises:
        ConfigError: one of them was typed.
    """
    for parameter in context.command.params:
        name = parameter.name
        if name not in names:
            continue
        source = context.get_parameter_source(name)
        if source is None or source.name != _TYPED:
            continue
        switched_off = parameter.secondary_opts and context.params[name] is False
        option = max(parameter.secondary_opts if switched_off else parameter.opts, key=len)
        raise ConfigError(f"does nothing {why}", where=option, fix=fix or f"leave {option} out")


def refuse_ignored_naming(
    context: typer.Context, options: "OutputOptions", plan: "JobList"
) -> None:
    """See that no option of `upscale` about results was typed that no result follows.

    Raises:
        ConfigError: one was.
    """
    from edgesr.imaging.encode import FORMATS

    results = [job.output for job in plan.jobs]
    endings = {path.suffix.lower() for path in results}
    lossless = {suffix for kind in FORMATS if not kind.lossy for suffix in kind.suffixes}
    with_alpha = {suffix for kind in FORMATS if kind.alpha for suffix in kind.suffixes}
    if endings and endings <= lossless:
        refuse_ignored(context, "for a format that loses nothing", "quality", fix="--format jpg")
    if endings and endings <= with_alpha:
        refuse_ignored(context, "for a format that holds transparency", "background")
    if options.output is not None and results == [options.output]:
        refuse_ignored(context, "where -o names the file", "suffix")
