"""Sizes of mixers for a check of the plugin's kernel, and what it must give: a loop in float64."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = dict[str, NDArray[np.float32]]
NAMES = ("conv", "conv_bias", "x_proj", "dt_proj", "dt_bias", "A", "D")
"""The weights in the order in which the kernel takes them, that of `MixerWeights`."""


@dataclass(frozen=True)
class Case:
    """Sizes of one mixer and its input.

    Attributes:
        batch: sequences; height, width: of the grid whose tokens are walked.
        channels, states, rank, taps: E, N, R and W of the mixer.
        columns, reverse: the direction, `edgesr.scan.path.Direction`.
        half: whether input and output are float16.
        extreme: whether steps and decays reach from nearly nothing to the largest that occur.
        seed: of weights and input.
        repeat: launches, all of which must give the same bits.
    """

    batch: int = 1
    height: int = 64
    width: int = 64
    channels: int = 64
    states: int = 1
    rank: int = 2
    taps: int = 4
    columns: bool = False
    reverse: bool = False
    half: bool = False
    extreme: bool = False
    seed: int = 0
    repeat: int = 1

    @property
    def length(self) -> int:
        """Tokens of a sequence."""
        return self.height * self.width

    @property
    def bound(self) -> float:
        """The error (`error`) that is allowed."""
        return 2e-3 if self.half else 1e-5


STUDENT = Case(channels=64, states=1, rank=2)
TEACHER = Case(channels=120, states=16, rank=4)


def cases() -> list[Case]:
    """Return every case: large and extreme ones first, then all combinations of sizes."""
    found = []
    for half in (False, True):
        found.append(replace(STUDENT, half=half, repeat=20))
        found.append(replace(TEACHER, columns=True, reverse=True, half=half, repeat=5))
    found += [
        replace(STUDENT, extreme=True),
        replace(TEACHER, extreme=True),
        replace(STUDENT, height=256, width=256, columns=True, repeat=5),
        replace(TEACHER, height=255, width=257, reverse=True),
        replace(STUDENT, batch=8, columns=True, reverse=True, half=True, repeat=3),
    ]
    sizes = itertools.product(
        (32, 64, 80, 96, 120), (1, 2, 3, 4, 8, 16), (2, 3, 4), (False, True), (False, True)
    )
    for i, (channels, states, rank, columns, reverse) in enumerate(sizes):
        case = Case(
            batch=(1, 3)[i % 2], height=33, width=31, channels=channels, states=states, rank=rank,
            taps=(4, 4, 3, 7)[i // 7 % 4], columns=columns, reverse=reverse, half=bool(i // 2 % 2),
            seed=i,
        )  # fmt: skip
        found.append(case)
    return found


def draw(case: Case) -> tuple[NDArray[np.floating], Weights]:
    """Return an input (batch, L, 2E), float16 or float32, and weights in float32."""
    rng = np.random.default_rng(case.seed)
    E, N, R = case.channels, case.states, case.rank
    made = {
        "conv": rng.normal(size=(E, case.taps)) * 0.5,
        "conv_bias": rng.normal(size=E) * 0.1,
        "x_proj": rng.normal(size=(R + 2 * N, E)) / np.sqrt(E),
        "dt_proj": rng.normal(size=(E, R)) / np.sqrt(R),
        "dt_bias": rng.normal(size=E) - 2.0,
        "A": -np.exp(rng.normal(size=(E, N)) * 0.5),
        "D": rng.normal(size=E),
    }
    if case.extreme:
        made["dt_bias"] = rng.choice([-12.0, -2.0, 3.0, 60.0], size=E)
        made["A"] = -np.exp(rng.uniform(-6, 3, size=(E, N)))
    xz = rng.normal(size=(case.batch, case.length, 2 * E))
    weights = {name: np.ascontiguousarray(made[name], np.float32) for name in NAMES}
    return xz.astype(np.float16 if case.half else np.float32), weights


def walk(case: Case) -> NDArray[np.intp]:
    """Return the token of each step, (L,)."""
    tokens = np.arange(case.length)
    if case.reverse:
        tokens = tokens[::-1]
    if case.columns:
        column, row = np.divmod(tokens, case.height)
        tokens = row * case.width + column
    return tokens


def reference(case: Case, xz: NDArray[np.floating], weights: Weights) -> Array:
    """Return what a mixer gives between its outer projections, (batch, L, E), step by step."""
    conv, conv_bias, x_proj, dt_proj, dt_bias, A, D = (
        weights[name].astype(np.float64) for name in NAMES
    )
    E, N, R, L = case.channels, case.states, case.rank, case.length
    order = walk(case)
    x, z = np.split(xz.astype(np.float64)[:, order], 2, axis=-1)
    padded = np.concatenate([np.zeros((case.batch, case.taps - 1, E)), x], axis=1)
    x = _silu(conv_bias + sum(conv[:, j] * padded[:, j : j + L] for j in range(case.taps)))
    projected = x @ x_proj.T
    low, b, c = np.split(projected, (R, R + N), axis=-1)
    dt = np.logaddexp(0, low @ dt_proj.T + dt_bias)
    state = np.zeros((case.batch, E, N))
    y = np.empty((case.batch, L, E))
    for t in range(L):
        decay = np.exp(dt[:, t, :, None] * A)
        state = decay * state + (dt[:, t] * x[:, t])[..., None] * b[:, t, None]
        y[:, t] = (state * c[:, t, None]).sum(-1)
    out = np.empty_like(y)
    out[:, order] = (y + D * x) * _silu(z)
    return out


def error(found: Array, expected: Array) -> float:
    """Return the largest difference over the largest expected value of the same channel."""
    scale = np.abs(expected).max(axis=(0, 1), keepdims=True)
    return float((np.abs(found - expected) / scale).max())


def _silu(value: Array) -> Array:
    result: Array = value / (1 + np.exp(-np.clip(value, -700, 700)))
    return result
