"""One grammar for all commands: the same thing has the same name everywhere."""

import ast
import importlib
import inspect
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from edgesr.cli import app, main
from edgesr.imaging.encode import FORMATS

ROOT = Path(__file__).parents[2]
COMMANDS: dict[str, Any] = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def options(command: Any) -> dict[str, Any]:
    """Return the options of a command by their long name; an argument has none."""
    return {
        name: one
        for one in command.params
        for name in (*one.opts, *one.secondary_opts)
        if name.startswith("--")
    }


def arguments(command: Any) -> list[str]:
    return [one.name for one in command.params if one.param_type_name == "argument"]


def test_a_model_is_m_and_may_be_repeated_where_several_make_sense() -> None:
    wanted = set(COMMANDS) - {"compare-runs", "doctor", "power", "report"}
    taking = {name for name, command in COMMANDS.items() if "--model" in options(command)}
    assert taking == wanted
    for name in taking:
        assert "-m" in options(COMMANDS[name])["--model"].opts, name
    repeatable = {name for name in taking if options(COMMANDS[name])["--model"].multiple}
    assert repeatable == {"bench", "compare", "models"}
    left = {name: arguments(command) for name, command in COMMANDS.items() if arguments(command)}
    assert left == {  # what is read and is no model
        "compare": ["photo"],
        "compare-runs": ["first", "second"],
        "power": ["log"],
        "report": ["folder"],
        "upscale": ["inputs"],
    }


@pytest.mark.parametrize(
    ("long", "short"),
    [("--model", "-m"), ("--output", "-o"), ("--scale", "-s"), ("--tile", "-t")],
)
def test_an_option_has_one_short_name(long: str, short: str) -> None:
    for name, command in COMMANDS.items():
        found = options(command).get(long)
        assert found is None or short in found.opts, f"{name} {long}"
        others = [one for one in command.params if short in one.opts and long not in one.opts]
        assert not others, f"{name} {short}"


def test_times_are_in_seconds_and_say_so() -> None:
    """A number that may be a fraction is a time, unless it is one of these."""
    others = {
        *("alpha", "feature_affinity", "weight_decay", "clip_norm", "ema", "lr", "lr_min"),
        *("max_body_mb", "scale"),
    }
    times = set()
    for name in COMMANDS:
        command = importlib.import_module(f"edgesr.cli.{name.replace('-', '_')}").command
        for one in inspect.signature(command, eval_str=True).parameters.values():
            if "float" in str(getattr(one.annotation, "__origin__", "")) and one.name not in others:
                times.add(one.name)
    assert times == {"interval_s", "idle_s", "window_s", "duration_s", "time_limit_s"}


def test_a_word_means_one_thing() -> None:
    """The same option has the same help wherever it is; what differs is listed here, with why."""
    differing = {
        "--model",  # which files a command takes
        "--output",  # what is written
        "--scale",  # of a file that is read, or of a network that is made
        "--tile",  # of pictures, or of the graph
        "--size",  # of a result, or of the frames of a source
        "--batch",  # of a call, or of a step of training
        "--precision",  # of a graph, of an engine, of training
        "--data",  # pictures to train on, or sets to measure on
        "--weights",  # to start from, to evaluate, to export
        "--device",  # of weights, or of a training
        "--power-mode",  # insisted on, or swept
        "--overwrite",  # of what
        "--check",  # of seams, or before a build
        "--interval-s",  # of a sensor, or of a log
        "--duration-s",  # of a training, or of a live picture
        "--warmup",  # calls, or steps
        "--json",  # the manifest is the document of an export
    }
    told: dict[str, set[str]] = {}
    for command in COMMANDS.values():
        for option, one in options(command).items():
            told.setdefault(option, set()).add(one.help)
    assert {option for option, helps in told.items() if len(helps) > 1} <= differing


def test_train_and_distill_have_the_same_options() -> None:
    train, distill = (options(COMMANDS[name]) for name in ("train", "distill"))
    assert set(distill) - set(train) == {
        "--teacher", "--teacher-model", "--alpha", "--feature-affinity",
    }  # fmt: skip
    for name, one in train.items():
        assert (one.help, one.default) == (distill[name].help, distill[name].default), name


def test_format_and_output_know_the_same_formats() -> None:
    said = options(COMMANDS["upscale"])["--format"].help
    for kind in FORMATS:
        assert kind.suffixes[0].removeprefix(".") in re.findall(r"\w+", said), kind.name


