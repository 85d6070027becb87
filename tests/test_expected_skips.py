"""A skip that nobody expected fails a run; one that is named, with its reason, does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CONFTEST = """
import sys
sys.path.insert(0, {here!r})
pytest_plugins = ["expected_skips", "optional_packages"]
"""


def run(folder: Path, name: str, text: str, *options: str) -> tuple[int, str]:
    """Run one file of tests by itself; return the exit code and what was printed."""
    path = folder / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (folder / "conftest.py").write_text(CONFTEST.format(here=str(HERE)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder]
    # Plugins that are installed take two seconds to load, and these tests need none but xdist.
    done = subprocess.run(
        [*command, *options, path],
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


SKIPPED = """
import pytest

def test_one():
    pytest.skip({reason!r})

def test_two():
    pass
"""
KNOWN = "EDGESR_DATA names no folder with Set5"


@pytest.mark.parametrize(
    ("reason", "options", "code"),
    [
        ("I did not feel like it", ("--skips", "dev"), 1),
        ("I did not feel like it", ("--skips", "base"), 1),
        ("I did not feel like it", (), 0),
        (KNOWN, ("--skips", "dev"), 0),
        (f"{KNOWN}, or so.\nI did not look", ("--skips", "dev"), 1),
        ("needs a CUDA GPU", ("--skips", "dev"), 1),  # expected in other files alone
    ],
)
def test_a_reason_that_is_not_named_fails(
    tmp_path: Path, reason: str, options: tuple[str, ...], code: int
) -> None:
    found, said = run(tmp_path, "tests/test_it.py", SKIPPED.format(reason=reason), *options)
    assert found == code, said
    assert ("skips that nobody expected" in said) is (code == 1)
    assert not code or "tests/test_it.py::test_one: " in said


ONE_WORKER = ("-p", "xdist", "-n", "1")


@pytest.mark.long
def test_with_several_processes_too(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    text = SKIPPED.format(reason="I did not feel like it")
    code, said = run(tmp_path, "tests/test_it.py", text, "--skips", "dev", *ONE_WORKER)
    assert (code, said.count("test_one: I did not feel like it")) == (1, 1), said


@pytest.mark.parametrize(("installation", "code"), [("dev", 1), ("base", 0)])
def test_a_file_without_its_package_is_skipped_and_expected_of_the_base_alone(
    tmp_path: Path, installation: str, code: int
) -> None:
    hidden = "import sys\nsys.modules['safetensors'] = None\nimport safetensors\n"
    text = f"{hidden}\ndef test_one(): pass\n"
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_other.py").write_text("def test_other(): pass\n")
    code_found, said = run(
        tmp_path / "tests", "of/test_it.py", text, "--skips", installation,
        "--rootdir", str(tmp_path), str(tmp_path / "tests/test_other.py"),
    )  # fmt: skip
    assert code_found == code, said
    assert "needs safetensors: pip install 'edgesr[train]'" in said or code == 0


def test_an_error_of_another_kind_stays_an_error(tmp_path: Path) -> None:
    code, said = run(tmp_path, "tests/test_it.py", "import no_such_package\n", "--skips", "base")
    assert code not in (0, 5), said
    assert "no_such_package" in said
