import os
import subprocess
import sys

import pytest

from edgesr.imaging.quiet import captured_stderr


def test_what_c_code_prints_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with captured_stderr() as complaints:
        os.write(2, b"libpng warning: oh dear\n")
    assert complaints.text == "libpng warning: oh dear\n"
    assert capfd.readouterr().err == ""
    os.write(2, b"back again")
    assert capfd.readouterr().err == "back again"


def test_it_is_given_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="inside"), captured_stderr():
        os.write(2, b"kept")
        raise ValueError("inside")
    os.write(2, b"shown")
    assert capfd.readouterr().err == "shown"


def test_python_output_from_before_is_not_swallowed() -> None:
    code = (
        "import os, sys, io\n"
        "sys.stderr = io.TextIOWrapper(io.FileIO(2, 'w', closefd=False), write_through=False)\n"
        "from edgesr.imaging.quiet import captured_stderr\n"
        "sys.stderr.write('before ')\n"
        "with captured_stderr(): os.write(2, b'inside ')\n"
        "sys.stderr.write('after'); sys.stderr.flush()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "before after"
