"""Texts of strangers on the terminal: shown as they are written in Python, never obeyed."""

import hashlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgesr.cli import main
from edgesr.weights import shipped

EVIL = "\x1b]0;title\x07\x1b[31m[red]\u202e"
SHOWN = r"\x1b]0;title\x07\x1b[31m[red]\u202e"
PHOTO = Path(__file__).parents[1] / "data/photo.png"


Run = Callable[..., str]


def is_safe(said: str) -> bool:
    return "Traceback" not in said and not {"\x1b", "\x07", "\u202e"} & set(said)


def started(folder: Path, *command: str, code: int) -> str:
    """Run a command in a process of its own, which shows what modules log; return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "edgesr", *command],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert is_safe(done.stdout + done.stderr)
    return done.stdout + done.stderr


@pytest.fixture
def edgesr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Return a function that runs a command in tmp_path: (words, code=1) -> what it says."""
    monkeypatch.chdir(tmp_path)

    def run(*command: str, code: int = 1) -> str:
        with pytest.raises(SystemExit) as ended:
            main([*command])
        said = "".join(capfd.readouterr())  # of libraries in C++ too
        assert int(ended.value.code or 0) == code
        assert is_safe(said)
        return said

    return run


def test_names_in_a_manifest(tmp_path: Path, edgesr: Run) -> None:
    onnx = shipped("esr-fast", 4, "onnx")
    (tmp_path / "m.onnx").write_bytes(onnx.read_bytes())
    fields = json.loads(onnx.with_suffix(".json").read_text())
    (tmp_path / "m.json").write_text(json.dumps(fields | {EVIL: 1}))
    said = edgesr("upscale", str(PHOTO), "-m", "m.onnx", "-o", "x.png")
    assert f"unknown field `{SHOWN}`" in said


def test_the_manifest_of_an_engine_that_nobody_named(tmp_path: Path, edgesr_home: Path) -> None:
    place = edgesr_home / "engines"
    place.mkdir(parents=True)
    (place / f"{EVIL}.engine").write_bytes(b"x")
    (place / f"{EVIL}.engine.json").write_text(json.dumps({EVIL: 1}))
    said = started(tmp_path, "upscale", str(PHOTO), "-o", "x.png", code=0)
    assert f"note: skipped: {place}/{SHOWN}.engine.json" in said


def test_keys_of_weights(tmp_path: Path, edgesr: Run) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from edgesr.models.registry import get_network

    state = dict(get_network("esr-fast").module(4).state_dict())
    save_file(state | {EVIL: torch.zeros(1)}, tmp_path / "w.safetensors")
    command = ("export", "--model", "esr-fast", "--weights", "w.safetensors", "-o", "m.onnx")
    assert SHOWN in edgesr(*command)


def test_metadata_of_weights(tmp_path: Path, edgesr: Run) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from edgesr.models.registry import get_network

    state = dict(get_network("esr-fast").module(4).state_dict())
    weights = tmp_path / "w.safetensors"
    command = ("export", "--model", "esr-fast", "--weights", weights.name, "-o", "m.onnx")
    save_file(state, weights, {"network": "esr-fast", "scale": EVIL, EVIL: EVIL})
    assert f"holds esr-fast x{SHOWN}, not x4" in edgesr(*command)
    # A name that is not known says nothing about the shapes, which fit, so this is exported.
    save_file(state, weights, {"network": EVIL, "scale": "4", EVIL: EVIL})
    edgesr(*command, code=0)
    torch.save({EVIL: torch.zeros(1)}, tmp_path / "w.pth")
    assert SHOWN in edgesr(*(word.replace(".safetensors", ".pth") for word in command))


def test_names_in_a_graph(tmp_path: Path) -> None:
    """ONNX Runtime quotes names of nodes in its errors, and logs some by itself."""
    onnx = pytest.importorskip("onnx")

    name = shipped("esr-fast", 4, "onnx")
    model = onnx.load(name)
    model.graph.node[0].name = model.graph.node[0].op_type = EVIL
    content = model.SerializeToString()
    (tmp_path / "m.onnx").write_bytes(content)
    fields = json.loads(name.with_suffix(".json").read_text())
    digest = {"onnx_sha256": hashlib.sha256(content).hexdigest()}
    (tmp_path / "m.json").write_text(json.dumps(fields | digest))
    started(tmp_path, "upscale", str(PHOTO), "-m", "m.onnx", "-o", "x.png", code=1)


