import pytest

from edgesr.errors import ConfigError
from edgesr.train.schedule import learning_rate, share_done


def test_progress_is_the_larger_share(tiny) -> None:
    by_steps = tiny(steps=100)
    assert share_done(by_steps, 25, 1e9) == 0.25
    both = tiny(steps=100, duration_s=60.0)
    assert share_done(both, 25, 15.0) == 0.25
    assert share_done(both, 25, 45.0) == 0.75
    assert share_done(both, 25, 1e9) == 1.0
    assert share_done(tiny(steps=None, duration_s=60.0), 10**9, 30.0) == 0.5


def test_cosine_goes_from_lr_to_its_minimum(tiny) -> None:
    config = tiny(lr=1e-3, lr_min=1e-5, warmup=0)
    assert learning_rate(config, 0, 0.0) == pytest.approx(1e-3)
    assert learning_rate(config, 50, 0.5) == pytest.approx((1e-3 + 1e-5) / 2)
    assert learning_rate(config, 100, 1.0) == pytest.approx(1e-5)


def test_milestones_halve(tiny) -> None:
    config = tiny(lr=2e-4, warmup=0, schedule="milestones", milestones=(0.5, 0.8))
    rates = [learning_rate(config, 9, done) for done in (0.0, 0.49, 0.5, 0.79, 0.8, 1.0)]
    assert rates == pytest.approx([2e-4, 2e-4, 1e-4, 1e-4, 5e-5, 5e-5])


def test_warmup_rises_linearly_and_never_starts_at_zero(tiny) -> None:
    config = tiny(lr=1.0, warmup=4, schedule="milestones")
    assert [learning_rate(config, step, 0.0) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"batch": 0}, "batch"),
        ({"steps": None}, "steps"),
        ({"schedule": "linear"}, "schedule"),
        ({"milestones": (0.5, 1.0)}, "milestones"),
        ({"lr": 1e-7}, "lr"),
        ({"ema": 1.0}, "ema"),
        ({"patches_per_image": 3}, "patches_per_image"),
        ({"precision": "fp16"}, "precision"),
        ({"time_limit_s": 0.0}, "time_limit_s"),
    ],
)
def test_impossible_options_are_named(tiny, fields: dict[str, object], where: str) -> None:
    with pytest.raises(ConfigError, match=f"^{where}: "):
        tiny(**fields)
