import json
from pathlib import Path

import cv2
import pytest

from edgesr.cli import main
from edgesr.models.checkpoint import load_network

TINY = "mambalitesr:D8-G1-B1-N2"
FAST = ["--patch=8", "--batch=2", "--steps=4", "--warmup=1", "--log-every=2", "--device=cpu"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    city = cv2.imread(str(Path(__file__).parents[1] / "data" / "city_512.jpg"))
    cv2.imwrite(str(folder / "one.png"), city[:64, :80])
    cv2.imwrite(str(folder / "small.png"), city[:16, :80])
    return folder


def _run(*arguments: object) -> int:
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_train_then_distil(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "set" / "HR").mkdir(parents=True)
    (tmp_path / "set" / "HR" / "one.png").symlink_to(pictures / "one.png")
    first = tmp_path / "first"
    options = ["--data", pictures, "--validate", tmp_path / "set", "--validate-every", 2, "--json"]
    assert _run("train", "--model", f"{TINY}-SKIP", "-o", first, *options, *FAST) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert (result["step"], result["finished"]) == (4, True)
    assert said.err.count("PSNR-Y") == 2  # one line a validation, as this is no terminal
    assert "pictures smaller than a patch 1" in said.err
    assert Path(result["curves"]).read_text().startswith("<?xml")
    load_network(f"{TINY}-SKIP", 4, Path(result["weights"]))

    second = tmp_path / "second"
    distil = ["distill", "--teacher", result["weights"], "--model", TINY, "--alpha", 0.5]
    distil += ["--feature-affinity", 2]
    assert _run(*distil, "-o", second, "--data", pictures, *FAST) == 0
    assert "step 4: finished" in capsys.readouterr().out
    config = json.loads((second / "config.json").read_text())["invocations"][0]["config"]
    assert config["distillation"] == {
        "teacher": result["weights"], "network": None, "alpha": 0.5, "feature_affinity": 2.0,
    }  # fmt: skip
    load_network(TINY, 4, second / "mambalitesr_D8-G1-B1-N2_x4.safetensors")


def test_both_commands_take_the_same_training_options() -> None:
    import inspect

    from edgesr.cli import distill, train

    def shared(command: object, own: set[str]) -> dict[str, inspect.Parameter]:
        parameters = inspect.signature(command).parameters  # type: ignore[arg-type]
        return {name: value for name, value in parameters.items() if name not in own}

    own = {"teacher", "teacher_model", "alpha", "feature_affinity"}
    assert shared(train.command, set()) == shared(distill.command, own)


def test_defaults_are_those_of_the_configuration() -> None:
    import dataclasses
    import inspect

    from edgesr.cli import train
    from edgesr.train.config import TrainConfig

    fields = {field.name: field.default for field in dataclasses.fields(TrainConfig)}
    for name, parameter in inspect.signature(train.command).parameters.items():
        if name in {"context", "data", "out", "steps", "milestones", "as_json"}:
            continue
        assert parameter.default == fields[name], name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--patch", 64], "all 2 pictures are smaller than a patch of 256x256"),
        (["--model", "nonsense"], "no network is called"),
        (["--model", "bicubic"], "nothing to train"),
        (["--schedule", "milestones", "--milestones", "a,b"], "numbers separated by commas"),
        (["--weights", "absent.safetensors"], "cannot be read"),
        (["--validate", "absent"], "no such folder"),
        (["--validate", "{set}"], "too few"),
        (["--scale", 5], "has scales 2, 3, 4"),
        (["-o", "{file}"], "cannot be made a folder"),
        (["--cache", "{file}"], "cannot be made a folder"),
    ],
)
def test_errors_are_one_message(
    options: list[object], message: str, pictures: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "HR").symlink_to(pictures)
    places = {"set": tmp_path / "set", "file": pictures / "one.png"}
    options = [str(option).format(**places) for option in options]
    base = ["train", "--data", pictures, "-o", tmp_path / "run", "--model", TINY, *FAST]
    assert _run(*base, *options) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not (tmp_path / "run" / "checkpoint.pt").exists()
