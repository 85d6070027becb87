"""What is told of a picture that was enlarged into a file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Upscaled:
    """A picture that was enlarged and written; sizes are (width, height) in pixels.

    Attributes:
        input: file of the picture; None: it was an array.
        output: file of the result.
        input_size: of the picture.
        output_size: of the result.
        model: name of the network.
        model_reason: why it was chosen; None: it was named.
        backend: what ran it: `onnxruntime`, `tensorrt` or `torch`.
        scale: output side over input side.
        network_scale: the same of the network.
        resized_by: method by which the network's result was brought to its size; None: it had it.
        tta: whether it was averaged over eight orientations.
        tile: (width, height) of a tile, in input pixels.
        overlap: input pixels that neighbouring tiles share at least.
        tiles: tiles that went through the network.
        load_ms: time to open the network, once for all pictures.
        read_ms: from the file to the decoded picture; 0 for an array.
        latency_ms: from the decoded picture to the enlarged one, without files.
        write_ms: from the enlarged picture to its file.
        seam_ratio: gradient across tile borders over that without any; None: not measured.
        notes: what was lost in reading or writing, one sentence each.
    """

    input: str | None
    output: str
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    model: str
    model_reason: str | None
    backend: str
    scale: float
    network_scale: int
    resized_by: str | None
    tta: bool
    tile: tuple[int, int]
    overlap: int
    tiles: int
    load_ms: float
    read_ms: float
    latency_ms: float
    write_ms: float
    seam_ratio: float | None
    notes: tuple[str, ...]
