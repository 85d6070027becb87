"""The queue: its order, its end, and those who go away."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import cv2
import numpy as np
import pytest
from gated_server import gated
from running_server import Client

from edgesr.errors import ModelError
from edgesr.serve.line import Line
from edgesr.serve.refusal import RequestRefusal
from edgesr.serve.settings import ServerSettings


def png(grey: int, side: int = 16) -> bytes:
    ok, data = cv2.imencode(".png", np.full((side, side, 3), grey, np.uint8))
    assert ok
    return data.tobytes()


def test_a_full_queue_turns_away_and_says_when_to_come_back() -> None:
    with gated(ServerSettings(waiting=2)) as server, ThreadPoolExecutor(3) as clients:
        asked = []
        for place in range(3):
            asked.append(clients.submit(server.ask, "POST", "/upscale", png(50 * place)))
            server.wait_until_taken(place + 1)
        refused = server.ask("POST", "/upscale", png(9))
        assert refused.status == 503
        assert refused.refusal()["what"] == "3 pictures are in line already"
        assert 1 <= int(refused.headers["retry-after"]) <= 10
        assert server.ask("GET", "/").status == 200  # the page and health do not wait in line
        server.network.gate.set()
        for place, answer in enumerate(asked):
            pixels = cv2.imdecode(np.frombuffer(answer.result().body, np.uint8), -1)
            np.testing.assert_array_equal(pixels, np.full((32, 32, 3), 50 * place))
        assert server.ask("POST", "/upscale", png(9)).status == 200


def test_the_hint_grows_with_what_is_in_line() -> None:
    line = Line(waiting=1, unsent_bytes=1)
    for _ in range(50):
        line.took(30.0)
    with line.place(), line.place(), pytest.raises(RequestRefusal) as refused, line.place():
        pass
    assert refused.value.headers == {"Retry-After": "60"}
    assert line.taken == 0


def leave_after(server: Client, until: Callable[[], object], body: bytes) -> None:
    """Send a picture and go away after something has happened."""
    with server.connect() as connection:
        connection.sendall(
            b"POST /upscale HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )
        until()


def test_who_goes_away_gives_up_the_place_and_the_work() -> None:
    with gated(ServerSettings(waiting=2)) as server:
        leave_after(server, lambda: server.network.entered.wait(60), png(1, side=160))
        assert server.network.calls == 1
        server.wait_until_taken(0)  # though the network is still held up by the first tile
        server.network.gate.set()
        assert server.ask("POST", "/upscale", png(2)).status == 200
        assert server.network.calls == 2  # one of some hundred tiles, and the tile of the second
        assert sum("gone" in line for line in server.lines) == 1


def test_who_goes_away_while_waiting_is_skipped() -> None:
    with gated(ServerSettings(waiting=2)) as server, ThreadPoolExecutor(1) as client:
        first = client.submit(server.ask, "POST", "/upscale", png(1))
        server.wait_until_taken(1)
        leave_after(server, lambda: server.wait_until_taken(2), png(2))
        server.wait_until_taken(1)
        server.network.gate.set()
        assert first.result().status == 200
        server.wait_until_taken(0)
        assert server.network.calls == 1


def test_a_slow_body_is_refused() -> None:
    with gated(ServerSettings(upload_s=0.3)) as server:
        answer = server.send(
            b"POST /upscale HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc"
        )
        assert answer.status == 408
        assert answer.refusal()["what"] == "the picture did not arrive within 0.3 s"
        server.wait_until_taken(0)


@pytest.mark.parametrize(
    "begun", [b"", b"GET / HT", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX"]
)
def test_a_slow_head_ends_the_connection(begun: bytes) -> None:
    with gated(ServerSettings(head_s=0.3)) as server, server.connect() as connection:
        connection.sendall(begun)
        start = time.monotonic()
        with suppress(ConnectionResetError):
            assert connection.recv(10) == b""
        assert time.monotonic() - start < 10
        assert server.ask("GET", "/health").status == 200


def test_a_slow_head_on_a_kept_connection() -> None:
    with gated(ServerSettings(head_s=0.5)) as server, server.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET")
        connection.settimeout(20)
        received = b""
        with pytest.raises(ConnectionResetError):
            while part := connection.recv(1 << 16):
                received += part
            raise ConnectionResetError  # ended without a reset: as good
        assert received.startswith(b"HTTP/1.1 200 OK")


def test_who_does_not_take_the_result_is_cut_off() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (700, 700, 3), np.uint8)
    ok, data = cv2.imencode(".png", noise)
    assert ok
    with gated(ServerSettings(send_s=0.5, unsent_bytes=1)) as server, socket.socket() as connection:
        server.network.tile = 256  # of 16 there would be thousands
        server.network.gate.set()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(
            b"POST /upscale HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % data.size
        )
        connection.sendall(data.tobytes())
        server.wait_until_taken(1)
        # The next picture is not begun before the first is taken or given up.
        assert server.ask("POST", "/upscale", png(3)).status == 200
        server.wait_until_taken(0)
        assert server.ask("GET", "/health").status == 200


def test_connections_beyond_the_limit_are_turned_away() -> None:
    with gated(ServerSettings(connections=3)) as server:
        idle = [server.connect() for _ in range(3)]
        assert server.ask("GET", "/health").status == 503
        for connection in idle:
            connection.close()
        deadline = time.monotonic() + 60
        while server.ask("GET", "/health").status != 200:
            assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("failure", "status", "logged"),
    [
        (
            ModelError("a tile is black", where="/home/me/student.onnx"),
            500,
            "/home/me/student.onnx",
        ),
        (MemoryError(), 413, "413"),
        (ValueError("/home/me"), 500, "Traceback"),  # a fault of ours
    ],
)
def test_what_fails_here_is_logged_and_not_told(
    failure: Exception, status: int, logged: str
) -> None:
    with gated(ServerSettings()) as server:
        server.network.gate.set()
        server.network.failure = failure
        answer = server.ask("POST", "/upscale", png(1))
        assert answer.status == status
        answer.refusal()
        assert b"/home/me" not in answer.body
        assert answer.headers["content-security-policy"]
        server.network.failure = None
        assert server.ask("POST", "/upscale", png(1)).status == 200
        assert any(logged in line for line in server.lines)
