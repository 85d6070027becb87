"""From torch to ONNX: trace, rewrite, precision, checks, manifest."""
