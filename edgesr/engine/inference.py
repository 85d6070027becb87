"""Types and shapes of a file's values, as onnx infers them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto


def opset_of(model: "ModelProto") -> int:
    """Return the version of ONNX's own operators that a model is written in; 0: of none."""
    return max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)


def inferred(model: "ModelProto", data_prop: bool = False) -> "ModelProto":
    """Return a copy of a model in which the types and shapes of its values are listed.

    Args:
        model: any.
        data_prop: follow the values of shapes, too.

    Raises:
        ValueError: the model contradicts itself.
    """
    from onnx.shape_inference import infer_shapes

    try:
        return infer_shapes(model, data_prop=data_prop)
    except Exception as error:  # of a class of its own, which onnx does not export
        raise ValueError(str(error)) from error
