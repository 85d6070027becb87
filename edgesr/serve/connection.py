"""HTTP connections that end in time: uvicorn bounds what it holds, not how long it waits."""

from asyncio import TimerHandle
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from edgesr.serve.settings import ServerSettings


def timed_protocol(settings: ServerSettings) -> type[H11Protocol]:
    """Return uvicorn's HTTP/1.1 connection with the limits of `settings`.

    The head of a request must arrive in time. What is left of a body that was answered before its
    end is dropped, for some time and up to some size. A client must go on taking its result.
    """

    class TimedProtocol(H11Protocol):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._surplus_bytes = 0
            self._head_timer: TimerHandle | None = None
            self._send_timer: TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._await_head()

        def connection_lost(self, exc: Exception | None) -> None:
            for timer in (self._head_timer, self._send_timer):
                if timer is not None:
                    timer.cancel()
            super().connection_lost(exc)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._surplus_bytes = 0
            self._await_head()

        def data_received(self, data: bytes) -> None:
            if self._is_answered() and self.conn.their_state is h11.SEND_BODY:
                self._surplus_bytes += len(data)
                if self._surplus_bytes > settings.surplus_bytes:
                    self.transport.abort()
                    return
            try:
                super().data_received(data)
            except h11.LocalProtocolError:  # nonsense behind an answer cannot be answered again
                self.transport.abort()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._send_timer = self.loop.call_later(settings.send_s, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._send_timer is not None:
                self._send_timer.cancel()

        def _await_head(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
            self._head_timer = self.loop.call_later(settings.head_s, self._end_if_idle)

        def _end_if_idle(self) -> None:
            if self.cycle is None or self._is_answered():
                self.transport.abort()

        def _is_answered(self) -> bool:
            return self.cycle is not None and self.cycle.response_complete

    return TimedProtocol
