import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_disk import small_disk

from edgesr.errors import ConfigError, EdgesrError, WeightsError
from edgesr.models.checkpoint import load_metadata, load_network
from edgesr.train.config import Distillation, TrainConfig
from edgesr.train.loop import TrainingResult, train
from edgesr.train.record import MetricsRow, read_metrics

Make = Callable[..., TrainConfig]
REPEATABLE = ("step", "loss", "lr", "grad_norm")


class Quiet:
    """Looks on; asks to stop after `stop_after` steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.rows: list[MetricsRow] = []
        self.lines: list[str] = []
        self.steps = 0
        self._stop_after = stop_after

    def decoded(self, pictures: int, of: int) -> None: ...

    def taught(self, pictures: int, of: int) -> None: ...

    def said(self, line: str) -> None:
        self.lines.append(line)

    def stepped(self, done: float, row: MetricsRow | None) -> None:
        self.steps += 1
        if row is not None:
            self.rows.append(row)

    def wants_stop(self) -> bool:
        return self._stop_after is not None and self.steps >= self._stop_after


def run(config: TrainConfig) -> TrainingResult:
    return train(config, Quiet())


def repeatable(config: TrainConfig) -> list[tuple[float, ...]]:
    rows = read_metrics(config.out / "metrics.csv")
    return [tuple(row[name] for name in REPEATABLE) for row in rows]


def test_the_loss_falls_and_everything_is_written(tiny: Make) -> None:
    config = tiny(steps=80, log_every=10, checkpoint_every=40)
    watcher = Quiet()
    result = train(config, watcher)
    assert (result.step, result.finished) == (80, True)
    losses = [row.loss for row in watcher.rows]
    assert losses[-1] < 0.6 * losses[0]
    assert [row["step"] for row in read_metrics(config.out / "metrics.csv")] == list(
        range(10, 81, 10)
    )
    network = load_network(config.model, 4, result.weights)  # checks names, shapes, metadata
    assert load_metadata(result.weights)["step"] == "80"
    state = torch.load(result.checkpoint, weights_only=True)
    for name, value in network.state_dict().items():  # the average, not the last weights
        assert not torch.equal(value, state["network"][name])
    (invocation,) = json.loads((config.out / "config.json").read_text())["invocations"]
    assert invocation["config"]["batch"] == 4
    assert invocation["versions"]["torch"] == torch.__version__
    assert invocation["pictures"] == 4


def test_same_seed_same_run_other_seed_other_run(tiny: Make) -> None:
    first, second, other = tiny("a"), tiny("b"), tiny("c", seed=1)
    for config in (first, second, other):
        run(config)
    assert repeatable(first) == repeatable(second)
    assert repeatable(first) != repeatable(other)


@pytest.mark.parametrize("degradation", ["bicubic", "photo"])
def test_stopped_and_resumed_equals_uninterrupted(tiny: Make, degradation: str) -> None:
    whole, parts = (
        tiny(name, steps=30, log_every=5, degradation=degradation) for name in ("whole", "parts")
    )
    straight = run(whole)
    stopped = train(parts, Quiet(stop_after=9))  # noticed at step 10, which has a row
    assert (stopped.step, stopped.finished) == (10, False)
    resumed = run(dataclasses.replace(parts, resume=True))
    assert resumed.finished
    assert repeatable(parts) == repeatable(whole)
    for name, value in load_file(straight.weights).items():
        assert torch.equal(load_file(resumed.weights)[name], value)
    invocations = json.loads((parts.out / "config.json").read_text())["invocations"]
    assert [invocation["from_step"] for invocation in invocations] == [0, 10]
    assert {invocation["config"]["degradation"] for invocation in invocations} == {degradation}


def test_a_wish_to_stop_is_noticed_at_the_next_step(tiny: Make) -> None:
    assert train(tiny(steps=30), Quiet(stop_after=2)).step == 3


def test_the_degradation_is_part_of_every_step(tiny: Make) -> None:
    bicubic, photo = tiny("bicubic"), tiny("photo", degradation="photo")
    run(bicubic), run(photo)
    assert repeatable(bicubic) != repeatable(photo)
    with pytest.raises(ConfigError, match="degradation"):
        tiny("film", degradation="film")


def test_a_duration_that_is_over_before_the_first_step_still_gives_weights(tiny: Make) -> None:
    result = run(tiny("short", steps=None, duration_s=1e-3))
    assert (result.step, result.finished) == (1, True)
    assert result.weights.exists() and result.checkpoint.exists()


def test_a_time_limit_stops_with_a_checkpoint_and_a_duration_ends_the_run(tiny: Make) -> None:
    limited = run(tiny("limited", steps=10**6, time_limit_s=0.01, checkpoint_every=10**6))
    assert (limited.step, limited.finished) == (10, False)  # always forward, up to the next look
    assert limited.checkpoint.exists() and limited.weights.exists()
    config = tiny("timed", steps=None, duration_s=1.5, log_every=10)
    timed = run(config)
    assert timed.finished
    rows = read_metrics(config.out / "metrics.csv")
    assert 1.5 <= rows[-1]["elapsed_s"] < 15
    assert rows[-1]["lr"] < 0.1 * config.lr  # the cosine followed the clock to its end


def test_distilling_with_alpha_zero_is_training(tiny: Make) -> None:
    teacher = run(tiny("teacher", model="mambalitesr:D8-G1-B1-N2-SKIP", steps=2)).weights
    plain, zero, taught = (
        tiny("plain"),
        tiny("zero", distillation=Distillation(teacher, alpha=0.0)),
        tiny("taught", distillation=Distillation(teacher, alpha=0.8)),
    )
    for config in (plain, zero, taught):
        run(config)
    assert repeatable(zero) == repeatable(plain)
    assert repeatable(taught) != repeatable(plain)


def test_a_stopped_distillation_goes_on_as_if_it_had_not(tiny: Make) -> None:
    teacher = run(tiny("teacher", model="mambalitesr:D8-G1-B1-N2-SKIP", steps=2)).weights
    fields = {
        "distillation": Distillation(teacher, alpha=0.8), "steps": 20, "patches_per_image": 2,
        "schedule": "milestones", "optimizer": "adam", "ema": 0.9,
    }  # fmt: skip
    whole, parts = tiny("whole", **fields), tiny("parts", **fields)
    straight = run(whole)
    assert not train(parts, Quiet(stop_after=7)).finished
    resumed = run(dataclasses.replace(parts, resume=True))
    assert repeatable(parts)[-1] == repeatable(whole)[-1]
    for name, value in load_file(straight.weights).items():
        assert torch.equal(load_file(resumed.weights)[name], value)


def test_the_gradient_is_clipped_and_recorded_before(tiny: Make) -> None:
    """So short a gradient is nothing beside Adam's epsilon: the weights stay where they were."""
    start, free, bound = (
        tiny(name, steps=steps, ema=0.0, clip_norm=clip)
        for name, steps, clip in (("start", 1, 1e-14), ("free", 8, 0.0), ("bound", 8, 1e-14))
    )
    weights = [load_file(run(config).weights) for config in (start, free, bound)]
    moved = [
        max((other[name] - value).abs().max().item() for name, value in weights[0].items())
        for other in weights[1:]
    ]
    assert moved[0] > 1e-3 and moved[1] < 1e-6
    assert repeatable(bound)[0][3] > 0.01  # the gradient's norm


