"""report.html: one file with everything in it, that needs no network. Pure."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template

from edgesr.bench.figures import BenchResult, ModelFigures
from edgesr.bench.recording import Recording
from edgesr.bench.text import COLUMNS, NONE, figure_cells, significant, watts, with_uncertainty
from edgesr.pages.slider import SCRIPT, STYLE, Shown, slider
from edgesr.pages.style import PAGE_STYLE
from edgesr.pages.svg import SERIES

_KEY = (
    "Milliseconds are of one call, from arrays in host memory to arrays in host memory; "
    "percentiles are of all measured calls, none left out. Images and output megapixels per second "
    "count the whole way from 8-bit picture to 8-bit picture. Power is the mean over the measured "
    "windows; dynamic power is what lies above the idle baseline. An uncertainty holds 99 times in "
    "100."
)


def page(
    recording: Recording,
    result: BenchResult,
    pictures: Mapping[str, bytes],
    power_svg: str,
    latency_svg: str,
) -> str:
    """Return the report as HTML.

    Args:
        recording: the run.
        result: its figures.
        pictures: content of the PNG files by name.
        power_svg: plot of power over time.
        latency_svg: plot of latencies.
    """
    main = next((item for item in result.models if not item.model.is_control), result.models[0])
    board = result.machine.board or result.machine.model
    before, others = _pictures(recording, pictures)
    slots = {
        "title": escape(f"edgesr bench: {main.model.label} on {board}"),
        "page_style": PAGE_STYLE,
        "heading": escape(f"{main.model.label} on {board}"),
        "under": escape(_under(result, main)),
        "banners": _banners(result),
        "tiles": _tiles(result, main),
        "table": _table(recording, result),
        "key": escape(_KEY),
        "power_plot": power_svg,
        "latency_plot": latency_svg,
        "slider_style": STYLE,
        "slider": slider(before, others),
        "slider_script": SCRIPT,
        "details": _details(result),
        "environment": _environment(result),
        "footer": f"Made by <code>{escape(result.settings.command)}</code>. Every figure here is "
        "computed from the raw files beside it; <code>edgesr report</code> computes them again.",
    }
    template = (files(__package__) / "report.html").read_text("utf-8")
    return Template(template).substitute(slots)


def _under(result: BenchResult, main: ModelFigures) -> str:
    settings = result.settings
    large = f"{main.model.scale * settings.width}x{main.model.scale * settings.height}"
    return (
        f"{main.samples} samples, {settings.input}, {settings.width}x{settings.height} to {large}, "
        f"{main.model.backend}, {result.started.replace('T', ' ').removesuffix('+00:00')} UTC"
    )


def _banners(result: BenchResult) -> str:
    parts = []
    if not result.is_valid:
        reasons = "; ".join(result.invalid_reasons)
        parts.append(
            '<div class="banner invalid" role="alert"><p><strong>INVALID.</strong> The machine was '
            f"held down during the run: {escape(reasons)}.</p></div>"
        )
    if result.notes:
        lines = "".join(f"<p>{escape(_sentence(note))}</p>" for note in result.notes)
        parts.append(f'<div class="banner notes">{lines}</div>')
    return "\n".join(parts)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _tiles(result: BenchResult, main: ModelFigures) -> str:
    power = main.power
    tiles = [
        (significant(main.latency_ms.p50), "ms", "latency of a call, median"),
        (significant(main.images_per_s), "images/s", "end to end"),
    ]
    if power is None:
        tiles.append((NONE, "W", "power was not measured"))
    else:
        average = with_uncertainty(watts(power.average_mw), watts(power.average_uncertainty_mw))
        unit, factor = ("J", 1.0) if power.energy_per_image_j >= 1 else ("mJ", 1e3)
        energy = with_uncertainty(
            factor * power.energy_per_image_j, factor * power.energy_per_image_uncertainty_j
        )
        idle = result.power.idle_mw
        share = "" if idle is None else f", idle {significant(watts(idle), 3)} W"
        tiles += [
            (average, "W", f"average power{share}"),
            (energy, unit, "energy of an image"),
        ]
    return "\n".join(
        f'<div class="tile"><b>{value} <small>{unit}</small></b><span>{escape(name)}</span></div>'
        for value, unit, name in tiles
    )


def _table(recording: Recording, result: BenchResult) -> str:
    rows = []
    for item in result.models:
        colour = recording.models.index(item.model) % SERIES
        name = f'<span class="dot" style="background:var(--s{colour})"></span>'
        name += escape(item.model.label) + (" (control)" if item.model.is_control else "")
        cell = "".join(f"<td>{value}</td>" for value in figure_cells(item))
        rows.append(f"<tr><th>{name}</th>{cell}</tr>")
    return _html_table(COLUMNS, rows)


def _html_table(header: Sequence[str], rows: Sequence[str]) -> str:
    first, *others = header
    head = f'<th class="left">{escape(first)}</th>' + "".join(
        f"<th>{escape(h)}</th>" for h in others
    )
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table>"
    )


def _details(result: BenchResult) -> str:
    rails = list(
        dict.fromkeys(name for item in result.models if item.power for name in item.power.rails_mw)
    )
    header = ("Model", "Backend", "Load ms", "First image ms", "End to end p50 ms", "Device p50 ms",
              "Net J/image", "Peak W", *(f"{name} W" for name in rails))  # fmt: skip
    rows = []
    for item in result.models:
        power = item.power
        cells = [
            item.model.backend,
            significant(item.model.load_ms),
            significant(item.model.first_image_ms),
            significant(item.end_to_end_ms.p50),
            NONE if item.device_ms is None else significant(item.device_ms.p50),
        ]
        if power is None:
            cells += [NONE] * (2 + len(rails))
        else:
            net = power.net_energy_per_image_j, power.net_energy_per_image_uncertainty_j
            cells += [with_uncertainty(*net), significant(watts(power.peak_mw))]
            cells += [significant(watts(power.rails_mw.get(name))) for name in rails]
        cell = "".join(f"<td>{escape(value)}</td>" for value in cells)
        rows.append(f"<tr><th>{escape(item.model.label)}</th>{cell}</tr>")
    return _html_table(header, rows)


def _environment(result: BenchResult) -> str:
    machine, before, after = result.machine, result.before, result.after
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    memory = None if machine.memory_mib is None else f"{machine.memory_mib} MiB"
    facts: list[tuple[str, str | None]] = [
        ("Machine", machine.board or machine.model),
        ("CPU", ", ".join(filter(None, (machine.cpu, f"{machine.cpu_cores} cores")))),
        ("Memory", memory),
        ("System", machine.system + (f", L4T {machine.l4t}" if machine.l4t else "")),
        ("Software", f"Python {machine.python}, {packages}"),
        ("CUDA", machine.cuda),
        ("Power mode", _both(before.power_mode, after.power_mode)),
        ("GPU clock MHz", _both(before.gpu_mhz, after.gpu_mhz)),
        ("Fastest CPU core MHz", _both(before.cpu_mhz, after.cpu_mhz)),
        ("Load average", _both(before.load_average, after.load_average)),
        ("Power from", _power_source(result)),
    ]
    models = [item.model for item in result.models]
    facts += [(f"SHA-256 of {model.label}", model.sha256) for model in models]
    for name, value in before.temperatures_c.items():
        facts.append((f"{name} °C", _both(value, after.temperatures_c.get(name))))
    for name, count in before.throttle_events.items():
        facts.append((f"{name} events", _both(count, after.throttle_events.get(name))))
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>\n"
        for name, value in facts
        if value is not None
    )
    return f'<table class="facts"><tbody>\n{rows}</tbody></table>'


def _both(before: object, after: object) -> str | None:
    """Return `25W`, or `48.5 before, 51 after`; None where neither is known."""
    if before is None and after is None:
        return None
    first, second = (_plain(value) for value in (before, after))
    return first if first == second else f"{first} before, {second} after"


def _plain(value: object) -> str:
    if value is None:
        return "unknown"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _power_source(result: BenchResult) -> str:
    power = result.power
    if power.real_interval_s is None:
        return power.why_none or "no samples"
    real_ms = 1e3 * power.real_interval_s
    return (
        f"{power.source}, {power.total}, {power.samples} samples, asked for every "
        f"{1e3 * power.interval_s:.0f} ms, came every {real_ms:.0f} ms"
    )


def _pictures(recording: Recording, pictures: Mapping[str, bytes]) -> tuple[Shown, list[Shown]]:
    """Return what is on the left, and what can be on the right.

    On the left is bicubic, or the pixels as they are where nothing else ran.
    """
    control = next((model for model in recording.models if model.is_control), None)
    others = [model for model in recording.models if model is not control]
    if control is None or not others:
        right = [Shown(model.label, pictures[model.picture]) for model in recording.models]
        return Shown("input", pictures[recording.input_picture]), right
    right = [Shown(model.label, pictures[model.picture]) for model in others]
    return Shown(control.label, pictures[control.picture]), right
