"""The primary context of the stand-in, which has nothing to switch."""

from types import SimpleNamespace

context = SimpleNamespace(push=lambda: None)
