"""A result of Table I in words: Markdown and CSV. Pure."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.shared.markdown import listed, markdown, score_cell
from benchmarks.shared.paper import PAPER
from benchmarks.table1.networks import CONTROL, RIVALS, STUDENT
from edgesr.bench.text import NONE, significant, watts, with_uncertainty

Json = dict[str, Any]

CSV_COLUMNS = (
    "network", "source", "device", "set", "psnr_y_db", "ssim_y", "parameters", "multiply_adds",
    "latency_ms", "latency_ratio", "power_mw", "dynamic_mw", "energy_j", "energy_ratio",
)  # fmt: skip


def verdict(document: Json) -> str:
    """Return where the student loses, or that it does not: the first line of the table."""
    reference = document["reference"]
    parts = [f"**{_capital(_loses(document, 'latency', 'is slower'))}"]
    if document["power_source"] is None:
        parts.append(" Energy was not measured; the notes say why.**")
    else:
        parts.append(f" {_capital(_loses(document, 'energy', 'takes more'))}**")
    if reference == STUDENT and document["sets"]:
        parts.append(f" {_quality(document)}")
    return "".join(parts)


def _loses(document: Json, figure: str, word: str) -> str:
    reference = document["reference"]
    ratios = {
        name: cost[f"{figure}_ratio"]
        for name, cost in document["cost"].items()
        if name != reference and cost[f"{figure}_ratio"] is not None
    }
    worse = sorted((n for n, ratio in ratios.items() if ratio < 1), key=lambda n: ratios[n])
    if not worse:
        return f"the {reference} loses on {figure} to none of {listed(list(ratios))}."
    each = [f"{name} ({1 / ratios[name]:.3g} times)" for name in worse]
    return f"the {reference} loses on {figure}: it {word} than {listed(each)}."


def _quality(document: Json) -> str:
    """Return where the student is behind a row of Table I or bicubic in PSNR or SSIM."""
    rows = {row["name"]: row["quality"] for row in document["networks"]}
    rivals = [name for name in (*RIVALS, CONTROL) if name in rows]
    behind = [
        f"{name} on {scores} ({figure})"
        for name in rivals
        for scores in rows[name]
        for figure, key in (("PSNR", "psnr_y_db"), ("SSIM", "ssim_y"))
        if rows[name][scores][key] >= rows[STUDENT][scores][key]
    ]
    sets = listed([item["name"] for item in document["sets"]])
    if not behind:
        return f"It is ahead of {listed(rivals)} in PSNR and SSIM on {sets}."
    return f"In quality it is behind {listed(behind)}."


def table1(document: Json) -> str:
    """Return Table I as measured, each row with the paper's figures below it."""
    sets = [item["name"] for item in document["sets"]]
    header = ["network", "parameters", "multiply-adds", *(f"{name} dB / SSIM" for name in sets)]
    header += ["latency ms", f"over {document['reference']}", "power W", "energy mJ", "runs in"]
    by_network = {row["network"]: row for row in PAPER["table1"]["rows"]}
    rows = []
    for row in document["networks"]:
        rows.append(_measured(row, sets, document["cost"].get(row["name"])))
        if row["name"] in by_network:
            rows.append(_published(by_network[row["name"]], sets))
    return markdown(header, rows)


def _measured(row: Json, sets: Sequence[str], cost: Json | None) -> list[str]:
    million = None if row["multiply_adds"] is None else row["multiply_adds"] / 1e6
    cells = [
        f"**{row['name']}**",
        NONE if row["parameters"] is None else f"{row['parameters']:,}",
        NONE if million is None else f"{million:,.1f} M",
        *(score_cell(row["quality"].get(name)) for name in sets),
    ]
    if cost is None:
        return [*cells, *[NONE] * 5]
    joules, error = cost["energy_j"], cost["energy_uncertainty_j"]
    milli = (None if value is None else 1e3 * value for value in (joules, error))
    return [
        *cells,
        significant(cost["latency_ms"]),
        significant(cost["latency_ratio"], 3),
        with_uncertainty(watts(cost["power_mw"]), watts(cost["power_uncertainty_mw"])),
        with_uncertainty(*milli),
        f"{cost['backend']}, {row['precision']}",
    ]


def _published(row: Json, sets: Sequence[str]) -> list[str]:
    scores = (row["quality"].get(name) for name in sets)
    return [
        f"*paper: {row['name']}*",
        NONE,
        NONE,
        *(NONE if score is None else f"{score[0]:.2f} / {score[1]:.3f}" for score in scores),
        NONE if row["latency_ms"] is None else f"{row['latency_ms']}",
        NONE,
        f"{row['power_mw'] / 1000:.2f}",
        NONE,
        row["device"],
    ]


