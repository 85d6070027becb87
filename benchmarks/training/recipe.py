"""The command line that repeats a training run, from its config.json. Pure."""

import shlex
from dataclasses import MISSING, fields
from typing import Any

from edgesr.train.config import TrainConfig

Json = dict[str, Any]

# Of the machine and of the folders, not of the recipe; `--data` and `-o` are always written.
_LEFT_OUT = {
    "data", "out", "model", "scale", "time_limit_s", "resume", "checkpoint_every", "validate",
    "validate_every", "log_every", "cache", "device", "distillation",
}  # fmt: skip


def recipe(config: Json) -> str:
    """Return the command line of the recipe: what differs from the defaults."""
    model, taught = config["model"], config["distillation"]
    words = ["edgesr", "train", "--data", "PHOTOS", "--model", model, "-o", f"runs/{model}"]
    if taught is not None:
        words = ["edgesr", "distill", "--data", "PHOTOS", "--model", model]
        words += ["-o", f"runs/{model}", "--teacher", "TEACHER.safetensors"]
        words += ["--alpha", f"{taught['alpha']:g}"]
        if taught.get("feature_affinity"):  # older runs could not have any
            words += ["--feature-affinity", f"{taught['feature_affinity']:g}"]
    if config["scale"] != 4:
        words += ["--scale", f"{config['scale']}"]
    for field in fields(TrainConfig):
        value = config.get(field.name)
        plain = list(field.default) if isinstance(field.default, tuple) else field.default
        if field.name in _LEFT_OUT or field.default is MISSING or value in (None, plain):
            continue
        words.append(f"--{field.name.replace('_', '-')}")
        if value is not True:
            words.append(",".join(map(str, value)) if isinstance(value, list) else f"{value:g}"
                         if isinstance(value, float) else f"{value}")  # fmt: skip
    return shlex.join(words)
