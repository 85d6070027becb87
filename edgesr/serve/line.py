"""The one queue: few pictures wait, one is enlarged, further ones are turned away.

A request holds a place from before the first byte of its body to the last byte of its result, so
what is in memory is bounded however slow a client is.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from edgesr.serve.refusal import RequestRefusal

_FIRST_GUESS_S = 2.0


class Line:
    """Places for pictures, used by one event loop.

    Args:
        waiting: pictures that may wait while another is enlarged.
        unsent_bytes: results that wait for slow clients before the next picture is begun.
    """

    def __init__(self, waiting: int, unsent_bytes: int) -> None:
        self.places = waiting + 1
        self.taken = 0
        self._unsent_limit = unsent_bytes
        self._unsent = 0
        self._turn = asyncio.Lock()  # gives turns in the order of asking
        self._room = asyncio.Event()
        self._room.set()
        self._usual_s = _FIRST_GUESS_S

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place.

        Raises:
            Refusal: 503, all are taken.
        """
        if self.taken >= self.places:
            again_s = max(1, math.ceil(self._usual_s * self.taken))
            raise RequestRefusal(
                503,
                f"{self.taken} pictures are in line already",
                "queue",
                f"send it again in {again_s} s",
                {"Retry-After": str(again_s)},
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn of a picture, then hold it while the picture is enlarged."""
        async with self._turn:
            await self._room.wait()
            yield

    @contextmanager
    def unsent(self, count: int) -> Iterator[None]:
        """Count the bytes of a result from within its turn until they are sent."""
        self._add(count)
        try:
            yield
        finally:
            self._add(-count)

    def _add(self, count: int) -> None:
        self._unsent += count
        if self._unsent < self._unsent_limit:
            self._room.set()
        else:
            self._room.clear()

    def took(self, seconds: float) -> None:
        """Remember how long a picture took, for those who are turned away."""
        self._usual_s += 0.2 * (seconds - self._usual_s)
