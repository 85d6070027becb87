"""Forms of the selective scan in standard ONNX operators; all equal to edgesr/scan/reference.py.

The torch network exports each scan as one node `edgesr::SelectiveScan`. A form writes it out.
"""

from collections.abc import Callable
from dataclasses import dataclass

from edgesr.errors import ConfigError
from edgesr.export.forms.chunks import ScanNode
from edgesr.export.forms.doubling import doubling
from edgesr.export.forms.loop import loop
from edgesr.export.forms.unrolled import unrolled
from edgesr.export.graph import Builder


@dataclass(frozen=True)
class Form:
    """A way to write the scan.

    Attributes:
        name: what the user types after `--form`.
        write: (builder, scan, steps) -> name of the output.
        steps: length of a chunk.
        board: holds no Scan, Loop or If, as a graph for a board must.
    """

    name: str
    write: Callable[[Builder, ScanNode, int], str]
    steps: int
    board: bool


FORMS = {
    form.name: form
    for form in (
        Form("unrolled", unrolled, steps=16, board=True),
        Form("doubling", doubling, steps=16, board=True),
        Form("loop", loop, steps=16, board=False),
    )
}


def get_form(name: str) -> Form:
    """Return the form called `name`.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in FORMS:
        raise ConfigError(f"no form '{name}'; there are {', '.join(FORMS)}", where="--form")
    return FORMS[name]
