"""The one registration point of networks.

A network is one module in this package that calls `register`. A name is either the name of a
configuration (`student`) or a family with hyper-parameters (`mambalitesr:D32-G4-B2-N16-SKIP`,
letters followed by whole numbers, flags alone, joined by hyphens).
"""

import difflib
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgesr.errors import Argument, ConfigError, MissingError

if TYPE_CHECKING:
    from edgesr.models.network import SRNetwork

MAX_SIZE = 4096
"""Largest hyper-parameter: a name may come from a file, and must not ask for gigabytes."""

Options = Mapping[str, int | None]
"""Hyper-parameters of a family: `{"D": 32, "SKIP": None}`; a flag has no number."""


@dataclass(frozen=True)
class Network:
    """A named super-resolution network that can be built at any of its scales.

    Attributes:
        name: what the user types.
        build: scale -> freshly initialised module.
        scales: supported factors.
        summary: one line for `edgesr models`.
        context: what part of the input an output pixel depends on.
    """

    name: str
    build: "Callable[[int], SRNetwork]"
    scales: tuple[int, ...]
    summary: str
    context: str

    def module(self, scale: int) -> "SRNetwork":
        """Build the network at `scale`.

        Raises:
            ConfigError: the network does not exist at this scale.
        """
        if scale not in self.scales:
            known = ", ".join(map(str, self.scales))
            raise ConfigError(
                f"{self.name} has scales {known}, not {scale}", where=Argument("scale")
            )
        return self.build(scale)


_named: dict[str, Network] = {}
_families: dict[str, Callable[[str, Options], Network]] = {}


def register(
    family: str,
    from_options: Callable[[str, Options], Network],
    named: Mapping[str, str],
) -> None:
    """Add a family of networks and its named configurations.

    Args:
        family: the part of a name before the colon.
        from_options: (full name, hyper-parameters) -> network; raises ConfigError on bad options.
        named: configuration name -> hyper-parameters, written as after the colon.

    Raises:
        ConfigError: a name is taken; the registry is then left as it was.
    """
    taken = [name for name in (family, *named) if name in _families or name in _named]
    if taken:
        raise ConfigError(f"network name already registered: {', '.join(taken)}")
    networks = {name: from_options(name, parse_options(text, name)) for name, text in named.items()}
    _families[family] = from_options
    _named.update(networks)


def parse_options(text: str, name: str) -> dict[str, int | None]:
    """Parse `D32-G4-SKIP` into `{"D": 32, "G": 4, "SKIP": None}`.

    Args:
        text: what stands after the colon of a name.
        name: the network it belongs to, for messages.

    Raises:
        ConfigError: a part is neither letters nor letters followed by digits, comes twice, or is
            above `MAX_SIZE`.
    """
    options: dict[str, int | None] = {}
    for part in filter(None, text.split("-")):
        match = re.fullmatch(r"([A-Z]+)(\d*)", part)
        if match is None:
            raise ConfigError(f"cannot read the hyper-parameter '{part}'", where=name)
        if match[1] in options:
            raise ConfigError(f"the hyper-parameter {match[1]} comes twice", where=name)
        if len(match[2]) > len(str(MAX_SIZE)) or int(match[2] or 0) > MAX_SIZE:
            raise ConfigError(f"{match[1]} is at most {MAX_SIZE}, not {match[2][:20]}", where=name)
        options[match[1]] = int(match[2]) if match[2] else None
    return options


def read_sizes(
    name: str,
    options: Options,
    letters: Mapping[str, str],
    *,
    odd: str = "",
    may_be_zero: str = "",
) -> dict[str, int]:
    """Return the sizes of a family all of whose hyper-parameters must be given.

    Args:
        name: the full name, for messages.
        options: as typed.
        letters: hyper-parameter -> what the network calls it.
        odd: hyper-parameters (one letter each) that must be odd.
        may_be_zero: hyper-parameters that may be 0; the others are at least 1.

    Raises:
        ConfigError: one is missing, unknown, without a number, or out of range.
    """
    meaning = ", ".join(f"{letter} ({what})" for letter, what in letters.items())
    if set(options) != set(letters):
        raise ConfigError(f"the hyper-parameters must be {meaning}", where=name)
    sizes = {}
    for letter, value in options.items():
        if value is None or value < (0 if letter in may_be_zero else 1):
            raise ConfigError(f"{letter} ({letters[letter]}) is out of range", where=name)
        if letter in odd and value % 2 == 0:
            raise ConfigError(f"{letter} ({letters[letter]}) must be odd", where=name)
        sizes[letters[letter]] = value
    return sizes


def all_networks() -> list[Network]:
    """Return every named network, by name."""
    _import_all()
    return [_named[name] for name in sorted(_named)]


def get_network(name: str) -> Network:
    """Return the network called `name`, a configuration or `family:OPTIONS`.

    Raises:
        ConfigError: no such network, or its hyper-parameters cannot be; the message lists the
            closest names, or what the family needs.
        MissingError: torch is not installed.
    """
    _import_all()
    if name in _named:
        return _named[name]
    family, _, options = name.partition(":")
    if family in _families:
        return _families[family](name, parse_options(options, name))
    names = sorted(_named)
    close = difflib.get_close_matches(name, names, n=3) or names
    raise ConfigError(
        f"no network is called '{name}'; there are {', '.join(close)}", fix="edgesr models"
    )


def _import_all() -> None:
    """Import every module beside this one, so that each registers itself.

    Raises:
        MissingError: torch is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise MissingError("networks need torch", fix="pip install 'edgesr[train]'")
    package = importlib.import_module("edgesr.models")
    for info in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"edgesr.models.{info.name}")
