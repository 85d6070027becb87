"""edgesr: Mamba super-resolution for small boards."""

__version__ = "0.1.0"
