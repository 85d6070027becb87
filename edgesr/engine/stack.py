"""Which TensorRT is installed, and what it can do.

Everything is asked of the module itself (`hasattr`), never concluded from a version and never
written as a bit number: TensorRT 8.6 has an FP16 builder flag and no strong typing, 10.x has both,
11 and TensorRT for RTX have strong typing only, and enum values moved between them.
"""

import enum
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgesr.errors import EngineError, MissingError

INSTALL: Mapping[str, str] = {
    "tensorrt": "sudo apt install python3-libnvinfer  (then a venv with --system-site-packages)",
    "tensorrt_rtx": "pip install tensorrt-rtx-cu12",
}
"""How to install each module that is TensorRT; there are no others."""


class Typing(enum.Enum):
    """How a network's element types are decided.

    With strong typing the types in the ONNX file are what the engine computes in. With weak typing
    the builder chooses, FP16 only where a flag allows it.
    """

    STRONG_ALWAYS = "strongly typed"
    STRONG_BY_FLAG = "strongly typed, by network flag"
    WEAK = "weakly typed, FP16 by builder flag"


@dataclass
class Messages:
    """What TensorRT logged during one build or load.

    Attributes:
        errors: lines of severity error and internal error.
        warnings: lines of severity warning.
    """

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def first_error(self) -> str:
        """Return the first line of the first error, the cause of those that follow it."""
        return self.errors[0].splitlines()[0] if self.errors else self.last_error()

    def last_error(self) -> str:
        """Return the first line of the last error, or what to say when there is none."""
        return self.errors[-1].splitlines()[0] if self.errors else "TensorRT gave no reason"


@dataclass(frozen=True)
class Stack:
    """An imported TensorRT module.

    Attributes:
        module: `tensorrt` or `tensorrt_rtx`, imported.
        name: its import name.
        version: as it states it.
        typing: what it offers for element types, the best it has.
    """

    module: Any
    name: str
    version: str
    typing: Typing

    def logger(self) -> tuple[Any, Messages]:
        """Return a TensorRT logger and the messages it collects; nothing goes to the terminal."""
        trt = self.module
        messages = Messages()
        errors = (trt.Logger.ERROR, trt.Logger.INTERNAL_ERROR)

        class Collector(trt.ILogger):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                trt.ILogger.__init__(self)

            def log(self, severity: Any, message: str) -> None:
                if severity in errors:
                    messages.errors.append(message)
                elif severity == trt.Logger.WARNING:
                    messages.warnings.append(message)

        return Collector(), messages

    def builder(self, logger: Any, messages: Messages) -> Any:
        """Return a builder.

        Raises:
            EngineError: it cannot start, for instance without a GPU where it needs one.
        """
        try:
            return self.module.Builder(logger)
        except (TypeError, RuntimeError) as error:  # pybind11: the factory returned nullptr
            raise EngineError(
                f"TensorRT {self.version} cannot start here ({messages.last_error()})",
                where=self.name,
                fix="edgesr doctor",
            ) from error

    def empty_network(self, builder: Any) -> Any:
        """Return a network with strong typing wherever this TensorRT has it.

        Raises:
            EngineError: strong typing was asked for and not given.
        """
        flags = self.module.NetworkDefinitionCreationFlag
        if self.typing is Typing.STRONG_BY_FLAG:
            network = builder.create_network(1 << int(flags.STRONGLY_TYPED))
        elif self.typing is Typing.WEAK and hasattr(flags, "EXPLICIT_BATCH"):
            network = builder.create_network(1 << int(flags.EXPLICIT_BATCH))
        else:
            network = builder.create_network(0)
        asks = self.typing is not Typing.WEAK and hasattr(flags, "STRONGLY_TYPED")
        if asks and hasattr(network, "get_flag") and not network.get_flag(flags.STRONGLY_TYPED):
            raise EngineError(f"TensorRT {self.version} did not make a strongly typed network")
        return network


def typing_of(module: Any) -> Typing:
    """Return how `module` decides element types.

    Raises:
        EngineError: it offers neither strong typing nor an FP16 flag.
    """
    strong = hasattr(module.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")
    weak = hasattr(module.BuilderFlag, "FP16")
    if strong:
        return Typing.STRONG_BY_FLAG if weak else Typing.STRONG_ALWAYS
    if weak:
        return Typing.WEAK
    raise EngineError(
        f"TensorRT {module.__version__} offers neither strong typing nor an FP16 flag",
        where=module.__name__,
    )


def find_stack(modules: Sequence[str]) -> Stack:
    """Import the first of `modules` that is installed.

    The names may come from a file, so nothing but the keys of `INSTALL` is ever imported.

    Raises:
        MissingError: none is; the message says how to install the preferred one.
    """
    reasons = []
    for name in modules:
        if name not in INSTALL:
            reasons.append(f"{name}: no module of TensorRT")
            continue
        try:
            module = importlib.import_module(name)
        except (ImportError, OSError, RuntimeError) as error:  # a broken library raises the others
            reasons.append(f"{name}: {str(error).splitlines()[0]}")
            continue
        if not hasattr(module, "__version__"):  # a mere folder of that name in Python's path
            reasons.append(f"{name}: not a package of TensorRT")
            continue
        return Stack(module, name, str(module.__version__), typing_of(module))
    raise MissingError(
        f"TensorRT is not installed ({'; '.join(reasons)})", fix=INSTALL.get(modules[0])
    )