def table2(document: Json) -> str:
    """Return Table II: the paper's rows, and below each what was measured here."""
    measured = {row["name"]: row for row in document["networks"]}
    rows = []
    for published in PAPER["table2"]["rows"]:
        psnr = f"{published['psnr_y_db']:.2f}"
        steps = f"{published['steps']:,}"
        rows.append([f"*paper: {published['name']}*", published["parameters"], steps, psnr])
    for name in ("dvmsr", "teacher", "student-paper", STUDENT):
        score = measured.get(name, {}).get("quality", {}).get("Set5")
        if score is not None:
            row = measured[name]
            count = NONE if row["parameters"] is None else f"{row['parameters']:,}"
            steps = NONE if row["steps"] is None else f"{row['steps']:,}"
            rows.append([f"**{name}**", count, steps, f"{score['psnr_y_db']:.2f}"])
    return markdown(["network", "parameters", "training steps", "Set5 dB"], rows)


def apart(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    """Return by how much the larger of two ratios is above the smaller, for those in both."""
    both = ((name, first[name], second[name]) for name in first if name in second)
    return {name: max(a, b) / min(a, b) - 1 for name, a, b in both}


def page(document: Json) -> str:
    """Return everything about a result as Markdown, without a heading."""
    machine = document["machine"]
    cores = "core" if machine["cpu_cores"] == 1 else "cores"
    device = f"{machine['model']}, {machine['cpu'] or 'CPU'}, {machine['cpu_cores']} {cores}"
    if machine["power_mode"]:
        device += f", power mode {machine['power_mode']}"
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    lines = [verdict(document), ""]
    if not document["is_valid"]:
        lines += [f"**INVALID run:** {'; '.join(document['invalid_reasons'])}.", ""]
    facts = [f"Measured on {device}; {packages}; {document['started']}."]
    for item in document["sets"]:
        pictures = "picture" if item["images"] == 1 else "pictures"
        facts.append(f"{item['name']}: {item['images']} {pictures}, LR {item['lr']}.")
    facts.append(f"Quality: {document['quality_protocol']}.")
    facts.append(f"Latency: {document['latency_protocol']}.")
    second = document.get("second_run")
    if second is not None:
        ratios = {name: figures["latency_ratio"] for name, figures in document["cost"].items()}
        worst = max(apart(ratios, second["latency_ratio"]).values())
        facts.append(
            f"A second run of the bench, begun {second['started']}, has every latency ratio within "
            f"{100 * worst:.1f} % of these."
        )
    if document["power_source"] is not None:
        idle = significant(watts(document["idle_mw"]), 3)
        facts.append(f"Power: {document['power_source']}, idle {idle} W; energy is gross.")
    facts += [f"{_capital(note)}." for note in document["notes"]]
    hashes = [
        f"{n['name']} {n['weights_sha256'][:8]}"
        for n in document["networks"]
        if n["weights_sha256"]
    ]
    if hashes:
        facts.append(f"SHA-256 of the weights: {', '.join(hashes)}.")
    for reason in dict.fromkeys(document["left_out"].values()):
        names = [name for name, why in document["left_out"].items() if why == reason]
        facts.append(f"Left out: {listed(names)}: {reason}.")
    paper = PAPER["table1"]
    facts.append(f"Rows of the paper: {paper['device']}. {_capital(paper['protocol'])}.")
    lines += [table1(document), "", *(f"- {fact}" for fact in facts), ""]
    lines += ["Table II, Set5:", "", table2(document), "", f"Made by `{document['command']}`."]
    return "\n".join(lines) + "\n"


def to_csv(document: Json) -> str:
    """Return a line for each network and set, measured and published."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in document["networks"]:
        cost = document["cost"].get(row["name"], {})
        fixed = {key: value for key, value in (row | cost).items() if key in CSV_COLUMNS}
        fixed |= {"network": row["name"], "source": document["name"]}
        fixed["device"] = document["machine"]["model"]
        for name, scores in row["quality"].items() or [("", {})]:
            writer.writerow(fixed | {"set": name} | scores)
    for row in PAPER["table1"]["rows"]:
        fixed = {key: row[key] for key in ("network", "device", "power_mw", "latency_ms")}
        for name, (psnr, ssim) in row["quality"].items():
            scores = {"set": name, "psnr_y_db": psnr, "ssim_y": ssim}
            writer.writerow(fixed | {"source": "paper"} | scores)
    return text.getvalue()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
