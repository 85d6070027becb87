"""`edgesr` and `python -m edgesr`: the command line, which Ctrl-C ends without a word of Python's.

Packages in C turn a Ctrl-C that comes while they are imported into errors of their own: NumPy then
asks for advice to be read, and ONNX Runtime passes for one that is not installed. It is therefore
held back until the import is over. Where it comes in code that cannot raise anything, such as a
`__del__`, Python drops it and prints that it did; it is sent again instead.

Standard streams may be closed (`2>&-`). The next file that is opened would get the number of one,
and with it what libraries in C print, so the null device takes their places.
"""

import os
import signal
import sys
import threading
from types import FrameType

_IMPORTING = "<frozen importlib"  # how the files of Python's own import begin
_AGAIN_S = 0.05
_STDERR = 2


def main() -> None:
    """Run the command line.

    Ctrl-C that its sender wants to be ignored, as a shell does for what runs in the background,
    stays ignored.
    """
    try:
        _fill_closed()
        sys.unraisablehook = _send_dropped
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _interrupt)
        from edgesr.cli import main as run

        run()
    except KeyboardInterrupt:
        from edgesr.cli._exit_codes import INTERRUPTED

        sys.exit(INTERRUPTED)


def _fill_closed() -> None:
    opened = os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    while opened <= _STDERR:
        os.set_inheritable(opened, True)
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)
    if sys.stderr is None:  # where Python found it closed
        sys.stderr = os.fdopen(_STDERR, "w", closefd=False)


def _interrupt(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTING):
            _send_later(number)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _send_dropped(dropped: "sys.UnraisableHookArgs") -> None:
    if issubclass(dropped.exc_type, KeyboardInterrupt):
        _send_later(signal.SIGINT)
    else:
        sys.__unraisablehook__(dropped)


def _send_later(number: int) -> None:
    again = threading.Timer(_AGAIN_S, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


if __name__ == "__main__":
    main()
