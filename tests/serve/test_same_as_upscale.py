"""A picture through the server is, byte for byte, what `edgesr upscale` writes."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from running_server import Running

PICTURES = [
    "photo.png", "pictures/turned_exif_icc.jpg", "pictures/rgba.webp",
    "pictures/rgba_16.png", "pictures/grey_alpha.png", "pictures/grey_16.png",
    "pictures/turned_icc.tiff", "pictures/grey.bmp", "pictures/palette_key.png",
]  # fmt: skip
FORMS = [("png", "image/png"), ("webp", "image/webp"), ("tiff", "image/tiff")]


@pytest.mark.parametrize(("ending", "media_type"), FORMS)
def test_every_kind_of_picture(
    server: Running, data: Path, tmp_path: Path, ending: str, media_type: str
) -> None:
    inputs = [data / name for name in PICTURES]
    command = [sys.executable, "-m", "edgesr", "upscale", "-m", "esr-fast", "-f", ending]
    subprocess.run([*command, "-o", tmp_path / "out", *inputs], check=True, capture_output=True)
    for path in inputs:
        expected = (tmp_path / "out" / f"{path.stem}_x4.{ending}").read_bytes()
        answer = server.ask("POST", f"/upscale?format={ending}", path.read_bytes())
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"] == media_type
        assert answer.body == expected, path.name
        by_header = server.ask("POST", "/upscale", path.read_bytes(), {"Accept": media_type})
        assert by_header.body == expected, path.name


def test_quality_and_what_is_lost(server: Running, data: Path, tmp_path: Path) -> None:
    photo = data / "pictures/grey_16.png"
    target = tmp_path / "a.jpg"
    command = [sys.executable, "-m", "edgesr", "upscale", "-m", "esr-fast", "--quality", "40"]
    subprocess.run([*command, "-o", target, photo], check=True, capture_output=True)
    answer = server.ask("POST", "/upscale?format=jpg&quality=40", photo.read_bytes())
    assert answer.body == target.read_bytes()
    assert answer.headers["edgesr-notes"] == "JPEG holds 8 bits a channel; the picture had 16"
    assert "run;dur=" in answer.headers["server-timing"]


def test_a_body_in_chunks_and_connections_that_are_kept(server: Running, data: Path) -> None:
    photo = (data / "photo.png").read_bytes()
    whole = server.ask("POST", "/upscale", photo)
    pieces = (photo[at : at + 999] for at in range(0, len(photo), 999))
    assert server.ask("POST", "/upscale", pieces).body == whole.body
    request = b"POST /upscale HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(
        photo
    )
    both = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + request + photo
    with server.connect() as connection:
        connection.sendall(both + request + photo)
        received = b""
        while received.count(whole.body) < 2:
            part = connection.recv(1 << 16)
            assert part
            received += part
    assert received.startswith(b"HTTP/1.1 200 OK")


def test_each_picture_gets_the_network_that_suits_it(
    start: Callable[..., Running], data: Path, tmp_path: Path
) -> None:
    """As `edgesr upscale` chooses it: `photo` for a JPEG, `student` for a PNG."""
    server = start()
    assert json.loads(server.ask("GET", "/health").body)["model"] == "student or photo"
    for name, network in (("turned_exif_icc.jpg", "photo"), ("grey.png", "student")):
        path, made = data / "pictures" / name, tmp_path / f"{network}.png"
        command = [sys.executable, "-m", "edgesr", "upscale", path, "-o", made]
        subprocess.run(command, check=True, capture_output=True)
        answer = server.ask("POST", "/upscale", path.read_bytes())
        assert answer.headers["edgesr-model"] == network
        assert answer.body == made.read_bytes()
