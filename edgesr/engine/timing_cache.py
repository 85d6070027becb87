"""The builder's kernel timings, kept between builds of the same network on the same board.

A cache is used again for the same network, whatever its weights are, the same board and TensorRT:
its name is a digest of all three. So a network that was trained on is built quicker. Two builds may
still choose differently.
"""

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgesr.files import write_bytes


@dataclass(frozen=True)
class TimingCache:
    """One cache file.

    Attributes:
        path: where it lies, whether it exists yet or not.
    """

    path: Path

    @classmethod
    def of(cls, structure_sha256: str, board: str, tensorrt: str, folder: Path) -> "TimingCache":
        """Return the cache of one network (structure.py), board and TensorRT (name and version)."""
        key = hashlib.sha256("\n".join((structure_sha256, board, tensorrt)).encode()).hexdigest()
        return cls(folder / f"{key}.cache")

    def attach(self, config: Any) -> str:
        """Give the builder what is known.

        Returns:
            `warm`, `cold`, or `unsupported` where this TensorRT keeps no timings.
        """
        if not hasattr(config, "create_timing_cache"):
            return "unsupported"
        known = self.path.read_bytes() if self.path.is_file() else b""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            cache = config.create_timing_cache(known)  # None: what is known is damaged
            fits = cache is not None and config.set_timing_cache(cache, False)
        if any(issubclass(warning.category, DeprecationWarning) for warning in caught):
            return "unsupported"  # TensorRT for RTX says so: its timing caches do nothing
        if not fits:  # the header is of another device or driver
            config.set_timing_cache(config.create_timing_cache(b""), False)
        return "warm" if known and fits else "cold"

    def keep(self, config: Any) -> None:
        """Write what the builder has learned."""
        cache = config.get_timing_cache()
        if cache is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self.path, bytes(cache.serialize()))
