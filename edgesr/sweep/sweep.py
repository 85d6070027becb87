"""A sweep: one bench in each power mode, of all pairs of a network and a tile size."""

import os
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from edgesr.artifacts import home
from edgesr.bench.config import CONTROL, BenchConfig, Wanted
from edgesr.bench.inputs import Input, read_input
from edgesr.bench.protocol import BenchHooks
from edgesr.bench.protocol import run as run_bench
from edgesr.bench.report import write_report
from edgesr.bench.run_folder import claim_folder, keep, removed_if_empty
from edgesr.errors import Argument, ConfigError, EdgesrError, MissingError, NothingYetError, shell
from edgesr.files import make_folder
from edgesr.runtime.select import open_session
from edgesr.sweep.board_modes import TABLE, BoardMode, board_modes, chosen, run, set_mode
from edgesr.sweep.mode_folders import free_name, remove_replaced
from edgesr.sweep.mode_guard import STATE, guarded
from edgesr.sweep.quality import is_control, measured, of_card, open_set
from edgesr.sweep.record import ModeRun, Quality, Sweep, write_sweep

_NOTHING_YET = "stopped before any power mode was measured; nothing is written"
_OWN = re.compile(r"[0-9]+-[A-Za-z0-9_.-]+|sweep\.json|result\.json|energy\.svg|report\.html")
"""What a sweep leaves in its folder."""


@dataclass(frozen=True)
class SweepConfig:
    """What a sweep is asked to do.

    Attributes:
        bench: each bench; `wanted` holds the networks without tiles.
        tiles: sides of tiles; none: the networks' own.
        mode_names: power modes; none: all of the board.
        budget_j: energy of an image that the best network may take.
        data: set that PSNR is measured on; None: what the cards say.
    """

    bench: BenchConfig
    tiles: tuple[int, ...] = ()
    mode_names: tuple[str, ...] = ()
    budget_j: float | None = None
    data: Path | None = None


@dataclass(frozen=True)
class Places:
    """Where a board keeps its modes, and where what is to be put back is kept."""

    table: Path = TABLE
    state: Path = STATE


def sweep(
    config: SweepConfig, folder: Path, overwrite: bool, hooks: BenchHooks, places: Places = Places()
) -> Sweep:
    """Measure in every power mode; the mode and the clocks of before are put back at any end.

    Args:
        config: what is asked for.
        folder: for sweep.json and a folder for each mode.
        overwrite: whether a sweep in it may be replaced.
        hooks: for progress and for stopping.
        places: of the board.

    Raises:
        MissingError: this is no Jetson, or the user is not root.
        ConfigError: an option cannot be.
        NothingYetError: it was stopped before any mode was measured.
        EdgesrError: nothing was measured, or mode and clocks could not be put back.
    """
    modes = chosen(board_modes(places.table), config.mode_names)
    if os.geteuid() != 0:
        raise MissingError(
            "only root may set power modes",
            where=Argument("sweep"),
            # root's own place for engines is another
            fix=f'sudo env "PATH=$PATH" {home.VARIABLE}={shell(home.home())} '
            "edgesr bench --sweep power-mode",
        )
    source = read_input(config.bench.input)
    _claim(folder, overwrite)
    hooks.step("networks")
    pairs, qualities, left_out = _pairs(config, source, hooks)
    bench = replace(config.bench, wanted=pairs)
    now = Sweep(
        command=_command(config),
        started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        interrupted=False,
        budget_j=config.budget_j,
        modes=(),
        qualities=qualities,
        left_out=left_out,
    )
    with guarded(places.state) as kept:
        for mode in modes:
            if hooks.wants_stop():
                break
            # Locked minimum clocks may be above what the next mode allows.
            run(["jetson_clocks", "--restore", str(kept.clocks)], held=kept.held)
            done = _measure(mode, bench, source, folder, overwrite, hooks, kept.held)
            now = replace(now, modes=(*now.modes, done), interrupted=hooks.wants_stop())
            if any(one.folder for one in now.modes):  # until then an old sweep stays
                write_sweep(folder, now)
            if done.folder:
                remove_replaced(folder, mode, done.folder)
    if not any(mode.folder for mode in now.modes):
        if hooks.wants_stop():
            raise NothingYetError(_NOTHING_YET)
        raise EdgesrError(f"no power mode was measured: {now.modes[0].failure}")
    if len(now.modes) < len(modes):
        now = replace(now, interrupted=True)
        write_sweep(folder, now)
    return now


