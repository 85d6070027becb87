"""What public CI is told, against what the package says of itself."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lowest import lowest
from packaging.requirements import Requirement

from edgesr import __version__

ROOT = Path(__file__).parent.parent
WORKFLOW = (ROOT / ".github/workflows/test.yml").read_text()


def settings() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def requirements() -> list[Requirement]:
    lines = settings()["options"]["install_requires"].splitlines()
    return [Requirement(line) for line in lines if line]


def test_it_runs_on_every_python_that_is_named() -> None:
    named = re.findall(r"Python :: (3\.\d+)$", settings()["metadata"]["classifiers"], re.M)
    (matrix,) = re.findall(r"python: \[(.*)\]", WORKFLOW)
    assert re.findall(r'"(3\.\d+)"', matrix) == named
    assert settings()["options"]["python_requires"] == f">={named[0]}"
    assert f"container: python:{named[0]}-" in WORKFLOW.partition("  lowest:")[2]


def test_every_script_it_runs_is_there() -> None:
    scripts = re.findall(r"run: sh (\S+)", WORKFLOW)
    assert scripts == ["setup.sh", "tests/lowest.sh"]
    for name in scripts:
        assert subprocess.run(["sh", "-n", ROOT / name], check=False).returncode == 0


def test_the_lowest_versions_are_all_that_setup_cfg_allows() -> None:
    command = [sys.executable, ROOT / "tests/lowest.py"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pins = [Requirement(line) for line in printed.splitlines()]
    assert [pin.name for pin in pins] == [wanted.name for wanted in requirements()]
    for pin, wanted in zip(pins, requirements(), strict=True):
        (exact,) = pin.specifier
        assert exact.operator == "=="
        assert wanted.specifier.contains(exact.version)
        assert pin.marker == wanted.marker


def test_a_dependency_without_a_lowest_version_is_named() -> None:
    assert lowest('a>=1.2\nb-c>=2,<3; python_version < "3.11"\n') == [
        "a==1.2",
        'b-c==2; python_version < "3.11"',
    ]
    with pytest.raises(SystemExit, match="no lowest version in 'numpy'"):
        lowest("numpy")


def test_the_changelog_has_this_version_above_all_others() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (\d+\.\d+\.\d+), \d{4}-\d\d-\d\d$", text, re.M)
    assert versions[0] == __version__
