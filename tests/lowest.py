"""Prints the lowest version of every dependency that setup.cfg allows, as constraints of pip."""

import configparser
import re
from pathlib import Path

FILE = Path(__file__).parents[1] / "setup.cfg"


def lowest(text: str) -> list[str]:
    """Return `name==version; marker` for each line `name>=version...; marker` of a list."""
    pins = []
    for line in filter(None, map(str.strip, text.splitlines())):
        match = re.fullmatch(r"([\w.-]+)>=([\w.]+)(?:,[^;]*)?(;.*)?", line)
        if match is None:
            raise SystemExit(f"{FILE}: no lowest version in '{line}'")
        pins.append(f"{match[1]}=={match[2]}{match[3] or ''}")
    return pins


if __name__ == "__main__":
    settings = configparser.ConfigParser()
    settings.read(FILE, encoding="utf-8")
    print("\n".join(lowest(settings["options"]["install_requires"])))
