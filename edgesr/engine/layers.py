"""What the layers of a TensorRT network or engine compute in."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MOST_NAMES = 64
MOST_CHARACTERS = 120
"""Of a name: a fused layer is named after all that it was made of, which can be a whole network."""


@dataclass(frozen=True)
class Layer:
    """One layer of a parsed network, before the builder fuses it with others, or of an engine.

    Attributes:
        name: in a parsed network of the node that it was made of, and a number where that became
            several; in an engine of all that was fused into it.
        kind: TensorRT's name of the layer type.
        dtype: element type of its first output, such as `fp16`. In a parsed network what the ONNX
            file computes there, and `int8` where it multiplies dequantised values, which the
            builder does in int8; a weakly typed network itself says float32 of every layer until it
            is built.
    """

    name: str
    kind: str
    dtype: str


def count_types(layers: Iterable[Layer]) -> dict[str, dict[str, int]]:
    """Count layers by kind and element type: `{"CONVOLUTION": {"fp16": 12}}`."""
    counts = Counter((layer.kind, layer.dtype) for layer in layers)
    table: dict[str, dict[str, int]] = {}
    for (kind, dtype), number in sorted(counts.items()):
        table.setdefault(kind, {})[dtype] = number
    return table


def names_in(dtype: str, layers: Iterable[Layer]) -> tuple[str, ...]:
    """Return the names of the layers that compute in a type, `MOST_NAMES` of them at most.

    Constants compute nothing and are left out; a long name is cut, which three dots show.
    """
    found = [layer.name for layer in layers if layer.dtype == dtype and not _constant(layer.kind)]
    return tuple(map(_shorten, found[:MOST_NAMES]))


def count_in(dtype: str, table: Mapping[str, Mapping[str, int]]) -> int:
    """Return how many layers of what `count_types` gave compute in a type, without constants."""
    return sum(row.get(dtype, 0) for kind, row in table.items() if not _constant(kind))


def _constant(kind: str) -> bool:
    return kind.upper() == "CONSTANT"  # parsed networks and the inspector differ in case


def _shorten(name: str) -> str:
    return name if len(name) <= MOST_CHARACTERS else name[: MOST_CHARACTERS - 3] + "..."
