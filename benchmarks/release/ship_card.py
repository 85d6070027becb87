"""What a model card says that can be looked up: the parts between its marks. Pure.

    facts      size and task, from the manifest and the registry
    quality    PSNR and SSIM of the shipped ONNX file, from its figures
    training   recipe, machine and pictures, from the log of its run

The rest of a card is written by hand; a new one begins with what holds for every network.
"""

from typing import Any

from benchmarks.shared.markdown import markdown
from benchmarks.training.recipe import recipe
from benchmarks.training.results import Finished
from edgesr.models import get_network

Json = dict[str, Any]

_BEGIN = """# Model card: {title}

`{stem}.safetensors`, and `{stem}.onnx` with its manifest `{stem}.json`, which runs without torch.

<!-- facts -->
<!-- end of facts -->

## Quality

As users get it: the ONNX file in ONNX Runtime, in tiles, blended.

<!-- quality -->
<!-- end of quality -->

## How it was trained

<!-- training -->
<!-- end of training -->

Where the photographs come from stands in the [student's card](student_x4.md#photographs).

## Limits

- It sharpens what bicubic reduction blurred. Noise, JPEG artefacts and motion blur are not removed,
  and are enlarged.
- Never run on a Jetson yet.
"""

_TIMES = {2: "twice", 3: "three times", 4: "four times"}


def begin_card(stem: str) -> str:
    """Return a new card, its parts between the marks still empty."""
    return _BEGIN.format(title=stem.replace("_x", " x"), stem=stem)


def card_blocks(manifest: Json, quality: Json, log: Finished) -> dict[str, str]:
    """Return the parts between the marks.

    Args:
        manifest: of the ONNX file.
        quality: figures of it.
        log: of the training run.
    """
    return {
        "facts": _facts(manifest),
        "quality": _quality(quality),
        "training": _training(log, manifest["network"]),
    }


def _facts(manifest: Json) -> str:
    network = get_network(manifest["network"])
    tile, million = manifest["tile"], manifest["multiply_adds_per_tile"] / 1e6
    rows = [
        ("network", f"`{manifest['network']}`: {network.summary}"),
        ("parameters", f"{manifest['parameters']:,}"),
        ("multiply-adds", f"{million:,.1f} M for a {tile}x{tile} tile"),
        ("a pixel depends on", network.context),
        (
            "task",
            f"photographs enlarged {_TIMES[manifest['scale']]}, after MATLAB's antialiased bicubic "
            "reduction",
        ),
        ("licence", "Apache-2.0 (the weights; the photographs have their own)"),
    ]
    return (
        "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows)]) + "\n"
    )


def _quality(quality: Json) -> str:
    order = {"Set5": 0, "Set14": 1, "BSD100": 2}
    sets = sorted(quality["sets"], key=lambda s: order.get(s["protocol"]["dataset"], len(order)))
    rows = [
        [
            found["protocol"]["dataset"],
            f"{found['images']}",
            f"{found['psnr_y_db']:.2f}",
            f"{found['ssim_y']:.4f}",
            f"{found['bicubic_psnr_y_db']:.2f} / {found['bicubic_ssim_y']:.4f}",
        ]
        for found in sets
    ]
    name, scale = sets[0]["model"], sets[0]["protocol"]["scale"]
    raw = f"{name}_x{scale}_eval.json.xz"
    return "\n".join(
        [
            markdown(["set", "images", "PSNR-Y dB", "SSIM-Y", "bicubic"], rows),
            "",
            f"Command: `{quality['command']}`; raw result:",
            f"[{raw}](../../benchmarks/results/release/{raw}). "
            f"Run by {sets[0]['protocol']['run']}.",
            f"Protocol: {sets[0]['protocol']['metrics']}.",
            "",
        ]
    )


def _training(log: Finished, name: str) -> str:
    config = log.config | {"model": name}  # a run may have called it by its hyper-parameters
    last = log.rows[-1]
    best = max((db for _, db in log.psnr_y_db), default=None)
    validated = "" if best is None else f", best validation {best:.2f} dB"
    folder = f"{name}_x{config['scale']}"
    return "\n".join(
        [
            f"{last['step']:,.0f} steps of {config['batch']} patches of "
            f"{config['patch']}x{config['patch']} in {_duration(last['elapsed_s'])}{validated}.",
            f"On {log.setting}.",
            "",
            f"    {recipe(config)}",
            "",
            f"The log, with loss and validation: [training/{folder}/]"
            f"(../../benchmarks/results/training/{folder}/).",
            "",
        ]
    )


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"
