"""What /metrics and /health say, read by Prometheus's own parser."""

import json
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from running_server import Running


def figures(server: Running) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = server.ask("GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


def test_a_picture_is_counted(server: Running, data: Path) -> None:
    photo = (data / "photo.png").read_bytes()
    before = figures(server)
    answer = server.ask("POST", "/upscale", photo)
    server.ask("POST", "/upscale", b"no picture")
    server.ask("GET", "/some/where/else")
    after = figures(server)

    def grown(name: str, *labels: str) -> float:
        return after[name, labels] - before.get((name, labels), 0.0)

    assert grown("edgesr_http_responses_total", "/upscale", "200") == 1
    assert grown("edgesr_http_responses_total", "/upscale", "422") == 1
    assert grown("edgesr_http_responses_total", "other", "404") == 1
    assert grown("edgesr_input_pixels_total") == 144 * 108
    assert grown("edgesr_received_bytes_total") == len(photo)
    assert grown("edgesr_result_bytes_total") == len(answer.body)
    assert grown("edgesr_upscale_seconds_count") == 1
    assert 0 < grown("edgesr_upscale_seconds_sum") < 60
    assert grown("edgesr_wait_seconds_count") == 1
    assert after["edgesr_queue_places", ()] == 9
    assert after["edgesr_queue_taken", ()] == 0
    resident = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096
    assert abs(after["process_resident_memory_bytes", ()] - resident) < 20e6


def test_health(server: Running) -> None:
    said = json.loads(server.ask("GET", "/health").body)
    assert said.pop("version")
    assert said == {
        "status": "ok",
        "model": "esr-fast",
        "scale": 4,
        "backend": "onnxruntime",
        "in_line": 0,
        "places": 9,
    }
