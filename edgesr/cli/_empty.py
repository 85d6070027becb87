"""Empty texts on the command line, such as `-o "$OUT"` without such a variable: refused at once.

As a path an empty text is the folder that one is in, which nobody who types it means: `edgesr
upscale ''` would enlarge every picture there, and `serve --host ''` would answer the whole network.
"""

from typing import Any

from typer.core import TyperCommand

from edgesr.errors import ConfigError

MAY_BE_EMPTY = frozenset({"suffix"})  # of a result's name, where it lies in another folder


class FilledCommand(TyperCommand):
    """A command whose options and inputs are not empty."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse as typer does, before which no text has become a path yet.

        Raises:
            ConfigError: an option or an input is empty.
        """
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.get_params(ctx):
            value = given.get(parameter.name)
            texts = value if isinstance(value, list | tuple) else [value]
            if "" in texts and parameter.name not in MAY_BE_EMPTY:
                raise _empty(parameter, ctx.info_name)
        return super().parse_args(ctx, args)


def _empty(parameter: Any, command: str) -> ConfigError:
    option = max(parameter.opts, key=len)
    is_option = parameter.param_type_name == "option"
    leave = "" if parameter.required else ", or leave it out"
    return ConfigError(
        "it is empty, as a shell variable is that is not set",
        where=option if is_option else parameter.metavar,
        fix=f"give it a value{leave}; edgesr {command} -h says which",
    )
