"""ONNX files whose local functions are not what edgesr writes, by name, as in strange_graphs."""

from model_parts import Write, constants, enlarge, model, put
from onnx import FunctionProto, NodeProto, helper

DOMAIN = "edgesr"


def function(name: str, nodes: list[NodeProto], domain: str = DOMAIN) -> FunctionProto:
    """A function from `x` to `y`."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_function(domain, name, ["x"], ["y"], nodes, opsets)


def call(name: str, times: int = 1) -> list[NodeProto]:
    """Call a function from `x` to `y`, several times in a row."""
    names = ["x", *(f"x{n}" for n in range(1, times)), "y"]
    return [helper.make_node(name, [names[n]], [names[n + 1]], domain=DOMAIN) for n in range(times)]


def calling(*functions: FunctionProto, times: int = 1) -> bytes:
    """A model that calls the first of `functions` before it enlarges."""
    first = functions[0]
    names = ["lr", *(f"x{n}" for n in range(times))]
    calls = [
        helper.make_node(first.name, [names[n]], [names[n + 1]], domain=first.domain)
        for n in range(times)
    ]
    result = model([*calls, enlarge(names[-1])], tensors=constants())
    result.opset_import.append(helper.make_opsetid(first.domain or DOMAIN, 1))
    result.ir_version = 10
    result.functions.extend(functions)
    return result.SerializeToString()


def same() -> NodeProto:
    return helper.make_node("Identity", ["x"], ["y"])


def branching() -> NodeProto:
    """An operator that keeps a graph in an attribute."""
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "g", [], [])
    return helper.make_node("Identity", ["x"], ["y"], body=graph)


def without_domain() -> bytes:
    own = function("Relu", [helper.make_node("Relu", ["x"], ["y"])], "")
    own.ClearField("domain")
    return calling(own)


CONTENTS = {
    "functions that call functions": lambda: calling(
        *(function(f"F{n}", call(f"F{n + 1}", times=10)) for n in range(9)),
        function("F9", [same()]),
    ),
    "a function that calls itself": lambda: calling(function("F", call("F"))),
    "a function with the name of an operator": lambda: calling(function("Relu", [same()], "")),
    "an operator that calls itself": without_domain,
    "a function of another domain": lambda: calling(function("F", [same()], "com.microsoft")),
    "a graph in a function": lambda: calling(function("F", [branching()])),
    "a loop in a function": lambda: calling(
        function("F", [helper.make_node("Loop", ["x"], ["y"])])
    ),
    "functions called too often": lambda: calling(function("F", [same()] * 1100), times=1000),
}

KINDS: dict[str, Write] = {
    name: lambda folder, content=content: put(folder, content())  # type: ignore[misc]
    for name, content in CONTENTS.items()
}
