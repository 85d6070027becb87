"""What a run of `ages.py` must hold on a quiet machine, and on one that does other work too."""

import shlex
from typing import Any

DRAWN_S = 0.050
"""A frame is drawn up to 1/60 s before it is due, and a ball's place is good for some 5 ms."""

TAP_S = 0.100
"""The tap is one more process, which a busy machine must let run before it sees the clock."""

CLOCK_S = 0.005
"""Two clocks drift apart by so much at most while a test runs."""

FILE_S = 0.002
"""Matroska has whole milliseconds."""

RESERVE = 0.25
"""Part of an interval that a frame needs at least to be shown in time, once it is sent."""

STEPS = ("captured", "arrived", "taken", "enlarged", "sent", "shown")

AMBIGUOUS_S = 0.45
"""A ball turns once a second: which turn it was, is plain only of what came sooner than this."""


def judge(result: dict[str, Any]) -> list[str]:
    """Return what does not hold in a result; nothing, if all of it does.

    - No frame was older than two intervals when its sink had it: by the record, and by the time
      between the drawing of its pixels and the arrival of its last byte, as the tap saw them.
    - The record tells the truth: every capture is when the pixels were drawn, every showing is
      when the tap had the frame, within DRAWN_S and TAP_S.
    - Every frame that was shown, and no other, is in the sink's file, at its time.
    - Every frame that came has one fate.
    """
    shown = shown_rows(result)
    limit_s = 2 * interval_s(result)
    wrong = wrong_counts(result)
    start_s = float(shown[0]["sent_s"])
    for row, sight, file_s in zip(shown, result["seen"], result["file_times_s"], strict=False):
        name = f"frame {row['number']}"
        captured_s, shown_s = float(row["captured_s"]), float(row["shown_s"])
        age_s = shown_s - captured_s
        if age_s > limit_s:
            wrong.append(f"{name} was {age_s:.3f} s old, by the record")
        captured_wall_s = captured_s + result["wall_minus_monotonic_s"]
        shown_wall_s = shown_s + result["wall_minus_monotonic_s"]
        if sight["drawn_part"] is None:
            wrong.append(f"{name} has no ball")
            continue
        drawn_ago_s = (captured_wall_s - sight["drawn_part"] + 0.5) % 1.0 - 0.5
        if abs(drawn_ago_s) > DRAWN_S:
            wrong.append(f"{name} was drawn {drawn_ago_s:.3f} s before it is said to be captured")
        age_seen_s = sight["wall_s"] - captured_wall_s + drawn_ago_s
        if age_seen_s > limit_s + TAP_S:
            wrong.append(f"{name} was {age_seen_s:.3f} s old, by its pixels")
        if abs(sight["wall_s"] - shown_wall_s) > TAP_S:
            wrong.append(f"{name} was shown {sight['wall_s'] - shown_wall_s:.3f} s later than said")
        if abs(file_s - (float(row["sent_s"]) - start_s)) > DRAWN_S:
            wrong.append(f"{name} stands at {file_s:.3f} s in the file")
    return wrong


def judge_beside_load(result: dict[str, Any]) -> list[str]:
    """Return what does not hold in a result that another program's work cannot excuse.

    A process that is kept from a processor is late, and edgesr cannot know that it will be. What
    it does know, and must have got right:

    - No frame was sent to its sink at an age from which it could not be shown within two intervals:
      a quarter of an interval is left at least. An older one met a sink that took longer.
    - Every frame that was older when it was shown is counted as such, and the oldest is named.
    - The record flatters nothing: no frame is said to be captured after its pixels were drawn, and
      none to be shown while the tap still waited for a part of it.
    - Every frame that was shown, and no other, is in the sink's file, at its time.
    - Every frame that came has one fate, and its times follow each other.
    """
    shown, interval = shown_rows(result), interval_s(result)
    wall_s = result["wall_minus_monotonic_s"]
    wrong = wrong_counts(result)
    start_s = float(shown[0]["sent_s"])
    for row, sight, file_s in zip(shown, result["seen"], result["file_times_s"], strict=False):
        name = f"frame {row['number']}"
        times = [float(row[f"{step}_s"]) for step in STEPS]
        captured_s, arrived_s, *_, sent_s, shown_s = times
        if times != sorted(times):
            wrong.append(f"{name} has times that run backwards")
        if sent_s - captured_s > (2 - RESERVE) * interval + CLOCK_S:
            wrong.append(f"{name} was sent at an age of {sent_s - captured_s:.3f} s")
        if shown_s + wall_s < sight["awaited_wall_s"] - CLOCK_S:
            wrong.append(f"{name} is said to be shown before it was")
        if abs(file_s - (sent_s - start_s)) > FILE_S:
            wrong.append(f"{name} stands at {file_s:.3f} s in the file")
        if sight["drawn_part"] is None:
            wrong.append(f"{name} has no ball")
        elif arrived_s - captured_s < AMBIGUOUS_S:
            drawn_ago_s = (captured_s + wall_s - sight["drawn_part"] + 0.5) % 1.0 - 0.5
            if drawn_ago_s > DRAWN_S:
                wrong.append(f"{name} was drawn {drawn_ago_s:.3f} s before it is said to be")
    return wrong + wrong_ages(result)


def wrong_ages(result: dict[str, Any]) -> list[str]:
    """Return where the figures do not say of the ages what the rows say."""
    ages = [float(row["shown_s"]) - float(row["captured_s"]) for row in shown_rows(result)]
    late = sum(age > 2 * interval_s(result) for age in ages)
    figures = result["figures"]
    wrong = []
    if figures["shown_late"] != late:
        wrong.append(f"{late} frames were late, and {figures['shown_late']} are said to be")
    if abs(figures["age_ms"]["max"] - 1000 * max(ages)) > 0.01:
        wrong.append(f"the oldest was {1000 * max(ages):.3f} ms old")
    return wrong


def wrong_counts(result: dict[str, Any]) -> list[str]:
    """Return where frames are missing: in the record, at the tap, in the file, in the figures."""
    figures, file_times_s = result["figures"], result["file_times_s"]
    rows, shown, seen = all_rows(result), shown_rows(result), result["seen"]
    wrong = []
    if not len(shown) == len(seen) == len(file_times_s) == figures["shown"] > 0:
        wrong.append(
            f"{len(shown)} rows, {len(seen)} frames at the tap, {len(file_times_s)} in "
            f"the file and {figures['shown']} in the figures are said to be shown"
        )
    if sorted(int(row["number"]) for row in rows) != list(range(figures["captured"])):
        wrong.append("a frame has no fate, or two")
    return wrong


def all_rows(result: dict[str, Any]) -> list[dict[str, str]]:
    """Return the record, a row a frame, by the names of its columns."""
    head, *lines = (line.split(",") for line in result["rows"])
    return [dict(zip(head, line, strict=True)) for line in lines]


def shown_rows(result: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the frames that were shown."""
    return [row for row in all_rows(result) if row["fate"] == "shown"]


def interval_s(result: dict[str, Any]) -> float:
    """Return the time between two frames of the source that was asked for."""
    return 1 / int(shlex.split(result["command"])[7])
