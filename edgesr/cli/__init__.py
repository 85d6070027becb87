"""The command line: one module per command; the only place that prints, exits or catches.

Each module in this package that defines `command` adds itself: `command` is a plain function whose
parameters are the options. Modules import nothing heavy at their top, so `edgesr --help` is quick.
"""

import importlib
import logging
import os
import pkgutil
import sys
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from edgesr.cli._console import SafeFormatter, drop_output, say
from edgesr.cli._empty import FilledCommand
from edgesr.cli._exit_codes import FAILED, INTERRUPTED
from edgesr.errors import EdgesrError, MissingError, NothingYetError
from edgesr.imaging.limits import MAX_MEGAPIXELS, VARIABLE, parse_limit
from edgesr.imaging.limits import max_megapixels as check_limit
from edgesr.imaging.quiet import print_beside
from edgesr.version import __version__

OPTIONAL = {
    "torch": "train",
    "onnx": "train",
    "onnxscript": "train",
    "safetensors": "train",
    "matplotlib": "train",
    "pynvml": "nvml",
    "pycuda": "jetson",
    "starlette": "serve",
    "uvicorn": "serve",
    "h11": "serve",
    "anyio": "serve",
    "prometheus_client": "serve",
    "av": "video",
    "PIL": "video",
    "ray": "ray",
}
"""Packages that some commands need, and the extra that brings each."""

app = typer.Typer(
    name="edgesr",
    help="Sharp pictures from a small board: train, export, upscale, measure.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _print_version(value: bool) -> None:
    if value:
        say(f"edgesr {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
    max_megapixels: Annotated[
        float | None,
        typer.Option(
            help=f"Largest picture that is read, in megapixels. Default: {MAX_MEGAPIXELS:g}."
        ),
    ] = None,
) -> None:
    """Sharp pictures from a small board: train, export, upscale, measure."""
    if max_megapixels is not None:
        parse_limit(str(max_megapixels), "--max-megapixels")
        os.environ[VARIABLE] = str(max_megapixels)  # reaches the processes of a training too
    check_limit()


def _add_commands() -> None:
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        if info.name.startswith("_"):
            continue
        command: Callable[..., None] = importlib.import_module(f"{__name__}.{info.name}").command
        app.command(info.name.replace("_", "-"), cls=FilledCommand)(command)


_add_commands()


def main(arguments: list[str] | None = None) -> None:
    """Run one command; turn our own errors into one clear message and exit code 1, or 130."""
    print_beside()  # before anything takes hold of standard error
    notes = logging.StreamHandler()  # on standard error
    notes.setFormatter(SafeFormatter("note: %(message)s"))
    logging.basicConfig(handlers=[notes], level=logging.WARNING)
    try:
        app(args=arguments)
    except NothingYetError as error:
        _end(str(error.as_options()), INTERRUPTED)
    except EdgesrError as error:
        _fail(error)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in OPTIONAL:
            raise
        package = error.name.partition(".")[0]
        fix = f"pip install 'edgesr[{OPTIONAL[package]}]'"
        _fail(MissingError(f"this needs the Python package {package}", fix=fix))
    except ImportError as error:  # it is installed, and what it links to is not
        package = (error.name or "edgesr").partition(".")[0]
        if package == "edgesr":
            raise
        what = f"the Python package {package} cannot be loaded: {error.msg}"
        _fail(MissingError(what, fix="edgesr doctor"))
    except MemoryError:
        _fail(_too_little_memory())
    except RuntimeError as error:
        if "new thread" not in str(error):  # Python has no class of its own for it
            raise
        _fail(_too_little_memory())
    except OSError as error:  # what no command expects: a full disk behind standard output, say
        _fail(EdgesrError(error.strerror or str(error), where=error.filename))


def _too_little_memory() -> EdgesrError:
    return EdgesrError(
        "there is too little memory", fix="close other programs, or raise `ulimit -v`"
    )


def _fail(error: EdgesrError) -> NoReturn:
    _end(f"error: {error.as_options()}", FAILED)


def _end(text: str, status: int) -> NoReturn:
    say(text, err=True)
    drop_output()
    sys.exit(status)
