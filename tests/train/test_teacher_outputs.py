"""What a teacher makes of whole pictures, cut as patches are, against the teacher itself."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from test_loop import Quiet, repeatable, run

from edgesr.errors import DataError, EdgesrError, ModelError
from edgesr.models import get_network
from edgesr.models.checkpoint import save_weights
from edgesr.models.network import SRNetwork
from edgesr.train import pixels as pixels_module
from edgesr.train.config import Distillation, TrainConfig
from edgesr.train.feeder import Feeder
from edgesr.train.loop import train
from edgesr.train.pixels import WHITE, Pixels, load
from edgesr.train.sampler import PatchSampler
from edgesr.train.teacher_outputs import LARGEST, UNIT, Teacher, teacher_outputs

Make = Callable[..., TrainConfig]
CPU = torch.device("cpu")
LOCAL = "espcn"  # looks 4 pixels far
GLOBAL = "mambalitesr:D8-G1-B1-N2-SKIP"  # a scan, which comes along the whole picture


def unseen(pictures: int, of: int) -> None: ...


def network(name: str, seed: int = 0) -> SRNetwork:
    torch.manual_seed(seed)
    built = get_network(name).module(4).eval().requires_grad_(False)
    built.start_as_interpolation()
    return built


def saved(path: Path, name: str, seed: int = 0) -> Teacher:
    built = network(name, seed)
    save_weights(path, built, name, {})
    return Teacher(built, name, path)


def outputs(teacher: Teacher, pixels: Pixels, cache: Path | None = None, patch: int = 8) -> Pixels:
    made = teacher_outputs(teacher, pixels, patch, cache, CPU, unseen)
    return dataclasses.replace(pixels, taught=made)


@pytest.fixture
def pixels(pictures: Path) -> Pixels:
    return load(pictures, 4, None, unseen).pixels


def test_a_picture_is_what_the_teacher_makes_of_it(tmp_path: Path) -> None:
    """A side of whole units is not continued: the network's own output, clipped and rounded."""
    height, width = UNIT, 2 * UNIT
    draw = np.random.default_rng(0)
    lr = torch.from_numpy(draw.integers(0, 2, (height * width, 3), np.uint8) * np.uint8(255))
    table = torch.tensor([height]), torch.tensor([width])
    single = Pixels(lr.repeat(16, 1), lr, *table, 4)
    for name in (LOCAL, GLOBAL):
        teacher = saved(tmp_path / f"{name[:5]}.safetensors", name)
        got = outputs(teacher, single).taught
        assert got is not None and got.dtype == torch.int16
        want = teacher.network(lr.view(1, height, width, 3).permute(0, 3, 1, 2).float() / 255)
        want = want.clamp(0, 1)[0].permute(1, 2, 0).reshape(-1, 3)
        torch.testing.assert_close(got.float() / WHITE, want, rtol=0, atol=0.51 / WHITE + 1e-6)
    assert got.min() == 0 and got.max() == WHITE  # an interpolation overshoots noise


@pytest.mark.parametrize("on_device", [True, False])
def test_patches_are_the_teachers_away_from_their_borders(
    tmp_path: Path, pixels: Pixels, on_device: bool
) -> None:
    """The teacher on the batch's own LR patches, in all eight turns, judges cut and turn."""
    patch, border, count = 12, 4, 32
    teacher = saved(tmp_path / "t.safetensors", LOCAL)
    taught = outputs(teacher, pixels)
    sampler = PatchSampler(taught, patch, count, 0, None)
    turns = sampler.crops(0).turn.tolist()
    assert set(turns) == set(range(8))
    lr, hr, lesson = next(Feeder(taught, sampler, patch, CPU, on_device).batches(0))
    assert lesson.shape == hr.shape and lesson.is_contiguous(memory_format=torch.channels_last)
    # Turned back, because weights have a direction.
    small, big = (
        torch.stack([_turned_back(*each) for each in zip(batch, turns, strict=True)])
        for batch in (lr, lesson)
    )
    inside = slice(4 * border, 4 * (patch - border))
    torch.testing.assert_close(
        big[..., inside, inside],
        teacher.network(small).clamp(0, 1)[..., inside, inside],
        rtol=0,
        atol=0.51 / WHITE + 1e-5,
    )