def test_a_full_disk_leaves_the_last_checkpoint(tiny: Make) -> None:
    config = tiny(steps=4)
    run(config)
    good = (config.out / "checkpoint.pt").read_bytes()
    refused = pytest.raises(EdgesrError, match=r"checkpoint\.pt: cannot write \(File too large\)")
    room = len(good) - 1  # for the weights, which are a third of it, but not for it
    with refused, small_disk(room):
        run(dataclasses.replace(config, resume=True, steps=8))
    assert (config.out / "checkpoint.pt").read_bytes() == good
    assert not list(config.out.glob(".checkpoint*"))
    assert run(dataclasses.replace(config, resume=True, steps=8)).step == 8


def test_a_run_that_ends_before_its_weights_are_written_is_not_finished(
    tiny: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint comes last: else the run, resumed, would keep the weights of step 2."""
    config = tiny(steps=4, checkpoint_every=2)
    run(dataclasses.replace(config, steps=2))
    resumed = dataclasses.replace(config, resume=True)
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr("edgesr.train.loop.save_weights", lambda *given: 1 // 0)
        run(resumed)
    result = run(resumed)
    assert (result.step, result.finished) == (4, True)
    assert load_metadata(result.weights)["step"] == "4"


def test_weights_are_a_start(tiny: Make) -> None:
    first = tiny("first", steps=60)
    weights = run(first).weights
    second = tiny("second", weights=weights, seed=5)
    run(second)
    assert (
        read_metrics(second.out / "metrics.csv")[0]["loss"]
        < 0.7 * (read_metrics(first.out / "metrics.csv")[0]["loss"])
    )


def test_the_body_of_another_scale_is_a_start(tiny: Make) -> None:
    weights = run(tiny("x4", scale=4)).weights
    config = tiny("x2", scale=2, weights=weights, lr=1e-12, lr_min=0.0, ema=0.0, steps=1)
    body, start = load_file(weights), load_file(run(config).weights)
    fresh = {key for key in start if start[key].shape != body[key].shape}
    assert fresh == {"upsample.0.weight", "upsample.0.bias"}
    for key in start.keys() - fresh:
        torch.testing.assert_close(start[key], body[key], rtol=0, atol=1e-9)
    (invocation,) = json.loads((config.out / "config.json").read_text())["invocations"]
    assert (invocation["body_of_scale"], invocation["fresh_tensors"]) == (4, 2)


def test_the_body_of_another_network_is_refused(tiny: Make) -> None:
    weights = run(tiny("wide", model="mambalitesr:D16-G1-B1-N2", scale=4)).weights
    with pytest.raises(WeightsError, match=r"does not fit mambalitesr:D8-G1-B1-N2 x2"):
        run(tiny("x2", scale=2, weights=weights))


def test_a_loss_that_is_not_finite_stops_before_the_checkpoint(tiny: Make) -> None:
    config = tiny(steps=8)
    run(config)
    good = (config.out / "checkpoint.pt").read_bytes()
    with pytest.raises(ConfigError, match=r"no longer finite after step 1\d; .*checkpoint\.pt"):
        run(dataclasses.replace(config, resume=True, steps=40, lr=1e30, clip_norm=0.0, warmup=0))
    assert (config.out / "checkpoint.pt").read_bytes() == good


def test_a_run_on_disk_is_never_overwritten(tiny: Make) -> None:
    config = tiny()
    run(config)
    with pytest.raises(ConfigError, match="resume=True"):
        run(config)
    with pytest.raises(ConfigError, match="model"):
        run(dataclasses.replace(config, resume=True, model="mambalitesr:D8-G1-B2-N2"))
    (config.out / "checkpoint.pt").write_bytes(b"torn")
    with pytest.raises(WeightsError, match="damaged"):
        run(dataclasses.replace(config, resume=True))


def test_validation_is_of_the_average_and_equals_eval(
    tiny: Make, pictures: Path, tmp_path: Path
) -> None:
    from edgesr.evaluate.datasets import open_sets
    from edgesr.evaluate.evaluate import evaluate
    from edgesr.evaluate.model import EvaluationRequest, open_evaluated

    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "HR").symlink_to(pictures)
    config = tiny(validate=tmp_path / "set", validate_every=6)
    result = run(config)
    rows = read_metrics(config.out / "metrics.csv")
    assert [row["step"] for row in rows if row["psnr_y_db"] == row["psnr_y_db"]] == [6, 12]
    request = EvaluationRequest(config.model, result.weights, device="cpu")
    (benchmark,) = open_sets([tmp_path / "set"], 4)
    with open_evaluated(request) as subject:
        evaluation = evaluate(subject.name, subject.run, subject.enlarge, benchmark)
    assert result.psnr_y_db == pytest.approx(evaluation.score.psnr_y_db, abs=1e-3)


@pytest.mark.parametrize("fields", [{"device": "cuda:99"}, {"device": "abacus"}])
def test_a_device_that_is_not_there(tiny: Make, fields: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="device"):
        run(tiny(**fields))


def test_a_network_without_parameters_cannot_be_trained(tiny: Make) -> None:
    with pytest.raises(ConfigError, match="nothing to train"):
        run(tiny(model="bicubic"))


def test_memory_that_does_not_suffice_names_the_batch(
    tiny: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")  # what a GPU says; no CPU does

    monkeypatch.setattr(torch.optim.AdamW, "step", exhausted)
    with pytest.raises(ConfigError, match="batch=2"):
        run(tiny())


def test_the_choice_of_algorithms_ends_with_the_run(tiny: Make) -> None:
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    run(tiny(deterministic=True))
    assert before == (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic)
