"""An option that a command would ignore is an error: whoever typed it meant it to do something."""

import typer

from edgesr.errors import ConfigError

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
