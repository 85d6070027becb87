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


@pytest.mark.parametrize("whole_program", [False, True])
def test_what_another_thread_prints_meanwhile_is_shown(whole_program: bool) -> None:
    code = (
        "import os, sys, threading\n"
        "from edgesr.imaging.quiet import captured_stderr, print_beside\n"
        f"if {whole_program}: print_beside()\n"
        "stream = sys.stderr\n"
        "def say():\n"
        "    print('error: premature end, says the other one', file=sys.stderr)\n"
        f"    if {whole_program}: print('by the stream of before', file=stream)\n"
        "with captured_stderr() as complaints:\n"
        "    thread = threading.Thread(target=say); thread.start(); thread.join()\n"
        "    os.write(2, b'libpng')\n"
        "print('after', file=sys.stderr)\n"
        "assert complaints.text == 'libpng', complaints.text\n"
        "assert sys.stderr is stream\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert lines[0] == "error: premature end, says the other one"
    assert lines[1:-1] == (["by the stream of before"] if whole_program else [])
    assert lines[-1] == "after"


def test_the_command_line_prints_beside() -> None:
    code = (
        "import sys; from edgesr.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: print(sys.stderr.fileno())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) > 2
