"""What the server does not take: each is answered at once, in JSON, with what to do next."""

import http.client
import time
from pathlib import Path

import pytest
from running_server import Running

OTHERS = [
    # method, path, body, headers, status, part of what is said, where
    ("GET", "/etc/passwd", None, {}, 404, "nothing here", "/etc/passwd"),
    ("GET", "/../../etc/passwd", None, {}, 404, "nothing here", "/../../etc/passwd"),
    ("GET", "/page.css/../../app.py", None, {}, 404, "nothing here", "/page.css/../../app.py"),
    ("GET", "/upscale", None, {}, 405, "GET is not answered", "/upscale"),
    ("PUT", "/", b"x", {}, 405, "PUT is not answered", "/"),
    ("OPTIONS", "/upscale", None, {}, 405, "OPTIONS is not answered", "/upscale"),
    ("POST", "/upscale", b"", {}, 422, "the file is empty", "body"),
    ("POST", "/upscale", b"GIF89a", {}, 422, "GIF pictures are not read", "body"),
    ("POST", "/upscale", b"/etc/passwd", {}, 422, "not a picture", "body"),
    ("POST", "/upscale?path=/etc/passwd", b"x", {}, 400, "no 'path'", "query"),
    ("POST", "/upscale?format=gif", b"x", {}, 400, "not '.gif'", "query: format"),
    ("POST", "/upscale?format=../a.png", b"x", {}, 400, "written as", "query: format"),
    ("POST", "/upscale?format=png&format=jpg", b"x", {}, 400, "twice", "query"),
    ("POST", "/upscale?quality=0", b"x", {}, 400, "not '0'", "query: quality"),
    ("POST", "/upscale?quality=%D9%A3", b"x", {}, 400, "whole number", "query: quality"),
    ("POST", "/upscale", b"x", {"Accept": "text/html"}, 406, "image/png", "header Accept"),
    ("POST", "/upscale", b"x", {"Accept": "image/png;q=0"}, 406, "one of", "header Accept"),
    (
        "POST", "/upscale", b"x", {"Content-Type": "multipart/form-data; boundary=a"},
        415, "forms are not read", "header Content-Type",
    ),
    (
        "POST", "/upscale", b"x", {"Content-Encoding": "gzip"},
        415, "bodies in gzip", "header Content-Encoding",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "headers", "status", "what", "where"), OTHERS)
def test_a_request_that_cannot_be(
    server: Running, method: str, path: str, body: bytes | None, headers: dict[str, str],
    status: int, what: str, where: str,
) -> None:  # fmt: skip
    answer = server.ask(method, path, body, headers)
    assert answer.status == status
    said = answer.refusal()
    assert what in said["what"]
    assert said["where"] == where


def test_pictures_that_cannot_be_enlarged(server: Running, data: Path) -> None:
    png = (data / "photo.png").read_bytes()
    cut = server.ask("POST", "/upscale", png[: len(png) // 2])
    assert cut.status == 422
    assert cut.refusal()["what"] == "the PNG file is damaged or cut short"
    rgba = (data / "pictures/rgba.png").read_bytes()
    refused = server.ask("POST", "/upscale?format=jpg", rgba)
    assert refused.status == 422
    assert refused.refusal() == {
        "what": "JPEG has no alpha channel",
        "where": "body",
        "next": "POST /upscale?format=png",
    }


def test_more_pixels_than_the_limit(server: Running) -> None:
    """A small file that says it is 5000 x 4000 is refused by its header."""
    header = (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (5000).to_bytes(4, "big") + (4000).to_bytes(4, "big")
    )
    answer = server.ask("POST", "/upscale", header + b"\x08\x02\0\0\0\0\0\0\0")
    assert answer.status == 413
    said = answer.refusal()
    assert "5000x4000 = 20.0 megapixels, more than the limit of 16" in said["what"]
    assert said["next"].endswith("edgesr --max-megapixels 20 serve")


def test_a_body_that_says_it_is_too_long_is_not_read(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(
            b"POST /upscale HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500001\r\n\r\n"
        )
        response = http.client.HTTPResponse(connection)
        response.begin()  # without a byte of the body
        assert response.status == 413
        assert b"500,000 bytes" in response.read()


def test_a_body_without_a_length_is_cut_off_at_the_limit(server: Running) -> None:
    answer = server.ask("POST", "/upscale", (b"x" * 4096 for _ in range(1000)))
    assert answer.status == 413
    assert answer.refusal()["where"] == "body"
    sent = 0
    with server.connect() as connection:
        connection.sendall(
            b"POST /upscale HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        with pytest.raises(OSError, match=r"reset|Broken pipe"):  # a body without an end
            while True:
                connection.sendall(piece)
                sent += len(piece)
                assert sent < 64_000_000
    assert server.ask("GET", "/health").status == 200


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\n\r\n", b"\0\1\2\3\r\n\r\n", b"G" * 30_000])
def test_what_is_not_http(server: Running, head: bytes) -> None:
    assert server.send(head).status == 400


def test_nonsense_behind_an_answer(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(
            b"POST /upscale HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Encoding: gzip\r\n\r\n"
        )
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 415
        response.read()
        connection.sendall(b"this is no chunk\r\n" * 10)
        assert connection.recv(1000) in (b"", b"0\r\n\r\n")
    assert server.ask("GET", "/health").status == 200


def test_a_cut_body_takes_no_place(server: Running, data: Path) -> None:
    photo = (data / "photo.png").read_bytes()
    for _ in range(20):  # more than there are places
        with server.connect() as connection:
            connection.sendall(
                b"POST /upscale HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                % len(photo)
                + photo[: len(photo) // 2]
            )
        server.wait_until_taken(0)
    assert server.ask("POST", "/upscale", photo).status == 200
    deadline = time.monotonic() + 10
    while 'path="/upscale",status="gone"} 20.0' not in (
        counted := server.ask("GET", "/metrics").body.decode()
    ):
        assert time.monotonic() < deadline, counted
