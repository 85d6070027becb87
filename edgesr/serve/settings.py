"""What a server is started with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerSettings:
    """Limits of a server and how it enlarges; pixels are limited by `edgesr.imaging.limits`.

    Attributes:
        max_body_bytes: longest picture file that is taken.
        waiting: pictures that may wait while another is enlarged.
        names: names under which people reach this machine, besides its addresses and `localhost`.
        tile: side of a tile in pixels; None: the model's.
        overlap: pixels that neighbouring tiles share at least; None: the usual.
        upload_s: seconds that a body may take to arrive.
        send_s: seconds in which a client must take a piece of the result.
        head_s: seconds that the head of a request, or what is left of a refused body, may take.
        surplus_bytes: bytes of a refused body that are read and dropped, so that a client which
            reads no answer before it has sent everything still gets it.
        unsent_bytes: results that wait for slow clients before the next picture is begun.
        connections: open connections; further ones are turned away at once.
    """

    max_body_bytes: int = 32_000_000
    waiting: int = 8
    names: tuple[str, ...] = ()
    tile: int | None = None
    overlap: int | None = None
    upload_s: float = 60.0
    send_s: float = 30.0
    head_s: float = 10.0
    surplus_bytes: int = 16_000_000
    unsent_bytes: int = 256_000_000
    connections: int = 128
