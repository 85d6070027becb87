"""How large a model, and a call of it, may be: bounds that a manifest cannot lift."""

MAX_MODEL_BYTES = 256 << 20
"""Largest ONNX file that is read; the teacher, the largest network here, takes 6 MiB."""

MAX_CALL_PIXELS = 1 << 20
"""Most input pixels of one call, tile * tile * batch: a tile of 1024, or 256 tiles of 64.

At scale 4 the output of such a call takes 201 MB in float32.
"""


def check_call(tile: int, batch: int) -> None:
    """Refuse a call of more pixels than `MAX_CALL_PIXELS`.

    Raises:
        ValueError: it has more; the message names the limit.
    """
    if tile * tile * batch > MAX_CALL_PIXELS:
        raise ValueError(
            f"{batch} tiles of {tile}x{tile} are more than {MAX_CALL_PIXELS} pixels in a call"
        )
