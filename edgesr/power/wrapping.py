"""Take a log line out of what another program wrapped it in. Pure.

A line that went through a terminal, a container's log driver, the journal or a table comes inside
something: colour codes around it, a JSON object with the line in one of its strings, quotes with
escapes in them, `content="..."`. The wrapper is recognised by its own grammar, and what stands
inside is the line as it was printed. Wrappers may be nested; they are taken off one by one.
"""

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

_DEEPEST = 4
"""Wrappers around one line; a docker log of the journal of a terminal has three."""

# ECMA-48: control sequences, the strings of an operating system command, other two-byte ones. The
# escape byte is also found written out: \u001b and \x1b in text, #033 in rsyslog's, ^[ in cat's.
_ESCAPE_BYTE = r"(?:\x1b|\\u001[bB]|\\x1[bB]|\\033|\\e|#033|\^\[)"
_ESCAPE = re.compile(
    rf"{_ESCAPE_BYTE}(?:\[[0-?]*[ -/]*[@-~]|\].*?(?:\x07|{_ESCAPE_BYTE}\\|$)|[@-Z\\^_])"
    r"|\x1b[ -/]*[0-~]"  # of more bytes, as `tput sgr0` prints; in text they may be anything else
)
# Without any of these a line is in no wrapper that has to be taken off.
_SIGNS = ("\x1b", '"', "'", "`", "\\", "#", "^")

# A quote that opens right before a line of tegrastats; in text that is quoted twice it is escaped.
_OPENING = re.compile(
    r"(\\*[\"'`])(?=\s*(?:[0-9]{2}-[0-9]{2}-[0-9]{4} +[0-9]{2}:[0-9]{2}:[0-9]{2} +)?RAM +[0-9])"
)
# What tells that a string holds such a line, also one whose head with `RAM` is cut off.
_LINE = re.compile(r"RAM +[0-9]|GR3D|[0-9]mW\b")
_ISO = re.compile(
    r"(?<![\w-])([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,]([0-9]{1,9}))?"
)
_MICROSECONDS = re.compile(r"[0-9]{16}")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def undress(text: str) -> tuple[str, datetime | None]:
    """Return the line inside, and the time that its wrapper gives it.

    Args:
        text: one line of a file.

    Returns:
        The line; and the wrapper's own stamp, None where it has none. The stamp's time zone is
        left away, as tegrastats prints none either.
    """
    if not any(map(text.__contains__, _SIGNS)):
        return text, None
    stamp = None
    for _ in range(_DEEPEST):
        text = _ESCAPE.sub("", text)
        inner, outer_stamp = _unpack(text)
        stamp = stamp or outer_stamp
        if inner == text:
            break
        text = inner
    return text, stamp


def without_escapes(row: str) -> str:
    """Return a row without colours and other control sequences of a terminal."""
    return _ESCAPE.sub("", row) if "\x1b" in row else row


def iso_stamp(text: str) -> datetime | None:
    """Return the first ISO 8601 date and time within a text, cut to whole seconds, or None."""
    match = _ISO.search(text)
    if match is None:
        return None
    try:
        return datetime.fromisoformat(f"{match[1]} {match[2]}")
    except ValueError:
        return None


def _unpack(text: str) -> tuple[str, datetime | None]:
    """Take off the outermost wrapper; a text without one is returned as it is."""
    stripped = text.strip()
    if stripped[:1] in {"{", "[", '"'}:
        try:
            found = _in_json(json.loads(stripped.rstrip(",")))
        except (ValueError, RecursionError):
            found = None
        if found is not None:
            return found
    opening = _OPENING.search(text)
    if opening is None:
        return text, None
    quote = opening[1]
    end = text.find(quote, opening.end())
    inner = text[opening.end() : end if end >= 0 else None]
    return inner, iso_stamp(text[: opening.start()])


def _in_json(value: Any, depth: int = 0) -> tuple[str, datetime | None] | None:
    """Find the line in a JSON value: the string that looks like it, with the object's stamp."""
    if isinstance(value, str):
        return (value, None) if _LINE.search(value) else None
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        if value and all(type(byte) is int and 0 <= byte < 256 for byte in value):
            # The journal gives a message with control characters as its bytes.
            return _in_json(bytes(value).decode("utf-8", errors="replace"), depth + 1)
        found = (_in_json(item, depth + 1) for item in value)
        return next((one for one in found if one is not None), None)
    if isinstance(value, dict):
        found = (_in_json(item, depth + 1) for item in value.values())
        line = next((one for one in found if one is not None), None)
        return None if line is None else (line[0], line[1] or _stamp_of(value))
    return None


def _stamp_of(fields: dict[str, Any]) -> datetime | None:
    """Return the time among an object's fields: ISO 8601, or the journal's microseconds."""
    texts = [item for item in fields.values() if isinstance(item, str)]
    real = fields.get("__REALTIME_TIMESTAMP")
    if isinstance(real, str) and _MICROSECONDS.fullmatch(real):
        moment = _EPOCH + timedelta(microseconds=int(real))
        return moment.replace(tzinfo=None, microsecond=0)
    stamps = (iso_stamp(text) for text in texts if _ISO.match(text))
    return next((stamp for stamp in stamps if stamp is not None), None)
