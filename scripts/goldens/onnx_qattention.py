"""The fused BERT classifier of the fixtures with dynamic 8-bit quantisation by ONNX Runtime: Attention becomes com.microsoft QAttention.

    python3 -m venv VENV && VENV/bin/pip install onnx onnxruntime sympy
    VENV/bin/python scripts/goldens/onnx_qattention.py test/fixtures/onnx

The goldens stay those of the unquantised model (PyTorch). Seven-bit weights (reduce_range), so that every processor computes the same.
"""

import pathlib
import shutil
import sys

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    source, folder = root / "bert_cls_ort_fused", root / "bert_cls_qattention"
    folder.mkdir(parents=True, exist_ok=True)
    # The shapes behind operators of com.microsoft are not known to it.
    options = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    quantize_dynamic(
        source / "model.onnx", folder / "model.onnx", weight_type=QuantType.QInt8, reduce_range=True, extra_options=options
    )
    kinds = {node.op_type for node in onnx.load(folder / "model.onnx").graph.node}
    if "QAttention" not in kinds:
        raise SystemExit(f"no QAttention among {sorted(kinds)}")
    for name in ("golden.json", "golden.bin"):
        shutil.copy(source / name, folder / name)
