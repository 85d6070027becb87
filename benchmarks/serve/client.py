"""One request of the load test, over a bare connection, and the judgement of its answer."""

import http.client
import json
import socket
import time
from dataclasses import dataclass

from benchmarks.serve.cases import Case

PIECE_BYTES = 1 << 14
TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Outcome:
    """What became of a request.

    Attributes:
        case: what was sent.
        status: of the answer, None if there was none.
        turned_away: how often the queue was full before.
        latency_ms: from the last try's connection to the last byte of its answer.
        wrong: what is wrong with the answer, empty if it is right.
    """

    case: Case
    status: int | None
    turned_away: int
    latency_ms: float
    wrong: str


def ask(port: int, case: Case) -> Outcome:
    """Send a request until the queue takes it, and judge the answer."""
    turned_away = 0
    while True:
        start = time.perf_counter()
        status, headers, body = exchange(port, case)
        latency_ms = (time.perf_counter() - start) * 1e3
        if status != 503:
            return Outcome(case, status, turned_away, latency_ms, judge(case, status, body))
        again_s = headers.get("retry-after", "")
        if not again_s.isdecimal() or not is_refusal(body):
            return Outcome(case, status, turned_away, latency_ms, "503 without a hint")
        turned_away += 1
        time.sleep(min(float(again_s), 1.0))  # less than asked for, so that the queue stays full


def exchange(port: int, case: Case) -> tuple[int | None, dict[str, str], bytes]:
    """Return status, headers and body of the answer; no status for one who went away.

    The names of headers are in lower case.
    """
    length = "Transfer-Encoding: chunked"
    if case.length is not None:
        length = f"Content-Length: {case.length}"
    head = f"POST /upscale?format={case.form} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        connection.sendall(head.encode())
        for begin in range(0, len(case.body), PIECE_BYTES):
            piece = case.body[begin : begin + PIECE_BYTES]
            if case.length is None:
                piece = b"%x\r\n%s\r\n" % (len(piece), piece)
            connection.sendall(piece)
        if case.status is None:
            return None, {}, b""
        if case.length is None:
            connection.sendall(b"0\r\n\r\n")
        response = http.client.HTTPResponse(connection)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, response.read()


def judge(case: Case, status: int | None, body: bytes) -> str:
    """Say what is wrong with an answer, nothing if it is right."""
    if status != case.status:
        return f"{status} instead of {case.status}"
    if case.expected is not None and body != case.expected:
        return "another picture"
    if case.status is not None and case.expected is None and not is_refusal(body):
        return "a refusal that does not say what, where and what next"
    return ""


def is_refusal(body: bytes) -> bool:
    """Tell whether a body is the JSON object that comes with every refusal."""
    said = json.loads(body)
    return list(said) == ["what", "where", "next"] and all(said.values())
