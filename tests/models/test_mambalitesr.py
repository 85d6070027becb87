"""MambaLiteSR's hyper-parameters: what each changes, and that the networks without them stay."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from published_layouts import PUBLISHED, Layout
from torch import Tensor, nn

from edgesr import weights
from edgesr.errors import ConfigError, WeightsError
from edgesr.models import get_network
from edgesr.models.checkpoint import load_network, load_state, save_weights
from edgesr.models.group_conv import GroupConv
from edgesr.models.local_norm import Locality
from edgesr.models.network import SRNetwork

PLAIN = "mambalitesr:D8-G2-B2-N2-SKIP"
ADDED = ("TURN", "C3", "C5", "SEP", "GATE")


def build(name: str) -> SRNetwork:
    torch.manual_seed(0)
    return get_network(name).module(4).eval()


def shapes(state: dict[str, Tensor]) -> Layout:
    return {key: tuple(value.shape) for key, value in state.items()}


def layout(width: int, groups: int, state: int, rank: int | None) -> Layout:
    """Return names and shapes of a network of two blocks a group at x4, written out by hand."""
    found: Layout = {
        "conv_first.weight": (width, 3, 3, 3),
        "conv_after_body.weight": (width, width, 3, 3),
        "upsample.0.weight": (48, width, 3, 3),
        "patch_embed.norm.weight": (width,),
        "norm_f.weight": (width,),
    }
    for group in range(groups):
        found[f"layers.{group}.conv.weight"] = (width, width, 3, 3)
        for block in range(2):
            at = f"layers.{group}.residual_group.blocks.{block}"
            step = -(-width // 16)
            found |= {
                f"{at}.norm.weight": (width,),
                f"{at}.mixer.conv1d.weight": (2 * width, 1, 4),
                f"{at}.mixer.dt_proj.weight": (2 * width, step),
            }
    found |= {f"{name.removesuffix('weight')}bias": shape[:1] for name, shape in found.items()}
    for group in range(groups):
        for block in range(2):
            at = f"layers.{group}.residual_group.blocks.{block}.mixer"
            found |= {
                f"{at}.A_log": (2 * width, state),
                f"{at}.D": (2 * width,),
                f"{at}.x_proj.weight": (-(-width // 16) + 2 * state, 2 * width),
            }
            for name, rows, columns in (("in", 4 * width, width), ("out", width, 2 * width)):
                if rank is None:
                    found[f"{at}.{name}_proj.weight"] = (rows, columns)
                else:
                    found[f"{at}.{name}_proj.up.weight"] = (rows, rank)
                    found[f"{at}.{name}_proj.down.weight"] = (rank, columns)
    return found


def test_names_and_shapes_of_the_named_networks_stay() -> None:
    assert layout(60, 4, 16, None) == PUBLISHED["dvmsr"][1]  # as the authors' file has them
    for name, sizes in {
        "dvmsr": (60, 4, 16, None),
        "student-paper": (32, 4, 16, None),
        "teacher-paper": (60, 8, 16, 30),
    }.items():
        assert shapes(build(name).state_dict()) == layout(*sizes), name
    for name, sizes in {
        "student": (32, 4, 1, None),
        "photo": (32, 4, 1, None),
        "teacher": (60, 8, 1, 30),
    }.items():
        local = {
            f"layers.{group}.residual_group.blocks.{block}.local.weight": (sizes[0], 1, 3, 3)
            for group in range(sizes[1])
            for block in range(2)
        }
        assert shapes(build(name).state_dict()) == layout(*sizes) | local, name


def load_unchanged(name: str, path: Path) -> dict[str, Tensor]:
    """Return the state of a file, after seeing that the network has it."""
    state = load_state(path)
    loaded = load_network(name, 4, path).state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], value.float()) for key, value in state.items())
    return state


def test_a_checkpoint_from_before_loads_unchanged() -> None:
    load_unchanged("student", weights.shipped("student", 4, "safetensors"))


def test_low_rank_weights_in_float16_load_unchanged(tmp_path: Path) -> None:
    """A teacher is kept so, at half the size."""
    name, path = "mambalitesr:D12-G2-B2-N4-R3", tmp_path / "teacher.safetensors"
    save_weights(path, build(name).half(), name, {})
    state = load_unchanged(name, path)
    assert {value.dtype for value in state.values()} == {torch.float16}


@pytest.mark.parametrize("added", ADDED)
def test_a_name_is_one_network_however_it_is_written(added: str, tmp_path: Path) -> None:
    name = f"{PLAIN}-{added}"
    turned = f"mambalitesr:{added}-SKIP-N2-B2-G2-D8"
    assert get_network(name).summary == get_network(turned).summary
    assert get_network(name).summary != get_network(PLAIN).summary
    path = tmp_path / "weights.safetensors"
    network = build(name)
    save_weights(path, network, name, {})
    lr = torch.rand(1, 3, 7, 9)
    with torch.inference_mode():
        assert torch.equal(load_network(turned, 4, path)(lr), network(lr))
    with pytest.raises(WeightsError, match=f"holds the weights of {name}, not of {PLAIN}"):
        load_network(PLAIN, 4, path)


def test_every_pair_of_networks_differs_in_its_summary() -> None:
    """The summary tells whose weights a file holds where shapes do not: TURN, SKIP."""
    names = [PLAIN.removesuffix("-SKIP"), PLAIN, *(f"{PLAIN}-{each}" for each in ADDED)]
    names += [f"{PLAIN}-R2", f"{PLAIN}-H2", f"{PLAIN}-SEP-GATE", f"{PLAIN}-TURN-C3"]
    assert len({get_network(name).summary for name in names}) == len(names)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("C4", "C: .* odd, not 4"),
        ("C", "C: .*have a number"),
        ("C-3", "cannot read the hyper-parameter '3'"),
        ("C3-C5", "C comes twice"),
        ("TURN2", "TURN: .*stand alone"),
        ("SEP1", "SEP: .*stand alone"),
        ("GATE5", "GATE: .*stand alone"),
        ("TURNS", "no hyper-parameter TURNS; it has D .*C .*TURN, SEP, GATE"),
        ("D0", "at least 1"),
        ("N0", "at least 1"),
        ("R0", "at least 1"),
        ("D32-H5", "H: 64 channels .* 5 heads"),
    ],
)
def test_values_that_cannot_be_name_the_network(options: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        get_network(f"mambalitesr:{options}")
    assert f"mambalitesr:{options}" in str(caught.value)


def test_locality_starts_as_a_network_without_it() -> None:
    lr = torch.rand(2, 3, 9, 6)
    for name in (PLAIN, f"{PLAIN}-TURN"):
        without, fresh = build(name), build(f"{name}-C3")
        missing, unexpected = fresh.load_state_dict(without.state_dict(), strict=False)
        assert unexpected == []
        assert {key.rpartition(".blocks.")[2] for key in missing} == {
            "0.local.weight",
            "1.local.weight",
        }
        with torch.inference_mode():
            assert torch.equal(fresh(lr), without(lr))
            for part in fresh.modules():
                if isinstance(part, Locality):
                    nn.init.normal_(part.weight)
            assert not torch.allclose(fresh(lr), without(lr), atol=1e-3)


@pytest.mark.parametrize(("added", "reached"), [("", False), ("-TURN", True)])
def test_turns_let_the_first_pixel_see_the_last(added: str, reached: bool) -> None:
    lr = torch.rand(1, 3, 12, 12, requires_grad=True)
    build(f"{PLAIN}{added}")(lr)[..., 0, 0].sum().backward()
    assert lr.grad is not None
    assert bool(lr.grad[..., -1, -1].abs().sum() > 0) == reached


def test_a_block_after_the_other_takes_the_next_of_four_directions() -> None:
    network = build(f"{PLAIN}-G3-TURN".replace("-G2", ""))
    found = [part.direction for part in network.modules() if hasattr(part, "direction")]
    assert [(each.columns, each.reverse) for each in found] == [
        (False, False),
        (False, True),
        (True, False),
        (True, True),
        (False, False),
        (False, True),
    ]


def test_separable_and_gate_are_their_formulas() -> None:
    torch.manual_seed(1)
    part, x = GroupConv(6, separable=True, gate=True), torch.randn(2, 6, 20, 21)
    p = dict(part.named_parameters())

    def convolve(x: Tensor, name: str, **options: int) -> Tensor:
        return F.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], **options)

    y = convolve(convolve(x, "body.0", padding=1, groups=6), "body.1")
    gate = convolve(convolve(y, "gate.0"), "gate.1", padding=2, groups=6)
    gate = convolve(gate, "gate.2", padding=6, dilation=3, groups=6)
    torch.testing.assert_close(part(x), y * gate)


def test_a_gate_sees_17_by_17_pixels() -> None:
    gate = GroupConv(2, separable=True, gate=True).gate
    assert gate is not None
    y = torch.randn(1, 2, 31, 31, requires_grad=True)
    gate(y)[0, 0, 15, 15].backward()
    assert y.grad is not None
    rows, columns = (y.grad[0].abs().sum(dim=axis).sum(0).nonzero() for axis in (2, 1))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (7, 23, 7, 23)
