"""TensorRT engines: boards as data, the builder, the manifest of an engine and its checks."""
