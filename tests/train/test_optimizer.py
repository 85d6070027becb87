import pytest
import torch
from torch import nn

from edgesr.models import get_network
from edgesr.train.optimizer import Average, build_optimizer, decays


def test_decay_leaves_out_what_sets_scales_and_time_constants() -> None:
    network = get_network("mambalitesr:D8-G1-B1-N2-R4").module(4)
    kept = {name for name, parameter in network.named_parameters() if not decays(name, parameter)}
    mixer = "layers.0.residual_group.blocks.0.mixer."
    assert {f"{mixer}A_log", f"{mixer}D", f"{mixer}dt_proj.bias", f"{mixer}conv1d.bias"} <= kept
    assert {"norm_f.weight", "patch_embed.norm.weight", "conv_first.bias"} <= kept
    assert not kept & {f"{mixer}in_proj.down.weight", f"{mixer}x_proj.weight", "upsample.0.weight"}


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_groups(tiny, name: str, kind: type) -> None:
    network = get_network("mambalitesr:D8-G1-B1-N2").module(4)
    optimizer = build_optimizer(tiny(optimizer=name, weight_decay=0.1), network)
    assert type(optimizer) is kind
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]
    together = sum(len(group["params"]) for group in optimizer.param_groups)
    assert together == len(list(network.parameters()))


def test_average_follows_its_formula_and_lends_itself() -> None:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    average = Average(layer, decay=0.5)
    nn.init.constant_(layer.weight, 3.0)
    average.update(step=1)  # decay min(0.5, 2 / 11)
    first = 1 * 2 / 11 + 3 * 9 / 11
    assert average.values[0].item() == pytest.approx(first)
    average.update(step=1000)
    assert average.values[0].item() == pytest.approx((first + 3) / 2)
    with average.applied():
        assert layer.weight.item() == pytest.approx((first + 3) / 2)
    assert layer.weight.item() == 3.0


def test_no_average_is_the_weights_themselves() -> None:
    layer = nn.Linear(2, 2)
    average = Average(layer, decay=0.0)
    nn.init.constant_(layer.weight, 0.25)
    average.update(step=7)
    assert torch.equal(average.values[0], layer.weight)
