"""What the plugins' nodes mean, in standard operators, so that ONNX Runtime can run them.

Tokens are turned out of images and back by the definition of the two, and every weight is read off
the attributes that TensorRT's parser would give to the plugin.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper, shape_inference

from edgesr.engine.plugin_nodes import MIXER, NORM, PLUGIN_VERSION, WEIGHTS
from edgesr.export.lower import define_mixers


def in_standard_operators(model):
    """Return a copy of a prepared model whose plugins are nodes that ONNX Runtime has."""
    typed = shape_inference.infer_shapes(model)
    graph = typed.graph
    values = (*graph.input, *graph.value_info, *graph.output)
    shapes = {v.name: [a.dim_value for a in v.type.tensor_type.shape.dim] for v in values}
    kinds = {v.name: v.type.tensor_type.elem_type for v in values}
    nodes, constants = [], []
    for node in graph.node:
        if node.op_type not in (MIXER, NORM):
            nodes.append(node)
            continue
        (given,), (result,) = node.input, node.output
        fields = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        assert fields.pop("plugin_version").decode() == PLUGIN_VERSION
        assert fields.pop("plugin_namespace") == b""
        assert kinds[given] == kinds[result]  # of the one type T

        def add(kind, *inputs, name, **attributes):
            nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
            return name

        def constant(name, values, kind=np.float32):
            constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
            return name

        single = add("Cast", given, name=f"{result}/single", to=TensorProto.FLOAT)
        before, after = shapes[given], shapes[result]
        is_image = len(before) == 4
        if is_image:
            batch, channels, height, width = before
            assert channels % 8 == 0 and after[1] % 8 == 0 and after[2:] == [height, width]
            last = add("Transpose", single, name=f"{result}/last", perm=[0, 2, 3, 1])
            shape = constant(f"{result}/tokens", [batch, height * width, channels], np.int64)
            single = add("Reshape", last, shape, name=f"{result}/as_tokens")
        if node.op_type == NORM:
            weights = [constant(f"{result}/{k}", fields[k]) for k in ("weight", "bias")]
            out = add(
                "LayerNormalization", single, *weights, name=f"{result}/normal", axis=-1,
                epsilon=fields["epsilon"],
            )  # fmt: skip
        else:
            out = mixer(f"{result}/mixed", single, fields, nodes, constant)
        if is_image:
            shape = constant(f"{result}/rows", [batch, height, width, after[1]], np.int64)
            out = add("Reshape", out, shape, name=f"{result}/as_rows")
            out = add("Transpose", out, name=f"{result}/as_image", perm=[0, 3, 1, 2])
        add("Cast", out, name=result, to=kinds[given])
    standard = type(model)()
    standard.CopyFrom(model)
    del standard.graph.node[:], standard.graph.value_info[:]
    standard.graph.node.extend(nodes)
    standard.graph.initializer.extend(constants)
    return define_mixers(standard)


def mixer(result, single, fields, nodes, constant):
    """Add the ONNX node of a mixer, whose weights are inputs; their shapes follow from lengths."""
    E = len(fields["D"])
    columns = {"conv": -1, "x_proj": E, "dt_proj": -1, "A": -1}
    inputs = []
    for name in WEIGHTS:
        values = np.array(fields.pop(name), np.float32)
        if name in columns:
            width = columns[name]
            values = values.reshape(-1, width) if width > 0 else values.reshape(E, -1)
        inputs.append(constant(f"{result}/{name}", values))
    assert set(fields) == {"height", "width", "columns", "reverse"}
    nodes.append(
        helper.make_node(MIXER, [single, *inputs], [result], result, domain="edgesr", **fields)
    )
    return result
