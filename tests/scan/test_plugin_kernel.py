"""The plugins' kernels, compiled for the CPU by g++, against mixer and norm in torch float64.

plugin_on_host/ turns CUDA's threads into fibres that take turns, several blocks at once, so that
barriers, shuffles and the chain between blocks are those of the kernel.
"""

import ctypes
import itertools
from dataclasses import fields

import numpy as np
import pytest
import torch

from edgesr.models.mamba import Mamba
from edgesr.scan.fused_mixer import MixerWeights
from edgesr.scan.path import TURNS, Direction, ScanPath

GUARD = 64  # bytes behind the workspace that must stay as they are


@pytest.fixture
def library(kernel_on_host):
    return kernel_on_host


def mixer_of(channels, states, rank, taps, seed=0, extreme=False):
    """A mixer in float64 with other sizes than a Mamba's usual ones."""
    torch.manual_seed(seed)
    mixer = Mamba(channels // 2, states, None).double()
    mixer.inner, mixer.dt_rank, mixer.state = channels, rank, states
    double = {"dtype": torch.float64}
    mixer.conv1d = torch.nn.Conv1d(
        channels, channels, taps, groups=channels, padding=taps - 1, **double
    )
    mixer.x_proj = torch.nn.Linear(channels, rank + 2 * states, bias=False, **double)
    mixer.dt_proj = torch.nn.Linear(rank, channels, **double)
    with torch.no_grad():
        low, high = (-6.0, 3.0) if extreme else (-1.0, 1.0)
        mixer.A_log = torch.nn.Parameter(
            torch.empty(channels, states, **double).uniform_(low, high)
        )
        mixer.D = torch.nn.Parameter(torch.randn(channels, **double))
        bias = torch.tensor([-12.0, -2.0, 3.0, 60.0] if extreme else [-3.0, -1.0], **double)
        mixer.dt_proj.bias.copy_(bias.repeat(channels)[:channels])
        for parameter in mixer.parameters():  # the kernel has them in float32
            parameter.copy_(parameter.float())
    return mixer


def run(library, mixer, path, batch, half=False, warps=0, group=0, resident=3, seed=1):
    """Return what the kernel gives and what torch gives, both (batch, L, E) float64."""
    channels, taps = mixer.conv1d.weight.shape[0], mixer.conv1d.weight.shape[2]
    rng = np.random.default_rng(seed)
    kind = np.float16 if half else np.float32
    xz = rng.standard_normal((batch, path.length, 2 * channels)).astype(kind)
    with torch.no_grad():
        weights = mixer.inner_weights()
    arrays = [getattr(weights, field.name).detach().float() for field in fields(MixerWeights)]
    arrays = [np.ascontiguousarray(array.numpy()) for array in arrays]
    y = np.full((batch, path.length, channels), np.nan, kind)
    direction = path.direction
    sizes = (ctypes.c_int * 10)(
        batch, path.height, path.width, channels, mixer.state, mixer.dt_rank, taps,
        direction.columns, direction.reverse, half,
    )  # fmt: skip
    needed = library.edgesr_mixer_workspace(sizes, warps, group)
    assert needed > 0
    workspace = np.full(needed + GUARD, 7, np.uint8)
    tensors = (ctypes.c_void_p * 10)(*(array.ctypes.data for array in (xz, *arrays, y, workspace)))
    library.edgesr_host_resident(resident)
    assert library.edgesr_mixer_launch(tensors, sizes, warps, group, None) == 0
    assert (workspace[needed:] == 7).all()
    order = [path.token(step) for step in range(path.length)]
    expected = np.empty(y.shape)
    with torch.no_grad():
        in_order = ScanPath(1, path.length, TURNS[0])
        walked = mixer._mix(torch.from_numpy(xz[:, order].astype(np.float64)), in_order)
    expected[:, order] = walked.numpy()
    return y.astype(np.float64), expected


def error(found, expected):
    """Largest difference over the largest value of the same channel."""
    scale = np.abs(expected).max(axis=(0, 1), keepdims=True)
    return float((np.abs(found - expected) / scale).max())


@pytest.mark.parametrize("direction", TURNS, ids=str)
@pytest.mark.parametrize(("half", "bound"), [(False, 1e-5), (True, 1e-3)])
def test_every_direction(library, direction, half, bound):
    path = ScanPath(11, 23, direction)
    found, expected = run(library, mixer_of(64, 1, 2, 4), path, 2, half=half)
    assert error(found, expected) < bound


@pytest.mark.parametrize(
    ("channels", "states", "rank", "taps"),
    [
        *((channels, states, 4, 4) for channels, states in itertools.product((120, 80), (2, 16))),
        (96, 3, 3, 3),
        (64, 8, 2, 4),
        (32, 1, 1, 1),
        (2, 5, 1, 2),
        (66, 16, 3, 4),  # rows that cannot be read four at a time
        (128, 1, 4, 8),  # a long convolution
        (38, 7, 2, 5),
    ],
)
def test_every_size(library, channels, states, rank, taps):
    path = ScanPath(13, 17, Direction(columns=True, reverse=True))
    mixer = mixer_of(channels, states, rank, taps)
    found, expected = run(library, mixer, path, 1, group=2, resident=20)
    assert error(found, expected) < 1e-5


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 3), (5, 1), (4, 8), (3, 11)])
def test_lengths_beside_the_steps_of_a_block(library, height, width):
    path = ScanPath(height, width, Direction(columns=True))
    found, expected = run(library, mixer_of(64, 1, 2, 4), path, 3)
    assert error(found, expected) < 1e-5


