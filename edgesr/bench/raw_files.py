"""The raw files of a run: run.json, latencies.csv, power.csv and pictures/."""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from edgesr import files
from edgesr.bench.environment import Machine, State
from edgesr.bench.recording import Latencies, Model, Power, Recording, Settings, Span, SpanKind
from edgesr.errors import ConfigError, DataError
from edgesr.power.board_rails import Total
from edgesr.power.samples_csv import read_samples, write_samples

FORMAT = "edgesr-bench-run/1"
RUN, LATENCIES, POWER, PICTURES = "run.json", "latencies.csv", "power.csv", "pictures"
COLUMNS = "model,round,start_s,end_to_end_ms,latency_ms,device_ms"


def claim_folder(folder: Path, overwrite: bool) -> None:
    """Make the folder of a run before the work begins.

    Raises:
        ConfigError: something else is in it, an earlier run is and may not be replaced, or it
            cannot be written.
    """
    make_folder(folder)
    names = {path.name for path in folder.iterdir()}
    if RUN in names and not overwrite:
        raise ConfigError("there is a run in it", where=folder, fix="--overwrite, or another -o")
    if names and RUN not in names:
        raise ConfigError("there are other files in it", where=folder, fix="another -o")
    with files.atomic_path(folder / "probe"):
        pass  # whether files can be written there shows now, not after the measuring
    (folder / "probe").unlink()


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing.

    Raises:
        ConfigError: something else has its name, or it may not be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot be a folder here ({error.strerror})", where=folder) from error


def write_raw(folder: Path, recording: Recording, pictures: Mapping[str, bytes]) -> None:
    """Write a run; run.json comes last, so that a folder with it is whole.

    Args:
        folder: exists.
        recording: the run.
        pictures: content of the PNG files by name.
    """
    (folder / PICTURES).mkdir(exist_ok=True)
    for name, data in pictures.items():
        files.write_bytes(folder / PICTURES / name, data)
    for stale in (folder / PICTURES).glob("*.png"):
        if stale.name not in pictures:
            stale.unlink()  # of the run that is replaced
    files.write_text(folder / LATENCIES, _latencies_csv(recording.latencies))
    write_samples(folder / POWER, recording.samples)
    fields = asdict(recording)
    del fields["latencies"], fields["samples"]
    files.write_json(folder / RUN, {"format": FORMAT} | fields)


def read_raw(folder: Path) -> Recording:
    """Read what `write_raw` wrote.

    Raises:
        DataError: no run in the folder, or one of another format, or damaged.
        PowerError: power.csv is damaged.
    """
    again = "edgesr bench -o DIR makes such a folder"
    try:
        fields = json.loads((folder / RUN).read_bytes())
        if not isinstance(fields, dict) or fields.pop("format", None) != FORMAT:
            raise DataError(f"not of format {FORMAT}", where=folder / RUN, fix=again)
        header, _, rows = (folder / LATENCIES).read_text("utf-8").partition("\n")
        if header != COLUMNS or not rows:
            raise DataError("not a table of latencies", where=folder / LATENCIES, fix=again)
        table = np.loadtxt(io.StringIO(rows), delimiter=",", ndmin=2)
        return _recording(fields, Latencies.from_rows(table), read_samples(folder / POWER))
    except FileNotFoundError as error:
        raise DataError(
            f"there is no run in it ({Path(error.filename).name} is missing)",
            where=folder,
            fix=again,
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"the run cannot be read ({error})", where=folder, fix=again) from error


def _latencies_csv(latencies: Latencies) -> str:
    text = io.StringIO()
    text.write(COLUMNS + "\n")
    columns = (
        latencies.model,
        latencies.round,
        latencies.start_s,
        latencies.end_to_end_ms,
        latencies.latency_ms,
        latencies.device_ms,
    )
    np.savetxt(text, np.column_stack(columns), fmt="%d,%d,%.6f,%.4f,%.4f,%.4f")
    return text.getvalue()


def _recording(fields: dict[str, Any], latencies: Latencies, samples: Any) -> Recording:
    power = fields.pop("power")
    total = power.pop("total")
    return Recording(
        settings=Settings(**fields.pop("settings")),
        machine=Machine(**fields.pop("machine")),
        before=State(**fields.pop("before")),
        after=State(**fields.pop("after")),
        models=tuple(Model(**model) for model in fields.pop("models")),
        spans=tuple(Span(SpanKind(span.pop("kind")), **span) for span in fields.pop("spans")),
        power=Power(total=Total(tuple(total["rails"]), total["sensor_lag_s"]), **power),
        latencies=latencies,
        samples=samples,
        **fields,
    )
