"""TensorRT engines: the builder, what it is given, and the search for an engine that fits."""
