"""What `import edgesr` does, and what it gives."""

import inspect
import json
import os
import subprocess
import sys

import edgesr

PROBE = """
import json, os, sys
before = dict(os.environ), set(sys.modules)
import edgesr
new = sorted(set(sys.modules) - before[1])
print(json.dumps({"same": dict(os.environ) == before[0], "new": new}))
"""
NAMES = {
    "ConfigError", "DataError", "EdgesrError", "EngineError", "ImageError", "MissingError",
    "Model", "ModelError", "PowerError", "PowerMeter", "PowerUse", "Upscaled", "__version__",
    "measure_power", "open_model", "read_bench", "read_power_log", "upscale",
}  # fmt: skip


def fresh(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_all_names_are_the_library() -> None:
    assert set(edgesr.__all__) == NAMES
    assert edgesr.__all__ == sorted(edgesr.__all__)
    assert set(dir(edgesr)) >= NAMES
    star: dict[str, object] = {}
    exec("from edgesr import *", star)
    assert set(star) >= NAMES


def test_every_name_has_a_docstring_with_its_errors() -> None:
    for name in NAMES - {"__version__"}:
        value = getattr(edgesr, name)
        assert value.__module__.startswith("edgesr."), name
        assert inspect.getdoc(value), name
    for call in (edgesr.upscale, edgesr.open_model, edgesr.Model.upscale, edgesr.measure_power,
                 edgesr.read_power_log, edgesr.read_bench):  # fmt: skip
        text = inspect.getdoc(call) or ""
        assert "Raises:" in text and "Args:" in text, call
        for parameter in inspect.signature(call).parameters:
            assert parameter == "self" or f"{parameter}: " in text, (call, parameter)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(edgesr, "no_such_name")


def test_importing_sets_nothing_and_imports_nothing_heavy() -> None:
    found = json.loads(fresh(PROBE))
    assert found["same"], "the environment was changed"
    own = [name for name in found["new"] if name.partition(".")[0] == "edgesr"]
    assert own == ["edgesr", "edgesr.version"]
    roots = {name.partition(".")[0] for name in found["new"]} - {"edgesr"}
    assert roots <= set(sys.stdlib_module_names), roots


def test_importing_takes_less_than_a_tenth_of_a_second() -> None:
    """The processor's time of a fresh interpreter, less that of one that imports nothing."""

    def cost_s(program: str) -> float:
        def once() -> float:
            before = os.times()
            fresh(program)
            after = os.times()
            return (after.children_user + after.children_system) - (
                before.children_user + before.children_system
            )

        return min(once() for _ in range(5))

    assert cost_s("import edgesr") - cost_s("pass") < 0.1
