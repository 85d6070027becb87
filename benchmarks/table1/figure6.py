"""The paper's Figure 6 with its rivals: LR, bicubic, each network and the ground truth, zoomed.

    python -m benchmarks.table1.figure6 Set5/HR/butterfly.png --crop 24,20,24,18 -o figure6.png

The LR picture is made from the HR picture as MATLAB's bicubic makes it, or read with --lr. Below
each name stand PSNR and SSIM of the whole picture. Networks without weights are left out and named.
"""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.shared.commands import errors_in_one_line, parser_of
from benchmarks.shared.folders import ROOT
from benchmarks.table1.networks import CONTROL, RIVALS, SCALE, STUDENT, Runnable, find_runnables
from edgesr.compare.crop import Crop, detailed_crop, parse_crop
from edgesr.compare.sheet import SheetCell, Texts, sheet
from edgesr.evaluate.datasets import ImagePair, Images
from edgesr.evaluate.evaluate import score
from edgesr.evaluate.model import EvaluationRequest, open_evaluated
from edgesr.files import write_bytes
from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.picture import Picture

NETWORKS = (*RIVALS, STUDENT, "teacher")
QUALITY = 80
"""Of JPEG, WebP and AVIF: a figure for a page, a third of the size of the usual quality."""


def draw(
    hr: Path, images: Images, crop: Crop, networks: Sequence[Runnable], left_out: str
) -> Picture:
    """Draw the figure.

    Args:
        hr: file of the ground truth, for its name.
        images: LR and ground truth.
        crop: the zoomed part, in LR pixels.
        networks: in the order of the figure.
        left_out: what to say of the networks that are not in it.
    """
    part = crop.times(SCALE)
    pixels = images.lr.colour[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width]
    size = f"{images.lr.width}x{images.lr.height}"
    cells = [SheetCell("LR", size, pixels.repeat(SCALE, axis=0).repeat(SCALE, axis=1))]
    requests = {CONTROL: EvaluationRequest(CONTROL, scale=SCALE)}
    requests |= {n.name: EvaluationRequest(str(n.file), backend=n.backend) for n in networks}
    for name, request in requests.items():
        print(name, file=sys.stderr, flush=True)
        with ExitStack() as stack:
            enlarged = stack.enter_context(open_evaluated(request)).enlarge(images.lr)
        found = score(enlarged, images.hr, SCALE)
        note = f"{found.psnr_y_db:.2f} dB / {found.ssim_y:.4f}"
        cells.append(SheetCell(name, note, part.of(enlarged).colour))
    cells.append(SheetCell("ground truth", "PSNR-Y / SSIM-Y", part.of(images.hr).colour))
    under = f"x{SCALE}, the framed {crop.width}x{crop.height} LR pixels at {crop.x},{crop.y}; "
    under += "figures are of the whole picture"
    texts = Texts(hr.stem, under, left_out)
    return Picture(sheet(texts, images.hr.colour, part, cells))


def main() -> None:
    """Draw the figure of the command line."""
    parser = parser_of(__doc__)
    parser.add_argument("hr", type=Path, help="the ground truth")
    parser.add_argument("--lr", type=Path, help="its LR picture; none: made from it")
    parser.add_argument("--crop", metavar="X,Y,W,H", help="in LR pixels; none: where detail is")
    parser.add_argument("--weights-dir", type=Path, help="NAME_x4.engine, .onnx, .safetensors")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS))
    parser.add_argument("--work", type=Path, default=ROOT / "engines/table1")
    parser.add_argument("-o", "--output", type=Path, default=Path("figure6.png"))
    args = parser.parse_args()
    with errors_in_one_line():
        target = format_for(args.output.suffix)
        images = ImagePair(args.hr.stem, args.hr, args.lr, SCALE).load()
        crop = detailed_crop(images.lr) if args.crop is None else parse_crop(args.crop, images.lr)
        found, missing = find_runnables(args.networks, args.weights_dir, args.work, print)
        left_out = f"Without weights here: {', '.join(missing)}." if missing else ""
        data, _ = encode(draw(args.hr, images, crop, found, left_out), target, QUALITY)
        write_bytes(args.output, data)
    print(args.output)


if __name__ == "__main__":
    main()
