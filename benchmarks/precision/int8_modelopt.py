"""Quantise one ONNX file with NVIDIA ModelOpt; int8.py calls it with another environment's Python.

    python -m venv MODELOPT
    MODELOPT/bin/pip install torch==2.13.0 'onnx~=1.21.0' 'onnxruntime~=1.24.2' \
        'onnx-graphsurgeon>=0.6.1' 'onnxconverter-common~=1.16.0' onnxscript 'onnxslim>=0.1.76' \
        'polygraphy>=0.53.4' ml_dtypes lief cppimport ninja numpy nvidia-ml-py packaging \
        'setuptools>=80' tqdm PyYAML 'omegaconf>=2.3' 'pulp<4' 'pydantic>=2' regex rich \
        safetensors scipy
    MODELOPT/bin/pip install --no-deps nvidia-modelopt==0.47.0

That is what its `onnx` extra asks for, without CuPy and with ONNX Runtime for CPUs in place of the
one for GPUs. It needs other versions of onnx and onnxruntime than edgesr, so it has a place of its
own.
"""

import json
import sys

import numpy as np
from modelopt.onnx.quantization import quantize  # type: ignore[import-not-found]

if __name__ == "__main__":
    source, target, tiles, options = sys.argv[1:]
    quantize(
        source,
        quantize_mode="int8",
        calibration_data=np.load(tiles),
        calibration_eps=["cpu"],
        output_path=target,
        log_level="ERROR",
        **json.loads(options),
    )