@pytest.mark.parametrize("suffix", sorted({end for kind in FORMATS for end in kind.suffixes}))
def test_a_format_is_written_by_its_name_and_by_the_ending_of_output(
    suffix: str, tmp_path: Path, data: Path
) -> None:
    if suffix == ".avif":
        pytest.importorskip("PIL")
    photo = str(data / "photo.png")
    run("upscale", photo, "-m", "esr-fast", "-f", suffix[1:], "-o", f"{tmp_path}/by_name/")
    run("upscale", photo, "-m", "esr-fast", "-o", str(tmp_path / f"by_ending{suffix}"))
    (by_name,) = (tmp_path / "by_name").iterdir()
    assert by_name.read_bytes() == (tmp_path / f"by_ending{suffix}").read_bytes()


def run(*words: str, code: int = 0) -> None:
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    assert stop.value.code == code


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("bench --power none --idle-s 3", "--idle-s"),
        ("bench --power-mode 15w", "--power-mode"),
        ("build-engine --list-boards --batch 2", "--batch"),
        ("build-engine --check --no-plugin --board rtx", "--no-plugin"),
        ("build-engine --check --board rtx -o x.engine", "--output"),
        ("build-engine -m x.onnx -s 4 --board rtx", "--scale"),
        ("eval -m espcn --data . --weights w.safetensors --backend torch", "--backend"),
        ("eval -m espcn --data . --device cpu", "--device"),
        ("eval -m bicubic --data . --tile 32", "--tile"),
        ("export --calibrate .", "--calibrate"),
        ("export --data .", "--data"),
        ("power {log} --interval-s 2", "--interval-s"),
        ("train --data . -o run --milestones 0.5", "--milestones"),
        ("train --data . -o run --schedule milestones --lr-min 0", "--lr-min"),
        ("distill --teacher t --data . -o run --validate-every 5", "--validate-every"),
        ("upscale {photo} -m esr-fast --quality 90", "--quality"),
        ("upscale {photo} -m esr-fast -o one.png --suffix _big", "--suffix"),
    ],
)
def test_an_option_that_would_do_nothing_is_an_error(
    words: str,
    option: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if words.startswith("export --calibrate"):
        pytest.importorskip("onnx")
    monkeypatch.chdir(tmp_path)
    places = {
        "photo": data / "photo.png",
        "log": ROOT / "tests/power/data/logs/orin_nano_25w_load.txt",
    }
    run(*(word.format(**places) for word in words.split()), code=1)
    assert capsys.readouterr().err.startswith(f"error: {option}: ")
    assert list(tmp_path.iterdir()) == []


def _texts(tree: ast.AST) -> Iterator[ast.JoinedStr]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr))


_COMMAND = re.compile(r"(edgesr [a-z-]+|mkdir|mv|chmod|sudo|scp|export) ")
_OWN = {
    *("tile", "batch", "self.batch", "scale", "size", "number", "needed", "asked"),  # numbers
    *("session.scale", "network.scale", "self.scale"),  # numbers too, as they are read
    *("precision", "VARIABLE", "home.VARIABLE", "board.name"),
    *("INCLUDE_VARIABLE", "PACKAGES", "package"),  # words out of a list of ours
    *("file", "words"),  # quoted above
    "replace(request, onnx=Path(request.onnx.name)).command()",
}
"""What is put into a command as it is, because it holds no text of a person's or of a file's."""


def test_what_is_put_into_a_command_to_type_is_quoted() -> None:
    """A file's name may hold blanks and worse; a manifest's network may hold anything."""
    wrong = []
    for path in sorted((ROOT / "edgesr").rglob("*.py")):
        for text in _texts(ast.parse(path.read_text())):
            first = text.values[0]
            if not (isinstance(first, ast.Constant) and _COMMAND.match(str(first.value))):
                continue
            for value in text.values:
                if isinstance(value, ast.FormattedValue):
                    shown = ast.unparse(value.value)
                    is_literal = isinstance(value.value, ast.IfExp) and all(
                        isinstance(end, ast.Constant)
                        for end in (value.value.body, value.value.orelse)
                    )
                    is_safe = shown.startswith(("shell(", "math.ceil(")) or shown in _OWN
                    if not (is_safe or is_literal):
                        wrong.append(f"{path.relative_to(ROOT)}:{value.lineno}: {shown}")
    assert wrong == []


def test_a_printed_command_is_one_that_a_shell_reads_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "it's; a $HOME"
    pytest.importorskip("torch")
    run("export", "-m", "esr-fast", "-o", f"{folder}/m.onnx", code=1)
    fix = capsys.readouterr().err.partition("try: ")[2].strip()
    assert shlex.split(fix) == ["mkdir", "-p", str(folder)]
    assert os.system(fix) == 0
    assert folder.is_dir()
