"""Who is let in: this machine's own page and programs, no page of anybody else."""

from pathlib import Path

import pytest
from running_server import Running

from edgesr.serve.refusal import RequestRefusal
from edgesr.serve.visitors import Visitor, check_visitor

NAMES = {"jetson", "jetson.local"}
HERE = "192.168.1.5:8000"


@pytest.mark.parametrize(
    "visitor",
    [
        Visitor("POST", HERE),  # a program
        Visitor("GET", "localhost:8000"),
        Visitor("GET", "[::1]:8000"),
        Visitor("GET", "JETSON.local"),
        Visitor("POST", HERE, origin=f"http://{HERE}", fetch_site="same-origin", fetch_mode="cors"),
        Visitor("POST", "jetson", origin="https://jetson"),  # behind a proxy with TLS
        Visitor("GET", HERE, fetch_site="none", fetch_mode="navigate"),
        Visitor("GET", HERE, fetch_site="cross-site", fetch_mode="navigate"),  # a link
    ],
)
def test_let_in(visitor: Visitor) -> None:
    check_visitor(visitor, NAMES)


@pytest.mark.parametrize(
    "visitor",
    [
        Visitor("GET"),
        Visitor("GET", ""),
        Visitor("GET", "evil.example"),  # its name points at our address
        Visitor("GET", "evil.example:8000"),
        Visitor("GET", "localhost.evil.example"),
        Visitor("GET", "localhost@evil.example"),
        Visitor("GET", "127.0.0.1.evil.example"),
        Visitor("GET", "2130706433"),  # no address as browsers write them
        Visitor("POST", HERE, origin="http://evil.example"),
        Visitor("POST", HERE, origin="null"),  # a frame in a sandbox, a file
        Visitor("POST", HERE, origin=""),
        Visitor("POST", HERE, origin="http://192.168.1.5:9000"),  # another server there
        Visitor("POST", HERE, origin=f"http://{HERE}.evil.example"),
        Visitor("POST", HERE, origin=f"http://evil@{HERE}"),
        Visitor("POST", HERE, origin="http://["),
        Visitor("GET", HERE, fetch_site="cross-site", fetch_mode="no-cors"),
        Visitor("GET", HERE, fetch_site="same-site", fetch_mode="cors"),
        Visitor("POST", HERE, fetch_site="cross-site", fetch_mode="navigate"),  # a form
    ],
)
def test_refused(visitor: Visitor) -> None:
    with pytest.raises(RequestRefusal) as refused:
        check_visitor(visitor, NAMES)
    assert refused.value.status == 403


def test_over_the_wire(server: Running, data: Path) -> None:
    photo = (data / "photo.png").read_bytes()
    rebound = server.ask("GET", "/", headers={"Host": f"evil.example:{server.port}"})
    assert rebound.status == 403
    assert rebound.refusal()["where"] == "header Host"
    foreign = server.ask("POST", "/upscale", photo, {"Origin": "http://evil.example"})
    assert foreign.status == 403
    assert foreign.refusal()["where"] == "header Origin"
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    assert server.ask("OPTIONS", "/upscale", headers=asked).status == 403
    own = server.ask("POST", "/upscale", photo, {"Origin": f"http://127.0.0.1:{server.port}"})
    assert own.status == 200
    for answer in (rebound, foreign, own):
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/health", "/metrics", "/upscale", "/nowhere"])
def test_every_answer_is_locked_up(server: Running, path: str) -> None:
    headers = server.ask("GET", path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers


def test_a_name_can_be_added(start) -> None:
    named = start("-m", "esr-fast", "--name", "Pictures.Example")
    assert named.ask("GET", "/", headers={"Host": "pictures.example"}).status == 200
    assert named.ask("GET", "/", headers={"Host": "other.example"}).status == 403
