from engine_fixtures import onnx_manifest, orin_nano, small_onnx

__all__ = ["onnx_manifest", "orin_nano", "small_onnx"]
