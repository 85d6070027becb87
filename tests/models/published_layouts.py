"""Names and shapes of the authors' published checkpoints, copied by hand from the files."""

Layout = dict[str, tuple[int, ...]]


def dvmsr() -> Layout:
    """DVMSR x4: d = 60, 4 groups of 2 blocks; 424,428 values."""
    layout: Layout = {
        "conv_first.weight": (60, 3, 3, 3),
        "conv_first.bias": (60,),
        "patch_embed.norm.weight": (60,),
        "patch_embed.norm.bias": (60,),
        "norm_f.weight": (60,),
        "norm_f.bias": (60,),
        "conv_after_body.weight": (60, 60, 3, 3),
        "conv_after_body.bias": (60,),
        "upsample.0.weight": (48, 60, 3, 3),
        "upsample.0.bias": (48,),
    }
    for group in range(4):
        layout[f"layers.{group}.conv.weight"] = (60, 60, 3, 3)
        layout[f"layers.{group}.conv.bias"] = (60,)
        for block in range(2):
            at = f"layers.{group}.residual_group.blocks.{block}"
            layout |= {
                f"{at}.norm.weight": (60,),
                f"{at}.norm.bias": (60,),
                f"{at}.mixer.A_log": (120, 16),
                f"{at}.mixer.D": (120,),
                f"{at}.mixer.in_proj.weight": (240, 60),
                f"{at}.mixer.conv1d.weight": (120, 1, 4),
                f"{at}.mixer.conv1d.bias": (120,),
                f"{at}.mixer.x_proj.weight": (36, 120),
                f"{at}.mixer.dt_proj.weight": (120, 4),
                f"{at}.mixer.dt_proj.bias": (120,),
                f"{at}.mixer.out_proj.weight": (60, 120),
            }
    return layout


def smfanet(width: int, blocks: int) -> Layout:
    """SMFANet x4, its weights followed by their biases."""
    weights: Layout = {
        "to_feat": (width, 3, 3, 3),
        "to_img.0": (48, width, 3, 3),
    }
    scales: Layout = {}
    for block in range(blocks):
        smfa, pcfn = f"feats.{block}.smfa", f"feats.{block}.pcfn"
        weights |= {
            f"{smfa}.linear_0": (2 * width, width, 1, 1),
            f"{smfa}.linear_1": (width, width, 1, 1),
            f"{smfa}.linear_2": (width, width, 1, 1),
            f"{smfa}.lde.conv_0.0": (2 * width, 1, 3, 3),
            f"{smfa}.lde.conv_0.1": (2 * width, 2 * width, 1, 1),
            f"{smfa}.lde.conv_1": (width, 2 * width, 1, 1),
            f"{smfa}.dw_conv": (width, 1, 3, 3),
            f"{pcfn}.conv_0": (2 * width, width, 1, 1),
            f"{pcfn}.conv_1": (width // 2, width // 2, 3, 3),
            f"{pcfn}.conv_2": (width, 2 * width, 1, 1),
        }
        scales |= {f"{smfa}.{name}": (1, width, 1, 1) for name in ("alpha", "belt")}
    layout = {f"{name}.weight": shape for name, shape in weights.items()}
    return layout | {f"{name}.bias": shape[:1] for name, shape in weights.items()} | scales


PUBLISHED: dict[str, tuple[int, Layout]] = {
    "smfanet": (197_328, smfanet(36, 8)),
    "smfanet-plus": (495_888, smfanet(48, 12)),
    "dvmsr": (424_428, dvmsr()),
    "esr-fast": (288, {"filter.weight": (32, 1, 3, 3)}),
    "esr-max:K3-C2": (288, {"filter.weight": (32, 1, 3, 3)}),
    "esr-tm:K7-C5": (7_840, {"filter.weight": (160, 1, 7, 7)}),
    "esr-tr:K5-C6": (7_200, {"filter.weight": (288, 1, 5, 5)}),
    "esr": (
        14_550,
        {
            "filter.0.weight": (9, 1, 5, 5),
            "filter.0.bias": (9,),
            "filter.2.weight": (6, 9, 3, 3),
            "filter.2.bias": (6,),
            "filter.4.weight": (256, 6, 3, 3),
        },
    ),
    "espcn": (
        24_752,
        {
            "net.0.weight": (64, 1, 5, 5),
            "net.0.bias": (64,),
            "net.2.weight": (32, 64, 3, 3),
            "net.2.bias": (32,),
            "net.4.weight": (16, 32, 3, 3),
            "net.4.bias": (16,),
        },
    ),
    "fsrcnn": (
        4_181,
        {
            "net.0.weight": (32, 1, 5, 5),
            "net.0.bias": (32,),
            "net.1.weight": (1,),
            "net.2.weight": (6, 32, 1, 1),
            "net.2.bias": (6,),
            "net.3.weight": (1,),
            "net.4.weight": (6, 6, 3, 3),
            "net.4.bias": (6,),
            "net.5.weight": (1,),
            "net.6.weight": (32, 6, 1, 1),
            "net.6.bias": (32,),
            "net.7.weight": (1,),
            "net.8.weight": (32, 1, 9, 9),
            "net.8.bias": (1,),
        },
    ),
    "fsrcnn:D44-S12-M4": (
        11_060,
        {
            "net.0.weight": (44, 1, 5, 5),
            "net.0.bias": (44,),
            "net.1.weight": (1,),
            "net.2.weight": (12, 44, 1, 1),
            "net.2.bias": (12,),
            "net.3.weight": (1,),
            "net.4.weight": (12, 12, 3, 3),
            "net.4.bias": (12,),
            "net.5.weight": (1,),
            "net.6.weight": (12, 12, 3, 3),
            "net.6.bias": (12,),
            "net.7.weight": (1,),
            "net.8.weight": (12, 12, 3, 3),
            "net.8.bias": (12,),
            "net.9.weight": (1,),
            "net.10.weight": (12, 12, 3, 3),
            "net.10.bias": (12,),
            "net.11.weight": (1,),
            "net.12.weight": (44, 12, 1, 1),
            "net.12.bias": (44,),
            "net.13.weight": (1,),
            "net.14.weight": (44, 1, 9, 9),
            "net.14.bias": (1,),
        },
    ),
}
"""Name in the registry -> (number of values, names and shapes), all at x4."""