def _measure(
    mode: BoardMode,
    bench: BenchConfig,
    source: Input,
    folder: Path,
    overwrite: bool,
    hooks: BenchHooks,
    held: Sequence[int],
) -> ModeRun:
    """Set a mode, fix the clocks, and measure; the guard waits until nobody has `held` open."""
    own = free_name(folder, mode)
    named = replace(hooks, step=lambda note: hooks.step(f"{mode.name}: {note}"))
    named.step("set")
    if not set_mode(mode.id, held):
        why = f"the board did not take it; sudo nvpmodel -m {mode.id} may ask for a reboot"
        return ModeRun(mode.id, mode.name, None, why)
    try:
        run(["jetson_clocks"], held=held)
        with removed_if_empty(folder / own):
            claim_folder(folder / own, overwrite, bench.samples * (len(bench.wanted) + 1))
            recording, pictures = run_bench(bench, source, named)
            keep(folder / own, recording, pictures)
            write_report(folder / own)
    except EdgesrError as error:
        return ModeRun(mode.id, mode.name, None, error.what)
    return ModeRun(mode.id, mode.name, own)


@dataclass
class _Pairs:
    """Pairs of a network and a tile with their PSNR, and those that cannot be."""

    wanted: list[Wanted] = field(default_factory=list)
    qualities: list[Quality] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def _pairs(
    config: SweepConfig, source: Input, hooks: BenchHooks
) -> tuple[tuple[Wanted, ...], tuple[Quality, ...], tuple[str, ...]]:
    """Return what can be measured; the control of every bench comes last where it is not asked for.

    Raises:
        ConfigError: nothing can be, or a tile is larger than the input.
        NothingYetError: it was stopped.
        EdgesrError: a network cannot be loaded, or its PSNR not be measured.
    """
    bench, found = config.bench, _Pairs()
    if config.tiles and max(config.tiles) > min(source.width, source.height):
        side = max(config.tiles)
        raise ConfigError(
            f"tiles of {side} do not fit into {source.width}x{source.height}",
            where=Argument("tile"),
            fix=Argument("input", f"{side}x{side}"),
        )
    scale, again = 0, ""
    for wanted in bench.wanted:
        session = open_session(wanted.model, wanted.backend, bench.scale, bench.threads)
        with closing(session):
            scale = scale or session.scale
            onnx = getattr(getattr(session, "manifest", None), "onnx_sha256", None)
            for tile in config.tiles or (None,):
                if tile is not None and session.tile not in (None, tile):
                    again = f"edgesr export -m {shell(session.model)} -s {session.scale}"
                    again += f" --tile {tile}"
                    found.left_out.append(
                        f"tiles of {tile} are left out for {wanted.model}, which has "
                        f"{session.tile} only"
                    )
                    continue
                pair = replace(wanted, tile=tile)
                found.wanted.append(pair)
                found.qualities.append(_quality(config, pair, onnx, session.scale, hooks))
    if not found.wanted:
        raise ConfigError("; ".join(found.left_out), where=Argument("tile"), fix=again)
    if not any(is_control(wanted) for wanted in found.wanted):
        found.qualities.append(_quality(config, Wanted(CONTROL), None, scale, hooks))
    return tuple(found.wanted), tuple(found.qualities), tuple(found.left_out)


def _quality(
    config: SweepConfig, wanted: Wanted, onnx_sha256: str | None, scale: int, hooks: BenchHooks
) -> Quality:
    if config.data is None:
        return of_card(onnx_sha256, scale, is_control(wanted))

    def heed(_scores: object) -> None:
        if hooks.wants_stop():  # a set may take minutes
            raise NothingYetError(_NOTHING_YET)

    return measured(wanted, open_set(config.data, scale), heed)


def _claim(folder: Path, overwrite: bool) -> None:
    """Make the folder, or see that it holds nothing but a sweep that may be replaced.

    Raises:
        ConfigError: it holds something else, or a sweep that may not be replaced.
    """
    make_folder(folder)
    names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    if any(_OWN.fullmatch(name) is None for name in names):
        raise ConfigError("there are other files in it", where=folder, fix="another -o")
    if names and not overwrite:
        raise ConfigError("there is a sweep in it", where=folder, fix="--overwrite, or another -o")


def _command(config: SweepConfig) -> str:
    words: Sequence[str] = [
        "--sweep power-mode",
        *(f"--power-mode {name}" for name in config.mode_names),
        *(f"--tile {tile}" for tile in config.tiles),
        *([] if config.budget_j is None else [f"--budget {config.budget_j:g}J"]),
        *([] if config.data is None else [f"--data {config.data.name}"]),
    ]
    return " ".join((config.bench.command, *words))
