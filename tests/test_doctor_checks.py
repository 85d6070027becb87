import dataclasses

import pytest

from edgesr import doctor
from edgesr.boards import device
from edgesr.boards.gpu import Gpu
from edgesr.doctor import MISSING, NOTE, OK, diagnose, next_steps
from edgesr.engine import find, nvcc
from edgesr.engine.plugin_build import COST
from edgesr.files import sha256


def by_name(checks):
    return {check.name: check for check in checks}


def add_sensor(root):
    folder = root / "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1"
    folder.mkdir(parents=True)
    files = {"name": "ina3221", "in1_label": "VDD_IN", "in1_input": "4976", "curr1_input": "1024"}
    for name, text in files.items():
        (folder / name).write_text(text + "\n")


def test_a_board_without_its_software(orin_nano, tmp_path):
    add_sensor(orin_nano)
    checks = by_name(diagnose(orin_nano, tmp_path / "engines"))
    assert checks["board"].text.startswith("Jetson Orin Nano 8 GB")
    assert checks["Jetson Linux"].text == "36.4.3"
    assert checks["CUDA"].text == "12.6.11"
    assert checks["power mode"].text.startswith("MAXN_SUPER; there are 15W (0), 25W (1)")
    assert checks["GPU clock"].text == "306 MHz, up to 1020"
    assert "VDD_IN" in checks["power rails"].text
    assert checks["numpy"].state == OK
    assert checks["TensorRT"].state == MISSING  # JetPack's tensorrt is nowhere but on a Jetson
    steps = next_steps(tuple(checks.values()), is_jetson=True)
    assert any("python3-libnvinfer" in step for step in steps)


def test_a_gpu_that_is_capped_below_its_mode_is_noted(orin_nano, tmp_path):
    """A Super device tree on old boot firmware: the mode says MAXN_SUPER, the GPU stays at 624."""
    path = orin_nano / "sys/class/devfreq/17000000.gpu/max_freq"
    path.write_text("624750000\n")
    check = by_name(diagnose(orin_nano, tmp_path))["GPU clock"]
    assert check.state == NOTE
    assert "capped at 624 MHz, though MAXN_SUPER allows 1020" in check.text


def test_a_board_without_cuda(orin_nano, tmp_path):
    (orin_nano / "usr/local/cuda/version.json").unlink()
    check = by_name(diagnose(orin_nano, tmp_path))["CUDA"]
    assert (check.state, check.fix) == (MISSING, "sudo apt install nvidia-jetpack")


def test_a_pc_lacks_nothing_for_having_no_board(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "first_gpu", lambda: None)
    checks = diagnose(tmp_path, tmp_path)
    assert by_name(checks)["board"].state == NOTE
    assert {check.name for check in checks if check.state == MISSING} <= {"models"}


def test_on_a_pc_with_a_gpu_and_tensorrt_engines_can_run(tmp_path, monkeypatch):
    simulated = pytest.importorskip("simulated_cuda")
    simulated.install(monkeypatch, simulated.Gpu())
    monkeypatch.setattr(device, "first_gpu", lambda: Gpu("NVIDIA H200", "9.0", "13.0", 143771))
    check = by_name(diagnose(tmp_path, tmp_path))["board"]
    assert check.state == OK
    assert check.text == "NVIDIA H200, 143771 MiB (--board gpu); engines can run"
    monkeypatch.setitem(__import__("sys").modules, "tensorrt", None)
    monkeypatch.setitem(__import__("sys").modules, "tensorrt_rtx", None)
    checks = diagnose(tmp_path, tmp_path)
    assert by_name(checks)["board"].text.endswith("once TensorRT is installed")
    assert {check.name for check in checks if check.state == MISSING} <= {"models"}


