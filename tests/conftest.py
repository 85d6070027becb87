"""Fixtures of all folders; the modules they come from lie beside this file."""

from engine_fixtures import engine_manifest, onnx_manifest, orin_nano, small_onnx
from nearest_network import data, make_nearest

__all__ = ["data", "engine_manifest", "make_nearest", "onnx_manifest", "orin_nano", "small_onnx"]
