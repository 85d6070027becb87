"""report.html of a sweep: one file with everything in it, that needs no network. Pure."""

from html import escape
from importlib.resources import files
from string import Template

from edgesr.pages.style import PAGE_STYLE
from edgesr.sweep.plot import energy_plot, ordered_rows
from edgesr.sweep.result import SweepCell, SweepResult
from edgesr.sweep.text import COLUMNS, cell_texts, sources, verdict

_KEY = (
    "Milliseconds are from 8-bit picture to 8-bit picture, the median of all measured samples. "
    "Power is the mean over the measured windows; the energy of an image is gross, idle power and "
    "all. An uncertainty holds 99 times in 100, and a network is within the budget only with it. "
    "PSNR does not depend on the power mode."
)


def page(result: SweepResult) -> str:
    """Return the report as HTML."""
    slots = {
        "page_style": PAGE_STYLE,
        "title": escape(f"edgesr sweep: {result.machine}"),
        "heading": escape(f"Power modes of {result.machine}"),
        "under": escape(
            f"{result.input} enlarged, {result.sweep.started.replace('T', ' ')[:16]} UTC"
        ),
        "budget": _budget(result),
        "notes": _notes(result),
        "plot": energy_plot(result),
        "table": _table(result),
        "key": escape(_KEY),
        "sources": "".join(f"<p class=key>dB: {escape(text)}.</p>" for text in sources(result)),
        "footer": f"Made by <code>{escape(result.sweep.command)}</code>. Each power mode has a run "
        "of its own, with its remarks, in a folder beside this page; <code>edgesr report</code> "
        "computes it again.",
    }
    template = (files(__package__) / "report.html").read_text("utf-8")
    return Template(template).substitute(slots)


def _budget(result: SweepResult) -> str:
    if result.sweep.budget_j is None:
        return ""
    text = verdict(result)
    kind = "best" if result.best is not None else "none"
    return f'<p class="banner {kind}">{escape(text[:1].upper() + text[1:])}.</p>'


def _notes(result: SweepResult) -> str:
    lines = "".join(f"<p>{escape(note[:1].upper() + note[1:])}.</p>" for note in result.notes)
    return f'<div class="banner notes">{lines}</div>' if lines else ""


def _table(result: SweepResult) -> str:
    """Return the table, a group of rows for each mode, the best network of the budget marked."""
    _, first, *others = COLUMNS
    head = f'<th class="left">{escape(first)}</th>' + "".join(f"<th>{h}</th>" for h in others)
    parts = []
    for mode in result.sweep.modes:
        cells = [cell for cell in result.cells if cell.mode_id == mode.id]
        rows = "".join(_row(row[0], result.best) for row in ordered_rows(cells))
        if rows:
            name = (
                f'<tr><th class="mode" colspan="{len(COLUMNS) - 1}">{escape(mode.name)}</th></tr>'
            )
            parts.append(f"<tbody>{name}{rows}</tbody>")
    return f"<table><thead><tr>{head}</tr></thead>{''.join(parts)}</table>"


def _row(cell: SweepCell, best: SweepCell | None) -> str:
    name, *texts = cell_texts(cell)
    kind = ' class="best"' if cell is best else ""
    values = "".join(f"<td>{escape(text)}</td>" for text in texts)
    return f"<tr{kind}><th>{escape(name)}</th>{values}</tr>"
