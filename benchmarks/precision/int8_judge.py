"""How far an INT8 graph is from the fp32 graph of the same weights; see int8.py."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto

from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.evaluate.datasets import open_sets
from edgesr.evaluate.evaluate import score
from edgesr.export.allowed_qdq import DEQUANTIZE, QUANTIZE
from edgesr.export.int8 import KINDS
from edgesr.export.parity import run_tiles
from edgesr.files import sha256
from edgesr.imaging.patches import hard_tiles
from edgesr.imaging.picture import Picture
from edgesr.imaging.psnr import psnr_db
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.photograph import upscale_picture

SETS, OTHERS = ("Set5", "Set14"), "BSD100"
TILE, SCALE = 64, 4
Row = dict[str, object]


class Judge:
    """Compares graphs with the fp32 graph they were made from.

    Args:
        exact: the fp32 graph.
        manifest: its manifest.
        folder: of benchmark sets.
    """

    def __init__(self, exact: ModelProto, manifest: OnnxManifest, folder: Path) -> None:
        self.manifest = manifest
        *sets, others = open_sets([folder / name for name in (*SETS, OTHERS)], SCALE)
        self.sets = [(one.name, [pair.load() for pair in one.pairs]) for one in sets]
        middles = [_middle(pair.load().lr.colour) for pair in others.pairs]
        self.stacks = [np.stack(middles), *hard_tiles(TILE).values()]
        self.exact_pictures = self._enlarge(exact)
        self.exact_tiles = run_tiles(exact, self.stacks, 1)

    def __call__(self, label: Row, make: Callable[[], ModelProto]) -> Row:
        """Make a graph and return how far it is from the fp32 graph."""
        start = time.perf_counter()
        model = make()
        row: Row = {
            **label,
            "seconds": round(time.perf_counter() - start, 1),
            "pairs": sum(node.op_type == QUANTIZE for node in model.graph.node),
            "multiplications": len(quantised(model)),
            "file_bytes": model.ByteSize(),
        }
        loss_db, to_fp32_db = {}, {}
        for (name, pairs), found, exact in zip(
            self.sets, self._enlarge(model), self.exact_pictures, strict=True
        ):
            before, after = (
                np.mean(
                    [score(y, hr, SCALE).psnr_y_db for y, (_, hr) in zip(ys, pairs, strict=True)]
                )
                for ys in (exact, found)
            )
            squares = [
                np.mean((np.float64(a.colour) - b.colour) ** 2) / 255**2
                for a, b in zip(found, exact, strict=True)
            ]
            loss_db[name] = round(float(before - after), 4)
            to_fp32_db[name] = round(psnr_db(float(np.mean(squares))), 2)
        row |= {"loss_db": loss_db, "to_fp32_db": to_fp32_db}
        tiles, *hard = (
            [psnr_db(float(np.mean((a - b) ** 2))) for a, b in zip(found, exact, strict=True)]
            for found, exact in zip(run_tiles(model, self.stacks, 1), self.exact_tiles, strict=True)
        )
        row["worst_tile_db"] = round(min(tiles), 1)
        row["hard_db"] = {
            name: round(one[0], 1) for name, one in zip(hard_tiles(TILE), hard, strict=True)
        }
        print(row, flush=True)
        return row

    def _enlarge(self, model: ModelProto) -> list[list[Picture]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            onnx.save(model, path)
            replace(self.manifest, onnx_sha256=sha256(path)).write(path)
            session = OnnxRuntimeSession(path)
            results = [
                [upscale_picture(session, lr).picture for lr, _ in pairs] for _, pairs in self.sets
            ]
            session.close()
            return results


def quantised(model: ModelProto) -> list[str]:
    """Return the names of the multiplications that read a dequantised value."""
    made = {o for node in model.graph.node if node.op_type == DEQUANTIZE for o in node.output}
    return [
        node.name for node in model.graph.node if node.op_type in KINDS and node.input[0] in made
    ]


def _middle(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the middle tile of an LR picture: (3, tile, tile)."""
    top, left = ((side - TILE) // 2 for side in picture.shape[:2])
    part = picture[top : top + TILE, left : left + TILE]
    return (part / np.float32(255)).astype(np.float32).transpose(2, 0, 1)