def _turned_back(square: torch.Tensor, turn: int) -> torch.Tensor:
    """Undo a turn, its last step first."""
    square = square.transpose(1, 2) if turn & 4 else square
    square = square.flip(2) if turn & 2 else square
    return square.flip(1) if turn & 1 else square


@pytest.mark.parametrize("on_device", [True, False])
def test_patches_of_hr_and_teacher_show_the_same_place(
    tmp_path: Path, pixels: Pixels, on_device: bool
) -> None:
    """A set whose HR is what the teacher makes of LR has the same patches twice."""
    taught = outputs(saved(tmp_path / "t.safetensors", GLOBAL), pixels).taught
    assert taught is not None
    same = (taught.double() / WHITE * 255).round().to(torch.uint8)
    pixels = dataclasses.replace(pixels, hr=same, taught=taught)
    feeder = Feeder(pixels, PatchSampler(pixels, 8, 32, 0, None), 8, CPU, on_device)
    _, hr, lesson = next(feeder.batches(0))
    assert (hr - lesson).abs().max() < 0.51 / 255
    assert hr.std() > 0.1


def test_a_large_picture_goes_through_in_tiles(tmp_path: Path) -> None:
    """Each within `LARGEST`; their borders have little weight, and are not seen elsewhere."""
    teacher = saved(tmp_path / "t.safetensors", LOCAL)
    seen: list[tuple[int, ...]] = []
    handle = teacher.network.register_forward_hook(lambda _, given, out: seen.append(out.shape[2:]))
    height, width = 24, LARGEST + 100
    draw = np.random.default_rng(1)
    lr = torch.from_numpy(draw.integers(0, 256, (height * width, 3), np.uint8))
    wide = Pixels(lr.repeat(16, 1), lr, torch.tensor([height]), torch.tensor([width]), 4)
    got = outputs(teacher, wide).taught
    assert seen == [(4 * UNIT, 4 * LARGEST)] * 2
    handle.remove()
    picture = lr.view(1, height, width, 3).permute(0, 3, 1, 2).float() / 255
    want = teacher.network(picture).clamp(0, 1)[0].permute(1, 2, 0)
    assert got is not None
    off = (got.view(4 * height, 4 * width, 3).float() / WHITE - want).abs()
    off = off[16:-16, 16:-16]  # zeros follow at the border there, a reflection here
    assert off.max() < 0.01
    begin, end = 4 * 100 - 16, 4 * LARGEST - 16  # of the second tile and of the first
    off[:, begin - 16 : begin + 16] = off[:, end - 16 : end + 16] = 0
    assert off.max() < 1e-4


def test_the_cache_is_read_again_by_content(tmp_path: Path, pixels: Pixels) -> None:
    """Copied to another folder, as to another machine; another teacher or picture, another file."""
    first = saved(tmp_path / "first.safetensors", LOCAL)
    cache = tmp_path / "cache"
    asked: list[int] = []

    def made(teacher: Teacher, given: Pixels, folder: Path, patch: int = 8) -> torch.Tensor:
        asked.clear()
        result = teacher_outputs(
            teacher, given, patch, folder, CPU, lambda pictures, of: asked.append(pictures)
        )
        assert torch.equal(result, teacher_outputs(teacher, given, patch, None, CPU, unseen))
        return result

    made(first, pixels, cache)
    assert asked == [1, 2, 3, 4]
    moved = shutil.copytree(cache, tmp_path / "elsewhere")
    shutil.copy(first.file, tmp_path / "copy.safetensors")
    made(first._replace(file=tmp_path / "copy.safetensors"), pixels, moved)
    assert asked == []

    other = saved(first.file, LOCAL, seed=1)  # the same path with other weights
    made(other, pixels, cache)
    assert asked == [1, 2, 3, 4]
    changed = pixels.lr.clone()
    changed[-1] ^= 1
    made(other, dataclasses.replace(pixels, lr=changed), cache)
    assert asked == [1, 2, 3, 4]
    result = made(other, pixels, cache, patch=17)  # two pictures are large enough
    assert asked == [1] and result[: 16 * 16 * 16].eq(0).all() and result.max() == WHITE

    (broken, *_) = cache.iterdir()
    broken.write_bytes(broken.read_bytes()[:-1])
    for teacher in (first, other):
        saved(first.file, LOCAL, seed=int(teacher is other))
        made(teacher, pixels, cache)