@pytest.mark.parametrize("states", [1, 16])
def test_extreme_steps(library, states):
    """dt from 6e-6 to 60 and decays from none to all at once."""
    path = ScanPath(16, 24)
    mixer = mixer_of(64, states, 2, 4, extreme=True)
    found, expected = run(library, mixer, path, 1)
    assert np.isfinite(found).all()
    assert error(found, expected) < 1e-5


@pytest.mark.parametrize("resident", [1, 2, 7, 40])
def test_however_many_blocks_run_at_once_the_bits_are_the_same(library, resident):
    """One at a time finds its predecessors' states written; of 40 most must wait for them."""
    path = ScanPath(19, 17, Direction(reverse=True))
    mixer = mixer_of(64, 4, 2, 4)
    alone, expected = run(library, mixer, path, 2, warps=1, group=4, resident=1)
    found, _ = run(library, mixer, path, 2, warps=1, group=4, resident=resident)
    assert error(found, expected) < 1e-5
    assert np.array_equal(found, alone)


@pytest.mark.long
def test_the_longest_path(library):
    path = ScanPath(256, 256, Direction(columns=True))
    found, expected = run(library, mixer_of(4, 1, 1, 4), path, 1)
    assert error(found, expected) < 1e-5


@pytest.mark.parametrize(
    "wrong",
    [
        {0: 0}, {1: 257, 2: 256}, {3: 129}, {4: 17}, {5: 5}, {6: 9}, {1: 2**20, 2: 2**20},
    ],
)  # fmt: skip
def test_sizes_beyond_the_kernel_are_refused(library, wrong):
    sizes = [1, 8, 8, 64, 1, 2, 4, 0, 0, 0]
    for place, value in wrong.items():
        sizes[place] = value
    array = (ctypes.c_int * 10)(*sizes)
    assert library.edgesr_mixer_workspace(array, 0, 0) == 0
    assert library.edgesr_mixer_launch((ctypes.c_void_p * 10)(), array, 0, 0, None) != 0


def norm(library, tokens, channels, half, offset=0.0):
    """Return what the kernel gives and what torch gives in float64, both (tokens, channels)."""
    rng = np.random.default_rng(channels)
    kind = np.float16 if half else np.float32
    x = (rng.standard_normal((tokens, channels)) + offset).astype(kind)
    weight, bias = rng.standard_normal((2, channels)).astype(np.float32)
    y = np.full((tokens + 1, channels), np.nan, kind)  # the last row stays as it is
    tensors = (ctypes.c_void_p * 4)(*(array.ctypes.data for array in (x, weight, bias, y)))
    epsilon = ctypes.c_float(1e-5)
    assert library.edgesr_norm_launch(tensors, tokens, channels, epsilon, half, None) == 0
    assert np.isnan(y[tokens]).all()
    double = (torch.from_numpy(array.astype(np.float64)) for array in (x, weight, bias))
    given, *parameters = double
    expected = torch.nn.functional.layer_norm(given, (channels,), *parameters, epsilon.value)
    return y[:tokens].astype(np.float64), expected.numpy()


@pytest.mark.parametrize("channels", [1, 7, 30, 32, 36, 60, 64, 120, 128, 130, 240, 1024])
@pytest.mark.parametrize(("half", "bound"), [(False, 2e-6), (True, 1e-3)])
def test_norms_of_every_width(library, channels, half, bound):
    found, expected = norm(library, 77, channels, half)
    assert np.abs(found - expected).max() <= bound * np.abs(expected).max()


def test_a_norm_of_values_far_from_zero_keeps_its_digits(library):
    """A variance from the mean of squares would have none left."""
    found, expected = norm(library, 40, 32, half=False, offset=1000.0)
    assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("wrong", [(0, 32, 1e-5), (4, 0, 1e-5), (4, 1025, 1e-5), (4, 32, 0.0)])
def test_a_norm_beyond_the_kernel_is_refused(library, wrong):
    tokens, channels, epsilon = wrong
    nothing = (ctypes.c_void_p * 4)()
    launched = library.edgesr_norm_launch(
        nothing, tokens, channels, ctypes.c_float(epsilon), 0, None
    )
    assert launched != 0
