"""A kernel's launch made ready, to be repeated for tensors of one layout."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from torch import Tensor

RELEASES = (3, 6), (3, 9)
"""First and last release of Triton whose own launches end in the call that `Launch` repeats.

That call is no part of Triton's interface. On other releases every launch goes through Triton.
"""


def can_repeat(release: str) -> bool:
    """Return whether launches are repeated with a release of Triton, named as `3.6.0`."""
    first, last = RELEASES
    major, minor = release.split(".")[:2]
    return first <= (int(major), int(minor)) <= last


def installed_release() -> str:
    """Return the release of Triton that is installed, `0.0` where its package is not named so."""
    try:
        return version("triton")
    except PackageNotFoundError:  # one that was built by hand, or for another kind of card
        return "0.0"


class Launch:
    """One kernel with its grid and sizes; only the tensors' addresses change between launches.

    At every launch Triton reads the types, alignment and values of all arguments anew, some forty
    of them here, and that takes longer than a small scan runs. It does so once; later launches
    hand addresses to the program it compiled. The caller keeps a launch for tensors of the same
    types, devices and alignment (addresses modulo `ALIGNMENT`) only.
    """

    def __init__(self, kernel: Any, grid: tuple[int, int, int], values: dict[str, Any]) -> None:
        """Take a `triton.jit` function whose first parameters are its tensors.

        Args:
            kernel: the function.
            grid: programs along three axes.
            values: its other parameters and Triton's options, by name.
        """
        self._kernel, self._grid, self._values = kernel, grid, values
        self._again: Callable[[list[int]], None] | None = None

    def __call__(self, *tensors: Tensor) -> None:
        """Launch on the current stream."""
        if self._again is not None:
            self._again([tensor.data_ptr() for tensor in tensors])
            return
        compiled = self._kernel[self._grid](*tensors, **self._values)
        # Triton's interpreter has no program to keep.
        if compiled is not None and can_repeat(installed_release()):
            self._again = self._repeat(compiled, len(tensors), tensors[0].get_device())

    def _repeat(self, compiled: Any, tensors: int, device: int) -> Callable[[list[int]], None]:
        """Return the launch of a compiled program, as `triton.JITFunction.run` ends; no hooks."""
        from triton.runtime import driver

        rest = [self._values[name] for name in self._kernel.arg_names[tensors:]]
        fixed = compiled.function, compiled.packed_metadata, None, None, None
        stream, run, grid = driver.active.get_current_stream, compiled.run, self._grid

        def again(addresses: list[int]) -> None:
            run(*grid, stream(device), *fixed, *addresses, *rest)

        return again


ALIGNMENT = 16  # bytes; what Triton compiles for


def layout(tensor: Tensor) -> tuple[Any, ...]:
    """Return all that a launch depends on but the address itself, as part of a key."""
    return tensor.dtype, tensor.get_device(), tensor.data_ptr() % ALIGNMENT, tensor.stride()
