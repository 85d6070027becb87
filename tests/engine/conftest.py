from engine_fixtures import engine_manifest, onnx_manifest, orin_nano, small_onnx

__all__ = ["engine_manifest", "onnx_manifest", "orin_nano", "small_onnx"]
