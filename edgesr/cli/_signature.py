"""Commands whose options are not all written out as parameters of a function."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

Command = Callable[..., None]


def option(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    """Return an option of a command.

    Args:
        name: of the keyword that it is given by.
        annotation: as a parameter has it, `Annotated[bool, typer.Option(...)]`.
        default: its value where it is not typed; left out: it must be typed.
    """
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def own_options(command: Command, *without: str) -> list[inspect.Parameter]:
    """Return the options that a command's function writes out, but for some."""
    # get_type_hints would hide options behind an Optional where the default is None, before 3.11.
    parameters = inspect.signature(command, eval_str=True).parameters
    return [
        option(name, parameter.annotation, parameter.default)
        for name, parameter in parameters.items()
        if name not in without
    ]


def with_options(command: Command, options: Iterable[inspect.Parameter], like: Command) -> Command:
    """Return a command that takes these options as keywords, with the name and help of another."""
    listed = list(options)
    # typer reads both: order and defaults from the one, options from the other
    command.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in listed}
    command.__doc__, command.__name__ = like.__doc__, like.__name__
    return command
