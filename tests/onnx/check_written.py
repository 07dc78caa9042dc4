#!/usr/bin/env python3
"""ONNX files of write_cases: onnx's checker, their operators in NumPy, OpenCV, and ONNX Runtime where it is found.

  check_written.py all|few WRITE_CASES...      77, skipped, where no Python has onnx and NumPy

NNB_ONNXRUNTIME names a folder whose node_modules has onnxruntime-node (npm install --ignore-scripts onnxruntime-node).
"""
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
except ImportError:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])  # the system's packages
    print("skipped: python3-onnx or python3-numpy is not installed")
    sys.exit(77)
from onnx import numpy_helper

try:
    import cv2
except ImportError:
    cv2 = None
    print("skipped: OpenCV's dnn (python3-opencv is not installed)")

# What OpenCV 4.6 does not know, with its reason.
OPENCV_LACKS = {"Greater": "operator", "Erf": "operator"}
TYPES = {1: np.float32, 11: np.float64}


def relative(got, want):
    return float(np.max(np.abs(np.float64(got) - np.float64(want))) / np.max(np.abs(np.float64(want))))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def selu(z):
    return z.dtype.type(1.05070102214813232421875) * np.where(
        z > 0, z, z.dtype.type(1.67326319217681884765625) * np.expm1(z))


def each(f):
    return lambda z: np.vectorize(lambda v: f(float(v)), otypes=[z.dtype])(z)


OPERATORS = {
    "MatMul": np.matmul, "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide,
    "Max": np.maximum, "Min": np.minimum, "Greater": np.greater, "Relu": lambda z: np.maximum(z, 0),
    "Sigmoid": lambda z: 1 / (1 + np.exp(-z)), "Tanh": np.tanh, "Exp": np.exp, "Log": np.log, "Abs": np.abs,
    "Neg": np.negative, "Identity": lambda z: z, "Softmax": softmax, "Elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "LeakyRelu": lambda z: np.where(z > 0, z, z.dtype.type(0.01) * z), "Selu": selu,
    "Softplus": lambda z: np.logaddexp(z, z.dtype.type(0)), "Erf": each(math.erf),
}


def run(model, inputs):
    """The model by its operators, as ONNX describes them."""
    values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer} | inputs
    for node in model.graph.node:
        x = [values[name] for name in node.input]
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Gemm":
            assert attributes == {"alpha": 1, "beta": 1, "transB": 1}
            y = x[0] @ x[1].T + x[2]
        elif node.op_type == "Concat":
            y = np.concatenate(x, axis=attributes["axis"])
        elif node.op_type == "Cast":
            y = x[0].astype(TYPES[attributes["to"]])
        else:
            y = OPERATORS[node.op_type](*x)
        values[node.output[0]] = y
    return values[model.graph.output[0].name]


def opencv(path, model, inputs):
    net = cv2.dnn.readNetFromONNX(str(path))
    rows = []
    for i in range(len(next(iter(inputs.values())))):  # 4.6 keeps the batch of constants; row by row is safe
        for name, x in inputs.items():
            net.setInput(np.ascontiguousarray(x[i:i + 1]), name)
        rows.append(net.forward(model.graph.output[0].name).reshape(1, -1))
    return np.concatenate(rows)


RUNTIME = """
const ort = require("onnxruntime-node");
(async () => {
  for (const job of JSON.parse(require("fs").readFileSync(0))) {
    for (const level of ["disabled", "all"]) {
      const session = await ort.InferenceSession.create(job.path, {graphOptimizationLevel: level, logSeverityLevel: 3});
      const feeds = {};
      for (const [name, x] of Object.entries(job.inputs))
        feeds[name] = new ort.Tensor(job.type, job.type == "float64" ? Float64Array.from(x.data) : Float32Array.from(x.data), x.dims);
      const result = await session.run(feeds);
      console.log(JSON.stringify(Array.from(result[job.output].data)));
    }
  }
})().catch(e => { console.error(e.message); process.exit(1); });
"""


def onnxruntime(jobs):
    """Outputs without and with optimisation, for each job."""
    folder = os.environ.get("NNB_ONNXRUNTIME")
    if not folder or not shutil.which("node"):
        print("skipped: ONNX Runtime (NNB_ONNXRUNTIME or node is missing)")
        return None
    done = subprocess.run(["node", "-e", RUNTIME], cwd=folder, input=json.dumps(jobs), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"onnxruntime-node: {done.stderr}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return list(zip(lines[::2], lines[1::2]))


def check(folder):
    worst, jobs, wants, skipped = {}, [], [], set()
    for path in sorted(folder.glob("*.onnx")):
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        x, want = (np.load(path.with_suffix(f".{what}.npy")) for what in "xy")
        single, gelu = x.dtype == np.float32, "gelu" in path.name
        inputs, at = {}, 0
        for value in model.graph.input:
            dims = value.type.tensor_type.shape.dim
            assert dims[0].dim_param == "batch"
            inputs[value.name] = x[:, at:at + dims[1].dim_value]
            at += dims[1].dim_value
        assert at == x.shape[1]
        limit = 1e-6 if single or gelu else 1e-13
        results = {"NumPy": run(model, inputs)}
        lacks = {node.op_type for node in model.graph.node} & set(OPENCV_LACKS)
        if cv2 and single and not lacks:
            results["OpenCV"] = opencv(path, model, inputs)
        skipped |= lacks
        for name, got in results.items():
            error = relative(got, want)
            key = (name, "single" if single else "gelu in double" if gelu else "double")
            worst[key] = max(worst.get(key, 0), error)
            assert got.shape == want.shape and error <= limit, f"{path.name}: {name} differs by {error:.2g}"
        jobs.append({"path": str(path), "type": "float32" if single else "float64", "output": model.graph.output[0].name,
                     "inputs": {k: {"data": v.flatten().tolist(), "dims": v.shape} for k, v in inputs.items()}})
        wants.append((path.name, want, limit))
    for (name, want, limit), results in zip(wants, onnxruntime(jobs) or []):
        for how, got in zip(("plain", "optimised"), results):
            error = relative(np.reshape(got, want.shape), want)
            key = (f"ONNX Runtime, {how}", "single" if "single" in name else "gelu in double" if "gelu" in name else "double")
            worst[key] = max(worst.get(key, 0), error)
            assert error <= limit, f"{name}: ONNX Runtime ({how}) differs by {error:.2g}"
    for key, error in worst.items():
        print(f"{', '.join(key)}: largest difference {error:.2g}")
    if skipped:
        print(f"OpenCV without nets that have {', '.join(sorted(skipped))}")
    print(f"{len(jobs)} models")
    return len(jobs) > 0


def main(how, *programs):
    good = True
    for program in programs:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([program, folder, *([how] if how == "all" else [])], check=True)
            good &= check(pathlib.Path(folder))
    return 0 if good else 1


sys.exit(main(*sys.argv[1:]))