def test_a_broken_teacher_is_no_teacher(tmp_path: Path, pixels: Pixels) -> None:
    path = tmp_path / "t.safetensors"
    teacher = saved(path, LOCAL)
    for parameter in teacher.network.parameters():
        parameter.mul_(torch.nan)
    cache = tmp_path / "cache"
    with pytest.raises(ModelError, match="not numbers"):
        outputs(teacher, pixels, cache)
    assert list(cache.iterdir()) == []


def test_more_than_memory_asks_for_a_cache(
    tmp_path: Path, pixels: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = (pixels.nbytes + 1) / (pixels_module.memory_bytes() / pixels_module.MEMORY_SHARE)
    monkeypatch.setattr(pixels_module, "MEMORY_SHARE", share)
    teacher = saved(tmp_path / "t.safetensors", LOCAL)
    with pytest.raises(DataError, match="--cache"):
        outputs(teacher, pixels)
    assert outputs(teacher, pixels, tmp_path / "cache").taught is not None


class Stopping(Quiet):
    """Stops a run at the second picture of the teacher, as Ctrl-C does."""

    def taught(self, pictures: int, of: int) -> None:
        if pictures == 2:
            raise EdgesrError("stopped")


@pytest.mark.parametrize("cached", [True, False])
def test_stopped_and_resumed_equals_uninterrupted(tiny: Make, tmp_path: Path, cached: bool) -> None:
    """Also on another machine: the run's folder and the cache in other places."""
    teacher = saved(tmp_path / "t.safetensors", GLOBAL, seed=3).file
    told = Distillation(teacher, alpha=0.8)
    whole, parts = (
        tiny(
            name,
            steps=30,
            log_every=5,
            distillation=told,
            cache=tmp_path / "cache" if cached else None,
        )
        for name in ("whole", "parts")
    )
    with pytest.raises(EdgesrError, match="stopped"):
        train(whole, Stopping())
    straight = run(whole)
    assert not train(parts, Quiet(stop_after=7)).finished
    moved = dataclasses.replace(
        parts,
        out=Path(shutil.move(parts.out, tmp_path / "moved")),
        cache=tmp_path / "new" if cached else None,
        distillation=Distillation(
            Path(shutil.copy(teacher, tmp_path / "u.safetensors")), alpha=0.8
        ),
        resume=True,
    )
    resumed = run(moved)
    assert resumed.checkpoint.stat().st_size < 4 * straight.weights.stat().st_size + 65_536
    assert resumed.finished and repeatable(moved) == repeatable(whole)
    for name, value in load_file(straight.weights).items():
        assert torch.equal(load_file(resumed.weights)[name], value)


def test_when_the_teacher_runs(tiny: Make, tmp_path: Path) -> None:
    teacher = saved(tmp_path / "t.safetensors", GLOBAL).file

    def runs(alpha: float, affinity: float, degradation: str) -> str:
        told = Distillation(teacher, alpha=alpha, feature_affinity=affinity)
        name = f"{alpha}-{affinity}-{degradation}"
        config = tiny(name, steps=1, degradation=degradation, distillation=told)
        watcher = Quiet()
        seen = []
        watcher.taught = lambda pictures, of: seen.append(pictures)  # type: ignore[method-assign]
        train(config, watcher)
        (notes,) = json.loads((config.out / "config.json").read_text())["invocations"]
        assert (notes["teacher"], len(notes["teacher_sha256"])) == (GLOBAL, 64)
        assert (len(seen) > 0) == (notes["teacher_runs"] == "once")
        said: str = notes["teacher_runs"]
        return said

    assert runs(0.8, 0.0, "bicubic") == "once"
    assert runs(0.8, 0.1, "bicubic") == runs(0.8, 0.0, "photo") == "every step"
    assert runs(0.0, 0.1, "bicubic") == "every step"
    assert runs(0.0, 0.0, "bicubic") == runs(0.0, 0.0, "photo") == "never"