def test_whether_plugins_can_be_compiled_and_what_it_costs_if_not(tmp_path, monkeypatch):
    simulated = pytest.importorskip("simulated_cuda")
    simulated.install(monkeypatch, simulated.Gpu())  # its TensorRT is 10.3.0
    gpu = Gpu("NVIDIA H200", "9.0", "99.0", 143771)
    for module in (device, doctor):
        monkeypatch.setattr(module, "first_gpu", lambda: gpu)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(nvcc, "USUAL_NVCC", tmp_path / "nvcc")
    monkeypatch.setenv(nvcc.INCLUDE_VARIABLE, str(tmp_path / "include"))
    check = by_name(diagnose(tmp_path, tmp_path))["plugins"]
    assert (check.state, check.fix) == (NOTE, "sudo apt install cuda-nvcc-*")
    assert check.text == f"there is no nvcc: {COST}"
    compiler = tmp_path / "nvcc"
    compiler.write_text('#!/bin/sh\necho "release 12.6, V12.6.68"\n')
    compiler.chmod(0o755)
    check = by_name(diagnose(tmp_path, tmp_path))["plugins"]
    assert check.state == NOTE
    assert "holds no NvInfer.h" in check.text
    monkeypatch.delenv(nvcc.INCLUDE_VARIABLE)
    monkeypatch.setattr(nvcc, "HEADER_FOLDERS", (str(tmp_path / "include"),))
    check = by_name(diagnose(tmp_path, tmp_path))["plugins"]
    assert check.text == f"there are no headers of TensorRT 10.3.0: {COST}"
    assert "libnvinfer-dev" in check.fix
    header = tmp_path / "include" / "NvInferVersion.h"
    header.parent.mkdir()
    parts = {"MAJOR": 10, "MINOR": 3, "PATCH": 0}
    header.write_text("".join(f"#define NV_TENSORRT_{k} {v}\n" for k, v in parts.items()))
    check = by_name(diagnose(tmp_path, tmp_path))["plugins"]
    assert (check.state, check.fix) == (OK, None)
    assert "nvcc 12.6.68" in check.text and str(tmp_path / "include") in check.text


def test_without_tensorrt_or_gpu_nothing_is_said_of_plugins(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "first_gpu", lambda: None)
    assert "plugins" not in by_name(diagnose(tmp_path, tmp_path))


@pytest.fixture
def engine(tmp_path, engine_manifest, monkeypatch):
    simulated = pytest.importorskip("simulated_cuda")
    simulated.install(monkeypatch, simulated.Gpu())
    monkeypatch.setattr(find, "first_gpu", lambda: Gpu("Orin", "8.7", "12.6"))
    path = tmp_path / "engines" / "small.engine"
    path.parent.mkdir()
    path.write_bytes(b"plan")
    return path, dataclasses.replace(engine_manifest, engine_sha256=sha256(path))


def test_engines_and_what_to_do_with_them(engine, tmp_path):
    path, manifest = engine
    manifest.write(path)
    check = by_name(diagnose(tmp_path, path.parent))["small.engine"]
    assert (check.state, check.fix) == (OK, None)
    assert "verified: 60.0 dB" in check.text
    dataclasses.replace(manifest, verification=None).write(path)
    check = by_name(diagnose(tmp_path, path.parent))["small.engine"]
    assert check.fix == f"edgesr verify -m {path}"
    assert next_steps((check,), is_jetson=True) == (check.fix,)
    path.write_bytes(b"another plan")
    check = by_name(diagnose(tmp_path, path.parent))["small.engine"]
    assert check.state == NOTE
    assert "truncated" in check.text


def test_what_comes_after_installing():
    assert next_steps((), is_jetson=True) == ("edgesr build-engine",)
    assert next_steps((), is_jetson=False)[0] == "edgesr upscale photo.png"
    missing = doctor.Check("x", MISSING, "gone", "sudo apt install x")
    assert next_steps((missing, missing), is_jetson=True) == ("sudo apt install x",)


def test_a_gpu_that_may_clock_above_its_mode_is_noted(orin_nano, tmp_path):
    """After boot: the id says 25W (918 MHz), and the clock of MAXN_SUPER is still allowed."""
    (orin_nano / "var/lib/nvpmodel/status").write_text("pmode:0001 fmode:quiet")
    check = by_name(diagnose(orin_nano, tmp_path))["GPU clock"]
    assert check.state == NOTE
    assert "may reach 1020 MHz, though 25W allows 918" in check.text
    assert check.fix == "sudo nvpmodel -m 1"
