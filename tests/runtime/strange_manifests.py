"""Manifests that do not describe the good model beside them, by name, as in strange_graphs."""

from typing import Any

from model_parts import Write, good, put

_DEEP = 100_000
TEXTS: dict[str, str | bytes] = {
    "empty": "",
    "no JSON": "{",
    "null": "null",
    "a number": "5",
    "a text": '""',
    "a list": "[]",
    "an empty object": "{}",
    "deep list": "[" * _DEEP,
    "deep object": '{"a":' * _DEEP,
    "deep and closed": "[" * _DEEP + "]" * _DEEP,
    "deep inside": '{"format": "edgesr-onnx/1", "versions": ' + "[" * _DEEP + "]" * _DEEP + "}",
    "NaN": "NaN",
    "no UTF-8": b"\xff\xfe{}",
    "zeros": b"\0" * 1000,
    "huge": b" " * (17 << 20),
    "long number": '{"format": "edgesr-onnx/1", "tile": ' + "9" * 100_000 + "}",
    "another format": '{"format": "edgesr-onnx/2"}',
    "surrogate": '{"format": "\\ud800"}',
}

_WRONG: dict[str, tuple[Any, ...]] = {
    "network": (5, None, [], "x" * 10_000),
    "scale": (0, -1, 3, 17, 4.5, "4", None, True, 1e30),
    "precision": ("fp64", 5, None),
    "tile": (0, -16, 64, 10_000, 10**30, "16", None),
    "batch": (0, -1, 2, 10_000, 10**30, "1"),
    "scan_form": (5, [], {}),
    "fp32_islands": (5, None, [5], "abc"),
    "opset": ("17", -1, None),
    "parameters": ("0", -1, 1e300),
    "parent": (5, [], {}, {"file": "../x", "sha256": "0" * 64}, {"file": "x", "sha256": "0"}),
    "onnx_sha256": (5, None, "", "0" * 64, "x" * 64),
    "parity": (5, None, {}, {"max_abs_difference": "x", "patches": 1, "against": "x"}),
    "versions": (5, [], {"a": 5}),
    "quantization": (5, [], {}, "x"),
    "psnr_loss": (5, None, [5], [{}]),
    "input_range": ([0, 255], [0], 5, None),
    "colour_order": ("BGR", 5),
    "layout": ("NHWC", None),
}

KINDS: dict[str, Write] = {
    f"manifest: {name}": lambda folder, text=text: put(folder, good(), text)  # type: ignore[misc]
    for name, text in TEXTS.items()
}
for _name, _values in _WRONG.items():
    for _value in _values:
        KINDS[f"{_name}: {_value!r:.30}"] = (  # type: ignore[misc]
            lambda folder, name=_name, value=_value: put(folder, good(), **{name: value})
        )
KINDS["unknown field"] = lambda folder: put(folder, good(), surprise=1)
