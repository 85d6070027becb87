"""Requests with random damage in head and body: an answer or an end, and never a traceback."""

import random
import socket
from contextlib import suppress
from pathlib import Path

from gated_server import gated

from edgesr.serve.settings import ServerSettings

REQUESTS = 120


def originals(photo: bytes) -> list[bytes]:
    head = b"POST /upscale?format=webp HTTP/1.1\r\nHost: localhost\r\n"
    return [
        head + b"Content-Length: %d\r\n\r\n%s" % (len(photo), photo),
        head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(photo), photo),
        head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        head + b"Accept: \xff;q=\xff\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        b"GET /%00%ff/..%2f..%2fetc/passwd?%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n",
    ]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Change up to four places, half of the times in the first 120 bytes."""
    changed = bytearray(data)
    for _ in range(chance.randrange(5)):
        at = chance.randrange(min(len(changed), chance.choice((120, len(changed)))))
        count = chance.randrange(1, 20)
        what = chance.choice(("set", "drop", "add"))
        if what == "set":
            changed[at] = chance.randrange(256)
        elif what == "drop" and count < len(changed):
            del changed[at : at + count]
        else:
            changed[at:at] = chance.randbytes(count)
    return bytes(changed)


def test_random_damage(data: Path) -> None:
    chance = random.Random(18)
    requests = originals((data / "photo.png").read_bytes())
    limits = ServerSettings(max_body_bytes=100_000, head_s=0.3, upload_s=0.3)
    answered = 0
    with gated(limits) as server:
        server.network.gate.set()
        for number in range(REQUESTS):
            with server.connect() as connection:
                connection.sendall(damaged(requests[number % len(requests)], chance))
                if chance.random() < 0.3:
                    connection.shutdown(socket.SHUT_WR)
                with suppress(ConnectionResetError):
                    answered += connection.recv(16).startswith(b"HTTP/1.1 ")
        server.wait_until_taken(0)
        assert server.ask("GET", "/health").status == 200
    assert answered > REQUESTS // 2
    assert not [line for line in server.lines if "Traceback" in line or " 500 " in line]
