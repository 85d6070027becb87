"""The ONNX file and the engine as things with a manifest: formats, hashes, where they lie."""
