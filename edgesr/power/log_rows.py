"""The rows of a log file as the lines that were printed: encodings and glued lines."""

import re
from collections.abc import Iterator
from pathlib import Path

from edgesr.decode import MalformedError, read_bounded
from edgesr.errors import PowerError, shell
from edgesr.power.folded_rows import unfold

LIMIT_BYTES = 128 << 20
"""Largest log that is read; tegrastats writes as much in five days, a line a second."""

_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""How the files begin that these programs write, and so the old logs of logrotate."""

_STAMP = r"[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} "
# Where a run was killed in the middle of a line and another appended, two lines share one; and all
# of them do where a shell printed a log without its ends of lines, as `echo $log` does.
_SECOND_LINE = re.compile(rf"(?<=\S)\s*(?={_STAMP}RAM )")


def read_text(path: Path) -> str:
    """Return the text of a log.

    Raises:
        PowerError: the file cannot be read.
    """
    try:
        data = read_bounded(path, LIMIT_BYTES)
    except (OSError, MalformedError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise PowerError(f"cannot read the log ({reason})", where=path) from error
    for magic, program in _PACKED.items():
        if data.startswith(magic):
            text = shell(path.with_name(f"{path.name}.txt"))
            raise PowerError(
                f"the log is packed by {program}",
                where=path,
                fix=f"{program} -dc <{shell(path)} >{text} && edgesr power {text}",
            )
    # PowerShell's `>` writes UTF-16, and some tools leave its mark away.
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        encoding = "utf-16"
    elif data[:64].count(0) > len(data[:64]) // 4:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    else:
        encoding = "utf-8-sig"
    return data.decode(encoding, errors="replace")


def log_rows(text: str) -> Iterator[tuple[str, bool]]:
    """Return each printed line, and whether it is whole: False for one that is broken off.

    Args:
        text: the file's.
    """
    *rows, rest = text.split("\n" if "\n" in text else "\r")
    unfolded = unfold([row.removesuffix("\r") for row in (*rows, rest)])
    for number, row in enumerate(unfolded):
        parts = _SECOND_LINE.split(row) if row.count("RAM ") > 1 else [row]
        if "RAM " not in parts[0]:  # what stands before a line, and is none
            parts[:2] = ["".join(parts[:2])]
        for part in parts[:-1]:
            yield part, False
        yield parts[-1], number < len(unfolded) - 1
