"""The command line as a whole: quick to start, one clear error, every command there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from edgesr.cli import app, main
from edgesr.version import __version__

HEAVY = {"torch", "onnx", "onnxruntime", "cv2", "numpy", "tensorrt", "tensorrt_rtx", "matplotlib"}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from edgesr.cli import main\n"
        "try:\n    main(['--help'])\n"
        "finally:\n    print('imported:', *{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = done.stdout.rpartition("imported: ")[2].split()
    assert "upscale" in done.stdout
    assert HEAVY.isdisjoint(imported)


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    names = [command.name for command in app.registered_commands]
    assert {"upscale", "eval", "export", "train", "distill", "models"} <= set(names)
    for command in app.registered_commands:
        assert command.callback is not None
        assert command.callback.__doc__, command.name
        with pytest.raises(SystemExit) as stopped:
            main([str(command.name), "--help"])
        assert stopped.value.code == 0
    assert "Usage" in capsys.readouterr().out


def test_help_says_all_that_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text in square brackets is markup to the library that prints help, and is swallowed."""
    monkeypatch.setattr(typer.rich_utils, "MAX_WIDTH", 300)
    for name, command in typer.main.get_command(app).commands.items():
        with pytest.raises(SystemExit):
            main([name, "-h"])
        shown = " ".join(capsys.readouterr().out.split())
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"
            assert " ".join(parameter.help.split()) in shown, f"{name} {parameter.name}"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.strip() == f"edgesr {__version__}"


def test_an_error_is_one_message_without_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edgesr", "upscale", "no-such-photo.png"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no-such-photo.png" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_the_output_is_one_message(unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "edgesr", "build-engine", "--list-boards"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        )
    assert done.returncode == 1
    assert done.stderr == "error: No space left on device\n"


@pytest.mark.parametrize(
    ("command", "written"),
    [(("upscale", "grey.png", "-o", "."), ["grey_x4.png"]), (("doctor",), [])],
)
def test_onnx_runtime_sends_nothing_home(
    command: tuple[str, ...], written: list[str], tmp_path: Path, data: Path
) -> None:
    """Its official builds keep usage events in the home and temporary folders, and upload them."""
    names = ("XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY")
    kept = {key: value for key, value in os.environ.items() if key not in names}
    shutil.copy(data / "pictures/grey.png", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "edgesr", *command],
        env=kept | {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["grey.png", *written]


def test_unknown_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["upscale", "--no-such-option"])
    assert stopped.value.code == 2
    assert "no-such-option" in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["0", "-1", "nan", "inf", "1e300"])
def test_a_limit_that_cannot_be_is_told_of_the_option(
    limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([f"--max-megapixels={limit}", "models"])
    assert stopped.value.code == 1
    assert capsys.readouterr().err.startswith("error: --max-megapixels: must be a number above 0")
