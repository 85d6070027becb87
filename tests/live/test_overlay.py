"""What stands in the picture, and power and temperature as they get there."""

import time
from pathlib import Path

import numpy as np
import pytest

from edgesr.live.enlarge import Enlarger
from edgesr.live.meter import Meter
from edgesr.live.overlay import Overlay, draw_lines


def test_the_two_lines() -> None:
    known = Overlay(24.96, 7.314, 51.25, 38.4, 12, "esr-fast x4 on tensorrt")
    assert known.lines() == (
        "25.0 fps   7.31 W   51.2 C",
        "esr-fast x4 on tensorrt, last age 38 ms, 12 dropped",
    )
    nothing = Overlay(None, None, None, None, 0, "m")
    assert nothing.lines() == ("- fps   power unknown   temperature unknown", "m, 0 dropped")


@pytest.mark.parametrize("size", [(1440, 2560), (96, 128), (16, 16), (480, 64)])
def test_letters_are_light_on_a_darkened_corner(size: tuple[int, int]) -> None:
    rgb = np.full((*size, 3), 240, np.uint8)
    draw_lines(rgb, ("25.0 fps   7.31 W", "esr-fast"))
    changed = (rgb != 240).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.min() == columns.min() == 0
    box = rgb[: rows.max() + 1, : columns.max() + 1]
    assert (box == 80).all(axis=2).mean() > 0.4  # the ground, a third as bright
    if size[0] > 16:
        assert (box > 200).any()  # letters
    if size[0] > 100:
        assert rows.max() < size[0] / 4


def test_letters_stay_within_a_narrow_picture() -> None:
    rgb = np.full((360, 100, 3), 240, np.uint8)
    draw_lines(rgb, ("25.0 fps   7.31 W   51.2 C", "a long name of a network on onnxruntime"))
    assert (rgb[:, -4:] <= 240).all()


def test_power_and_temperature_are_those_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "tegrastats.log"
    log.write_text(
        "".join(
            f"07-21-2025 16:33:4{n} RAM 1000/7620MB (lfb 2x4MB) CPU [5%@1510,2%@1510] "
            f"cpu@{40 + n}C tj@{50 + n}.5C VDD_IN {4000 + n}mW/4000mW VDD_SOC 900mW/900mW\n"
            for n in range(4)
        )
    )
    with Meter(f"replay:{log}", "cpu") as meter:
        deadline = time.monotonic() + 20
        while meter.now.power_w != 4.003 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert (meter.now.power_w, meter.now.temperature_c) == (4.003, 53.5)
        assert meter.source == "replay"
    assert meter.hottest_c == 53.5
    assert meter.mean_w is not None and 4.0 <= meter.mean_w <= 4.003


def test_without_a_sensor_power_is_unknown_and_the_kernel_tells_the_temperature(
    tmp_path: Path,
) -> None:
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("x86_pkg_temp\n")
    (zone / "temp").write_text("47500\n")
    with Meter("none", "cpu", tmp_path) as meter:
        assert (meter.now.power_w, meter.now.temperature_c) == (None, 47.5)
    assert meter.mean_w is None and meter.failure == "power was not asked for"


def test_a_frame_is_what_upscale_writes() -> None:
    """Against a photograph's way through the same network, tile borders included."""
    from edgesr.imaging.picture import Picture
    from edgesr.runtime.photograph import upscale_picture
    from edgesr.runtime.select import open_session

    rgb = np.random.default_rng(0).integers(0, 256, (70, 131, 3), np.uint8)
    session = open_session("esr-fast", "onnxruntime")
    try:
        expected = upscale_picture(session, Picture(colour=rgb, alpha=None)).picture.colour
        np.testing.assert_array_equal(Enlarger(session, 70, 131).run(rgb), expected)
    finally:
        session.close()