def test_names_of_files_in_json_stay_json(tmp_path: Path, edgesr: Run) -> None:
    name = f"a\x7f\x9b{EVIL}\n\t.png"
    (tmp_path / name).write_bytes(PHOTO.read_bytes())
    said = edgesr("upscale", name, "-m", "bicubic", "-o", "x.png", "--json", code=0)
    file = json.loads(said)
    assert file["input"] == name


def test_an_error_is_one_line(tmp_path: Path, edgesr: Run) -> None:
    said = edgesr("upscale", "a\nnote: all is well\u2028.png", "-m", "bicubic", "-o", "x.png")
    assert said.endswith("error: a\\nnote: all is well\\n.png: no such file\n")
    said = edgesr("upscale", str(PHOTO), "-m", "x" * 100_000, "-o", "x.png")
    assert len(said) < 5000


def test_the_table_of_eval_on_a_terminal(tmp_path: Path) -> None:
    """A set is named by its folder, which rich would take for its own markup."""
    name = f"[bold]set{EVIL}"
    (tmp_path / name / "HR").mkdir(parents=True)
    (tmp_path / name / "HR/a.png").write_bytes(PHOTO.read_bytes())
    said = on_a_terminal(tmp_path, "eval", "-m", "bicubic", "--data", name)
    assert f"[bold]set{SHOWN}" in "".join(said.split())
    assert "\x1b]0;title" not in said
    assert "\u202e" not in said


def test_the_progress_of_a_picture_on_a_terminal(tmp_path: Path) -> None:
    name = f"[bold]a{EVIL}.png"
    (tmp_path / name).write_bytes(PHOTO.read_bytes())
    said = on_a_terminal(tmp_path, "upscale", name, "-m", "bicubic", "-o", "x.png")
    assert "[bold]a" in said
    assert "\x1b]0;title" not in said
    assert "\u202e" not in said


def on_a_terminal(folder: Path, *command: str) -> str:
    """Return what a command says where both of its outputs are a terminal, 300 columns wide."""
    main, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "edgesr", *command],
        cwd=folder, stdin=end, stdout=end, stderr=end, env={**os.environ, "COLUMNS": "300"},
    ) as process:  # fmt: skip
        os.close(end)
        said = b""
        try:
            while part := os.read(main, 1 << 16):
                said += part
        except OSError:
            pass  # how Linux says that nobody holds the other end any more
    os.close(main)
    assert process.returncode == 0
    return said.decode()


def test_power_logs(tmp_path: Path, edgesr: Run) -> None:
    (tmp_path / "a.log").write_text(f"{EVIL}\n" * 3)
    (tmp_path / "b.csv").write_text(f"time_s,rails_mw.{EVIL}\n0.0,1\n1.0,x{EVIL}\n")
    (tmp_path / "c.csv").write_text(f"time_s,rails_mw.{EVIL}\n0.0,1\n1.0,2\n")
    for name, code in {"a.log": 1, "b.csv": 1, "c.csv": 0}.items():
        edgesr("power", name, code=code)


def test_run_json(tmp_path: Path, edgesr: Run) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text(json.dumps({"format": "edgesr-bench/1", EVIL: 1}))
    edgesr("report", "run")


def test_names_that_are_not_utf8_are_written_too(tmp_path: Path, edgesr: Run) -> None:
    name = os.fsdecode(b"b\xff.png")
    (tmp_path / name).write_bytes(PHOTO.read_bytes())
    edgesr("compare", name, "-m", "esr-fast", "-o", "sheet.png", code=0)
    edgesr("compare", name, "-m", "esr-fast", "-o", "page.html", code=0)
    assert "<h1>b?.png" in (tmp_path / "page.html").read_text("utf-8")
    measured = ("--samples", "5", "--rounds", "1", "--warmup", "0", "--power", "none")
    edgesr("bench", "-m", "esr-fast", *measured, "--input", name, "-o", "run", code=0)
    edgesr("report", "run", code=0)


def test_names_in_a_locale_without_their_letters(tmp_path: Path) -> None:
    (tmp_path / "ö.png").write_bytes(PHOTO.read_bytes())
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "edgesr", "upscale", "ö.png", "-m", "esr-fast"],
        cwd=tmp_path, env=os.environ | ascii_only, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ö_x4.png").is_file()
